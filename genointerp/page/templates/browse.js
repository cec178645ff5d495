/* genointerp::report-script: browse */
"use strict";
(() => {
  const shared = globalThis.genointerp;
  const { browser: options, ask, live } = shared;
  const element = (id) => document.getElementById(id);
  const place = element("browser");
  const query = new URLSearchParams(location.search);
  if (query.get("at")) options.locus = query.get("at");
  // what a track is of: the address of its options, and what these are asked for with
  const kinds = { feature: "/options", divergence: "/divergence/options" };
  const wanted = Object.keys(kinds).flatMap((kind) => query.getAll(kind).map((of) => [kind, of])), shown = new Map();
  const number = (value) => Number(value.toPrecision(3)).toString();
  const say = (text) => { element("told").textContent = text; };
  const locus = shared.locus = () => {
    const loci = window.genointerpBrowser.currentLoci();
    const [, chr, first, last] = String(Array.isArray(loci) ? loci[0] : loci).match(/^(.*):([\d,.]+)-([\d,.]+)$/) || [];
    const read = (text) => Number(text.replaceAll(",", ""));
    return chr && { chr, start: Math.max(0, Math.floor(read(first)) - 1), end: Math.floor(read(last)) };
  };

  // the address always says what is shown, so that it can be kept, sent and opened again
  const remember = () => {
    const now = locus(), next = new URLSearchParams();
    if (now) next.set("at", `${now.chr}:${now.start + 1}-${now.end}`);
    for (const [kind, of] of shown.values()) next.append(kind, of);
    history.replaceState(null, "", `?${next}`);
  };
  const add = async (kind, of) => {
    if ([...shown.values()].some(([one, its]) => one === kind && its === String(of))) return;
    try {
      const track = await ask(kinds[kind], { [kind]: of });
      if (!track) return;
      const { name } = track;
      shown.set(name, [kind, String(of)]);
      await window.genointerpBrowser.loadTrack(live(track));
      remember();
      say("");
    } catch (error) { say(error.message); }
  };
  const button = (feature, text, act) => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = "add";
    one.dataset.feature = feature;
    one.textContent = text;
    one.addEventListener("click", act);
    return one;
  };
  const buttons = (feature) => {
    const all = document.createElement("span");
    all.append(button(feature, "show its track", () => add("feature", feature)));
    const paint = element("paint");
    const brush = () => paint.dispatchEvent(new CustomEvent("brush", { detail: feature }));
    if (paint) all.append(" ", button(feature, "paint with it", brush));
    return all;
  };
  const link = (feature, text, title) => {
    const one = document.createElement("a");
    one.href = `/features/${feature}.html`;
    one.className = "feature";
    one.textContent = text;
    one.title = title;
    return one;
  };
  // only a run that has circuits says the family of each feature
  const said = (one) => ("circuit" in one ? [one.label, one.circuit] : [one.label]);
  const fill = shared.fill = (body, rows) => body.replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    for (const cell of cells) {
      const one = row.insertCell();
      if (typeof cell === "number") { one.className = "number"; one.textContent = number(cell); } else one.append(cell);
    }
    return row;
  }));

  // what fires in the part of the genome that is shown
  let turn = 0;
  const look = async () => {
    const now = locus();
    if (!now) return;
    remember();
    turn += 1;
    const own = turn, most = Number(element("here").dataset.most), rows = element("here-rows");
    if (now.end - now.start > most) {
      rows.replaceChildren();
      element("here-told").textContent = `Shown where at most ${most.toLocaleString("en")} bases are.`;
      return;
    }
    const found = await ask("/region", now).catch((error) => { say(error.message); return null; });
    if (!found || own !== turn) return;
    const n = found.features.length;
    element("here-told").textContent = n
      ? `${found.region}: ${found.n_features.toLocaleString("en")} features fire; the strongest ${n}.`
      : `${found.region}: no feature fires, or no base was read.`;
    fill(rows, found.features.map((one) => [
      link(one.feature, one.name, one.said), ...said(one), one.strand, one.max_activation, one.covered_share, buttons(one.feature)]));
  };
  let pause = null;
  place.addEventListener("ready", async () => {
    const browser = window.genointerpBrowser;
    for (const [kind, of] of wanted) await add(kind, of);
    browser.on("locuschange", () => { clearTimeout(pause); pause = setTimeout(look, 200); });
    browser.on("trackremoved", (gone) => {
      for (const track of [].concat(gone)) shown.delete(track.name);
      remember();
    });
    look();
  });

  for (const one of document.querySelectorAll("[data-divergence]")) {
    one.addEventListener("click", () => add("divergence", one.dataset.divergence));
  }

  element("places").addEventListener("found", ({ detail }) => {
    fill(element("features-found"), detail.features.map((one) => [link(one.feature, one.name, one.said), ...said(one), buttons(one.feature)]));
    const n = detail.features.length, places = detail.places.length;
    const asked = element("search").value.trim();
    element("results").hidden = !n && !places;
    element("found-told").textContent = asked && `places: ${places}, features: ${detail.n_features.toLocaleString("en")}`;
  });
})();
