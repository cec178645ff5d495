/* genointerp::report-script: tables */
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

  const tests = {
    ">": (x, y) => x > y, ">=": (x, y) => x >= y, "<": (x, y) => x < y, "<=": (x, y) => x <= y, "=": (x, y) => x === y,
  };

  // a word of a filter is a comparison where it names a column, else it is looked for in the row
  const asTest = (word, names) => {
    const [, name, sign, value] = word.match(/^([^<>=]+)(<=|>=|<|>|=)(.+)$/) || [];
    const index = names.indexOf((name || "").toLowerCase());
    if (index < 0) return (row) => row.textContent.toLowerCase().includes(word.toLowerCase());
    const number = Number(value);
    return (row) => {
      const exact = row.cells[index].dataset.exact;
      if (exact === "") return false;
      if (!Number.isNaN(number)) return tests[sign](Number(exact), number);
      return sign === "=" && exact.toLowerCase() === value.toLowerCase();
    };
  };

  const filterRows = (holder) => {
    const heads = holder.querySelectorAll("thead th");
    const names = Array.from(heads, (head) => head.dataset.name.toLowerCase());
    const words = holder.querySelector(".filter").value.split(/\s+/).filter(Boolean);
    const wanted = words.map((word) => asTest(word, names));
    const rows = Array.from(holder.querySelector("tbody").rows);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !wanted.every((test) => test(row));
      if (!row.hidden) shown += 1;
    }
    holder.querySelector(".count").textContent = `${shown} of ${rows.length} rows`;
  };

  const offerColumns = (holder) => {
    const choices = holder.querySelector(".choices");
    if (!choices) return;
    const heads = Array.from(holder.querySelectorAll("thead th"));
    const rules = document.createElement("style");
    document.head.append(rules);
    const hide = () => {
      const boxes = Array.from(choices.querySelectorAll("input"));
      const hidden = boxes.map((box, index) => (box.checked ? "" : index + 1)).filter(Boolean);
      rules.textContent = hidden.map((n) => `#${holder.id} tr > :nth-child(${n}) { display: none; }`).join("\n");
    };
    for (const head of heads) {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = !("extra" in head.dataset);
      box.addEventListener("change", hide);
      label.title = head.title;
      label.append(box, ` ${head.textContent}`);
      choices.append(label);
    }
    hide();
  };

  for (const holder of document.querySelectorAll("div.table")) {
    holder.querySelector(".filter").addEventListener("input", () => filterRows(holder));
    for (const header of holder.querySelectorAll("thead th")) {
      header.querySelector(".sort").addEventListener("click", () => onSort(header));
    }
    offerColumns(holder);
    filterRows(holder);
  }

  // the exact value of a number that is rounded; not in the page twice
  document.addEventListener("mouseover", (event) => {
    const cell = event.target instanceof Element ? event.target.closest("td[data-exact]") : null;
    const { exact } = cell ? cell.dataset : {};
    if (exact && !cell.title && exact !== cell.textContent.trim()) cell.title = exact;
  });
})();
