/* genointerp::report-script: paint */
"use strict";
(() => {
  const section = document.getElementById("paint");
  if (!section) return;
  const { ask, send, fill, locus, sleep, workOf, heading, tableOf, filesOf } = globalThis.genointerp;
  const element = (id) => document.getElementById(id);
  const say = (text) => { element("paint-told").textContent = text; };
  const flank = 512, pause = 300, most = 500, mostFeatures = Number(section.dataset.features);

  // the canvas stays in this browser, so that it is there when the server was started again
  const key = `genointerp canvas ${section.dataset.run}`;
  const kept = () => {
    try { return JSON.parse(localStorage.getItem(key)) || []; } catch { return []; }
  };
  let strokes = kept();
  const keep = () => {
    try { localStorage.setItem(key, JSON.stringify(strokes)); } catch { /* this page has it */ }
  };

  // tracks of its own: one of the strokes, others of what the model says
  const latest = new Map();
  let drawing = Promise.resolve();
  const redraw = (group, tracks) => {
    latest.set(group, tracks);
    drawing = drawing.then(async () => {
      // a track that is removed while it loads is an error of the browser: many strokes are drawn once
      await sleep(pause);
      const browser = globalThis.genointerpBrowser;
      if (!browser || latest.get(group) !== tracks) return;
      for (const { track } of [...browser.trackViews]) if (track && track.config && track.config.group === group) browser.removeTrack(track);
      for (const track of tracks) await browser.loadTrack({ ...track, group });
    }).catch((error) => say(error.message));
    return drawing;
  };
  const told = { set: "set to", add: "add", raise: "raise to", scale: "times", ablate: "take out" };
  const name = (one) => `f/${one.feature} ${told[one.mode]}${one.mode === "ablate" ? "" : ` ${one.value}`}`;
  const draw = () => redraw("canvas", strokes.length ? [{
    type: "annotation", name: "canvas", displayMode: "EXPANDED", color: "#e69f00", height: 60, searchable: false,
    features: strokes.map((one) => ({ chr: one.chr, start: one.start, end: one.end, strand: one.strand, name: name(one) })),
  }] : []);

  const button = (className, text) => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = className;
    one.textContent = text;
    return one;
  };
  const lengthOf = (chr) => globalThis.genointerpBrowser.genome.getChromosome(chr).bpLength;
  const place = ({ chr, start, end }) => `${chr}:${start + 1}-${end}`;
  const list = () => fill(element("strokes"), strokes.map((one, i) => {
    const go = button("locus", place(one)), away = button("add", "remove");
    go.dataset.locus = place(one);
    away.addEventListener("click", () => change(strokes.filter((_, j) => j !== i)));
    const bases = one.phase < 0 ? "every" : `${one.phase + 1} of 3`;
    return [go, one.strand === "." ? "both" : one.strand, `f/${one.feature}`, told[one.mode], one.mode === "ablate" ? "" : one.value, bases, one.state, away];
  }));
  const change = (next) => {
    strokes = next;
    keep();
    list();
    return draw();
  };

  const brushes = () => {
    const features = [...new Set((element("brush-features").value.match(/\d+/g) || []).map(Number))];
    const value = Number(element("brush-value").value);
    if (!features.length) throw new Error("Name a feature to paint with, by its number.");
    if (!Number.isFinite(value) || element("brush-value").value === "") throw new Error("The dose must be a number.");
    const mode = element("brush-mode").value, phase = Number(element("brush-phase").value);
    const own = { strand: element("brush-strand").value, mode, phase, state: element("brush-state").value };
    return features.map((feature) => ({ ...own, feature, ...(mode === "ablate" ? {} : { value }) }));
  };
  const paint = ({ chr, start, end }) => {
    try {
      const next = [...strokes, ...brushes().map((brush) => ({ chr, start, end, ...brush }))];
      if (next.length > most) throw new Error(`A canvas has at most ${most} strokes.`);
      if (new Set(next.map((one) => one.feature)).size > mostFeatures) throw new Error(`A canvas has at most ${mostFeatures} features.`);
      say("");
      change(next);
    } catch (error) { say(error.message); }
  };
  section.addEventListener("brush", ({ detail }) => {
    const box = element("brush-features"), known = box.value.match(/\d+/g) || [];
    if (!known.includes(String(detail))) box.value = [...known, detail].join(", ");
    say(`f/${detail} is a feature to paint with.`);
    element("told").textContent = element("paint-told").textContent;
  });
  element("brush-add").addEventListener("click", () => {
    const text = element("brush-place").value.trim();
    const [, chr, first, last] = text.match(/^(\S+):([\d,]+)-([\d,]+)$/) || [];
    const read = (digits) => Number(digits.replaceAll(",", ""));
    const where = text ? chr && { chr, start: read(first) - 1, end: read(last) } : locus();
    if (where && !text) where.end = Math.min(where.end, lengthOf(where.chr));
    if (where) paint(where);
    else say("A place is like seqid:first-last.");
  });
  element("canvas-clear").addEventListener("click", () => { say(""); change([]); });

  // a layer over the tracks takes the mouse as long as one paints
  const over = document.createElement("div"), band = document.createElement("b"), label = document.createElement("span");
  over.id = "paint-over";
  over.hidden = true;
  over.append(band, label);
  element("holder").append(over);
  const lay = () => {
    const column = element("browser").shadowRoot.querySelector(".igv-column").getBoundingClientRect();
    const holder = element("holder").getBoundingClientRect();
    Object.assign(over.style, {
      left: `${column.left - holder.left}px`, top: `${column.top - holder.top}px`,
      width: `${column.width}px`, height: `${Math.min(column.bottom, holder.bottom) - column.top}px`,
    });
  };
  const toggle = (on) => {
    over.hidden = !on;
    band.style.width = 0;
    label.textContent = "drag over a stretch; Escape ends painting";
    element("brush").setAttribute("aria-pressed", on);
    if (on) lay();
  };
  element("brush").addEventListener("click", () => {
    if (!over.hidden) { toggle(false); return; }
    try { brushes(); } catch (error) { say(error.message); return; }
    say("");
    toggle(true);
    element("holder").scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") toggle(false); });
  window.addEventListener("resize", () => { if (!over.hidden) lay(); });
  let from = null;
  const x = (event) => Math.min(Math.max(event.clientX - over.getBoundingClientRect().left, 0), over.clientWidth);
  const stretch = (a, b) => {
    const { chr, start, bpPerPixel } = globalThis.genointerpBrowser.referenceFrameList[0];
    const length = lengthOf(chr), first = Math.min(Math.max(0, Math.floor(start + Math.min(a, b) * bpPerPixel)), length - 1);
    return { chr, start: first, end: Math.min(Math.max(first + 1, Math.ceil(start + Math.max(a, b) * bpPerPixel)), length) };
  };
  over.addEventListener("pointerdown", (event) => {
    over.setPointerCapture(event.pointerId);
    from = x(event);
    event.preventDefault();
  });
  over.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = x(event);
    Object.assign(band.style, { left: `${Math.min(from, to)}px`, width: `${Math.abs(to - from)}px` });
    label.textContent = place(stretch(from, to));
  });
  over.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const where = stretch(from, x(event));
    from = null;
    band.style.width = 0;
    paint(where);
  });
  over.addEventListener("pointercancel", () => { from = null; band.style.width = 0; });

  const asking = workOf(section, say);
  const work = (address, body, show) => {
    if (!strokes.length) { say("The canvas is empty: paint a stretch first."); return; }
    asking(address, () => ({ strokes, controls: element("with-controls").checked, ...body() }), show);
  };
  const hull = () => {
    const [{ chr }] = strokes;
    if (strokes.some((one) => one.chr !== chr)) throw new Error("The strokes must be on one contig.");
    return { chr, start: Math.min(...strokes.map((one) => one.start)), end: Math.max(...strokes.map((one) => one.end)) };
  };

  // goes to a place of which nothing is shown
  const look = async ({ chr, start, end }) => {
    const now = locus();
    if (now && now.chr === chr && now.start < end && start < now.end) return;
    await globalThis.genointerpBrowser.search(place({ chr, start: Math.max(0, start - flank), end: end + flank }));
  };
  const shown = (strand, { chr, start, end, change: values, kl }) => {
    const features = (column) => column.map((value, i) => ({ chr: chr[i], start: start[i], end: end[i], value: value || 0 }));
    const side = `read on ${strand}`, own = { type: "wig", autoscale: true, height: 60, altColor: "#d55e00", searchable: false };
    return [
      { ...own, name: `change of log p, ${side}`, color: "#0072b2", features: features(values) },
      { ...own, name: `KL, ${side}`, color: "#009e73", features: features(kl.map((value) => Math.max(0, value))) },
    ];
  };
  element("ask-change").addEventListener("click", () => work("/change", () => {
    const { chr, start, end } = hull();
    return { place: { chr, start: Math.max(0, start - flank), end: Math.min(end + flank, lengthOf(chr)) } };
  }, async (job) => {
    const found = await ask(`/jobs/${job}/changes`, {});
    if (!found) return;
    await look(hull());
    await redraw("change", Object.entries(found.strands).flatMap(([strand, one]) => shown(strand, one)));
    element("outcome").replaceChildren(
      heading("What changes"),
      tableOf(found.means),
      filesOf(job, ["canvas.tsv", "means.tsv", "rows.tsv"]));
    say("The change of each base is in the browser, in nats; an effect that a control has too is none.");
  }));

  element("ask-designs").addEventListener("click", () => work("/write", () => {
    const stranded = strokes.find((one) => one.strand !== ".");
    return {
      place: hull(), strand: stranded ? stranded.strand : "+",
      n_designs: Number(element("n-designs").value), temperature: Number(element("temperature").value),
    };
  }, async (job) => {
    const found = await ask(`/jobs/${job}/designs`, {});
    if (!found) return;
    element("outcome").replaceChildren(
      heading("On the mean"), tableOf(found.means), heading("Designs"), tableOf(found.designs),
      filesOf(job, ["canvas.tsv", "designs.fasta", "designs.gff3", "rows.tsv", "means.tsv"]));
  }));

  element("canvas-file").addEventListener("click", async () => {
    if (!strokes.length) { say("The canvas is empty: paint a stretch first."); return; }
    try {
      const answer = await send("/canvas.tsv", { strokes });
      if (!answer) return;
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = "canvas.tsv";
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) { say(error.message); }
  });

  list();
  element("browser").addEventListener("ready", draw);
})();
