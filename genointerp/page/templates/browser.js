/* genointerp::report-script: browser */
"use strict";
(() => {
  const place = document.getElementById("browser");
  if (!place) return;
  // data of a folder come as scripts, those of a single page inside it
  const held = document.getElementById("browser-options");
  const options = held ? JSON.parse(held.textContent) : globalThis.genointerp.browser;
  const ready = igv.createBrowser(place, options);
  ready.then(
    (browser) => {
      window.genointerpBrowser = browser;
      place.dataset.state = "ready";
      place.dispatchEvent(new Event("ready"));
    },
    (error) => { place.dataset.state = "failed"; console.error(error); },
  );

  // the track of the feature in question comes first, behind the genes and what was not read
  const natural = new WeakMap();
  const lead = async (feature) => {
    const browser = await ready;
    const named = (name) => name === `f/${feature}` || name.startsWith(`f/${feature} `);
    for (const { track } of browser.trackViews) {
      if (track.type !== "merged") continue;
      if (!natural.has(track)) natural.set(track, track.order);
      track.order = named(track.name) ? 0.5 : natural.get(track);
    }
    browser.reorderTracks();
  };

  // some widths of a place on either side, and the place itself in colour
  const show = async (locus) => {
    const browser = await ready;
    const [, chr, first, last] = locus.match(/^(.*):(\d+)-(\d+)$/);
    const start = Number(first) - 1, end = Number(last);
    const flank = Number(document.body.dataset.flanks) * (end - start);
    await browser.search(`${chr}:${Math.max(1, start + 1 - flank)}-${end + flank}`);
    browser.clearROIs();
    await browser.loadROI({ name: "place", color: "rgba(230,159,0,.25)", features: [{ chr, start, end }] });
  };

  const openSection = () => {
    const section = document.getElementById(location.hash.slice(1));
    if (!(section instanceof HTMLDetailsElement)) return;
    section.open = true;
    section.scrollIntoView({ block: "start" });
    lead(section.dataset.feature);
  };
  window.addEventListener("hashchange", openSection);
  openSection();
  // the page of one feature opens where it is strongest
  if (document.body.dataset.feature && options.locus) show(options.locus);

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    // the address may already name the section, which then changes nothing
    if (target && target.closest("a.feature")) setTimeout(openSection);
    const button = target && target.closest("button.locus");
    if (!button) return;
    // at once: figures that load on a slow way there would move it
    place.scrollIntoView({ block: "start" });
    const owner = button.closest("[data-feature]");
    if (owner) lead(owner.dataset.feature);
    show(button.dataset.locus);
  });
})();
