"use strict";
(() => {
  const compare = (a, b) => {
    // undefined values come last in either direction, see sortRows
    const x = Number(a), y = Number(b);
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    return a.localeCompare(b, "en", { numeric: true });
  };

  const sortRows = (table, index, direction) => {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [row.cells[index].dataset.exact, row]);
    const known = rows.filter(([value]) => value !== "");
    const unknown = rows.filter(([value]) => value === "");
    known.sort(([a], [b]) => direction * compare(a, b));
    body.append(...known.concat(unknown).map(([, row]) => row));
  };

  const onSort = (header) => {
    const table = header.closest("table");
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    sortRows(table, header.cellIndex, ascending ? 1 : -1);
  };

  const filterRows = (holder) => {
    const words = holder.querySelector(".filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = Array.from(holder.querySelector("tbody").rows);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    holder.querySelector(".count").textContent = `${shown} of ${rows.length} rows`;
  };

  for (const holder of document.querySelectorAll("div.table")) {
    holder.querySelector(".filter").addEventListener("input", () => filterRows(holder));
    for (const header of holder.querySelectorAll("thead th")) {
      header.querySelector(".sort").addEventListener("click", () => onSort(header));
    }
    filterRows(holder);
  }

  const openSection = () => {
    const section = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!(section instanceof HTMLDetailsElement)) return;
    section.open = true;
    section.scrollIntoView({ block: "start" });
  };
  window.addEventListener("hashchange", openSection);
  openSection();

  const options = JSON.parse(document.getElementById("browser-options").textContent);
  const place = document.getElementById("browser");
  const ready = igv.createBrowser(place, options);
  ready.then(
    (browser) => { place.dataset.state = "ready"; window.genointerpBrowser = browser; },
    (error) => { place.dataset.state = "failed"; console.error(error); },
  );

  document.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target : null;
    // the address may already name the section, which then changes nothing
    if (target && target.closest("a.feature")) setTimeout(openSection);
    const button = target && target.closest("button.locus");
    if (!button) return;
    place.scrollIntoView({ behavior: "smooth", block: "start" });
    const browser = await ready;
    await browser.search(button.dataset.locus);
  });
})();
