/* genointerp::report-script: live */
"use strict";
(() => {
  const shared = (globalThis.genointerp = globalThis.genointerp || {});
  const seconds = 2;

  // one line at the top of the page while the server gives no answers
  const say = (text) => {
    let line = document.getElementById("no-answer");
    if (!line) {
      line = document.createElement("p");
      line.id = "no-answer";
      line.setAttribute("role", "alert");
      document.body.prepend(line);
    }
    line.textContent = text;
  };
  let waiting = null;
  const wait = () => {
    say("The server does not answer. This page goes on when it was started again.");
    // a server that was started again has another secret, and what is shown here may have changed
    waiting = waiting || setInterval(() => fetch("/alive").then((answer) => {
      if (answer.ok) location.reload();
      else say("The server was started again: open the address that it printed.");
    }, () => {}), 1000 * seconds);
  };

  /** What the server answers; null where it cannot be reached, with a line that says so. */
  const answered = async (address, options) => {
    const answer = await fetch(address, options).catch(() => null);
    if (!answer || answer.status === 403) {
      wait();
      return null;
    }
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      const error = new Error(told.error || `${answer.status} ${answer.statusText}`);
      throw Object.assign(error, { status: answer.status });
    }
    return answer;
  };
  shared.ask = async (address, query) => {
    const answer = await answered(`${address}?${new URLSearchParams(query)}`);
    return answer && answer.json();
  };
  /** The same for what is sent, whose answer is not always JSON. */
  shared.send = (address, body) => answered(address, { method: "POST", body: JSON.stringify(body) });

  // all sides of a track are one question
  const latest = new Map();
  const sides = (address, own, query) => {
    const track = `${address} ${Object.values(own)}`, key = new URLSearchParams(query).toString();
    const known = latest.get(track);
    if (known && known.key === key) return known.answer;
    const answer = shared.ask(address, { ...own, ...query });
    latest.set(track, { key, answer });
    // what failed is asked for again
    answer.catch(() => { if (latest.get(track)?.answer === answer) latest.delete(track); });
    return answer;
  };
  const stretches = (address, own, side) => ({
    getFeatures: async ({ chr, start, end, bpPerPixel }) => {
      const query = { chr, start: Math.max(0, Math.floor(start)), end: Math.ceil(end), bin: Math.max(1, Math.floor(bpPerPixel)) };
      const answer = await sides(address, own, query);
      const found = answer ? side(answer) : { start: [], end: [], value: [] };
      return found.start.map((from, i) => ({ chr, start: from, end: found.end[i], value: found.value[i] }));
    },
  });
  const genes = {
    readFeatures: async (chr, start, end) => {
      const answer = await shared.ask("/genes", { chr, start: Math.max(0, Math.floor(start)), end: Math.ceil(end) });
      return answer ? answer.genes : [];
    },
  };
  /** A track whose data are asked for as they are shown. */
  shared.live = (track) => {
    if (track.asks === "genes") track.reader = genes;
    const { feature, strand, divergence, measure, side } = track.asks || {};
    if (strand) track.featureSource = stretches("/track", { feature }, (answer) => answer[strand]);
    if (side) track.featureSource = stretches("/divergence", { divergence }, (answer) => answer[measure][side]);
    delete track.asks;
    (track.tracks || []).forEach(shared.live);
    return track;
  };
  if (shared.browser) shared.browser.tracks.forEach(shared.live);

  // whether there is anything to draw is known when it is drawn
  document.addEventListener("error", ({ target }) => {
    if (target instanceof HTMLImageElement) target.closest("figure").remove();
  }, true);

  // places whose name or product holds all words of a search
  const list = document.getElementById("places");
  if (!list) return;
  const box = document.getElementById(list.dataset.words);
  const item = (place) => {
    const one = document.createElement("li"), told = [place.name, place.type, place.product, place.genome];
    const link = document.createElement(list.dataset.here ? "button" : "a");
    if (list.dataset.here) { link.type = "button"; link.className = "locus"; link.dataset.locus = place.locus; }
    else link.href = `/browse.html?${new URLSearchParams({ at: place.locus })}`;
    link.textContent = place.locus;
    one.append(link, ` ${told.filter(Boolean).join(", ")}`);
    return one;
  };
  let turn = 0;
  const search = async () => {
    turn += 1;
    const own = turn, text = box.value.trim();
    const found = text ? await shared.ask("/search", { text }) : { places: [], features: [], n_features: 0 };
    if (!found || own !== turn) return;
    list.replaceChildren(...found.places.map(item));
    list.dispatchEvent(new CustomEvent("found", { detail: found }));
  };
  let pause = null;
  box.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(search, 150); });
  if (box.value) search();
})();
