/* genointerp::report-script: map and search */
"use strict";
(() => {
  const canvas = document.getElementById("map");
  if (!canvas) return;
  const held = document.getElementById("index-data");
  const data = held ? JSON.parse(held.textContent) : globalThis.genointerp.index;
  const n = data.feature.length;
  const pixels = 7, step = 100;
  const element = (id) => document.getElementById(id);
  const number = (value) => (value === null ? "" : Number(value.toPrecision(3)).toString());
  const name = (i) => `f/${data.feature[i]}${data.names[i] ? ` ${data.names[i]}` : ""}`;
  const said = (i) => `${name(i)}: ${data.label[i] ? `${data.label[i]}, F1 ${number(data.f1[i])}` : "no concept above its null"}`;
  const open = (i) => {
    if (!data.page[i]) return;
    if (data.page[i] === location.hash) window.dispatchEvent(new HashChangeEvent("hashchange"));
    else location.href = data.page[i];
  };

  // the map: a colour for each family of concepts, and a shape for each concept in it
  const outline = (...corners) => (g, x, y, r) => {
    corners.forEach(([a, b], k) => (k ? g.lineTo(x + a * r, y + b * r) : g.moveTo(x + a * r, y + b * r)));
    g.closePath();
  };
  const shapes = [
    ["\u25cf", (g, x, y, r) => g.arc(x, y, r, 0, 2 * Math.PI)],
    ["\u25b2", outline([0, -1.2], [1.2, 1], [-1.2, 1])],
    ["\u25a0", outline([-1, -1], [1, -1], [1, 1], [-1, 1])],
    ["\u25c6", outline([0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0])],
    ["\u25bc", outline([0, 1.2], [1.2, -1], [-1.2, -1])],
    ["\u271a", outline([-0.5, -1.3], [0.5, -1.3], [0.5, -0.5], [1.3, -0.5], [1.3, 0.5], [0.5, 0.5], [0.5, 1.3], [-0.5, 1.3], [-0.5, 0.5], [-1.3, 0.5], [-1.3, -0.5], [-0.5, -0.5])],
  ];
  const shape = (k) => shapes[data.shapes[k] % shapes.length];
  const colour = (k) => data.colors[k] || style("--line");
  const style = (variable) => getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  const span = (values) => {
    let low = Infinity, high = -Infinity;
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    return high > low ? [low, high] : [low - 1, high + 1];
  };
  const extent = { x: span(data.x), y: span(data.y) };
  // those without a concept lie below the others
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => data.class[b] - data.class[a]);
  let hits = null, current = -1;
  const at = (i) => {
    const room = 14, { clientWidth: width, clientHeight: height } = canvas;
    const [left, right] = extent.x, [low, high] = extent.y;
    return [
      room + ((data.x[i] - left) / (right - left)) * (width - 2 * room),
      height - room - ((data.y[i] - low) / (high - low)) * (height - 2 * room),
    ];
  };
  const draw = () => {
    const scale = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * scale;
    canvas.height = canvas.clientHeight * scale;
    const g = canvas.getContext("2d");
    g.scale(scale, scale);
    const radius = n > 5000 ? 1.5 : 3.2, ink = style("--ink");
    for (const i of order) {
      const [x, y] = at(i), k = data.class[i];
      g.globalAlpha = hits && !hits.has(i) ? 0.25 : 1;
      g.beginPath();
      shape(k)[1](g, x, y, radius);
      g.fillStyle = colour(k);
      g.fill();
    }
    g.globalAlpha = 1;
    g.strokeStyle = ink;
    const ring = (i, r, width) => { g.beginPath(); g.arc(...at(i), r, 0, 2 * Math.PI); g.lineWidth = width; g.stroke(); };
    if (hits && hits.size < n) for (const i of hits) ring(i, radius + 2.5, 1);
    if (current >= 0) ring(current, radius + 5, 2);
  };
  const tip = element("map-tip");
  const point = (i) => {
    current = i;
    tip.hidden = i < 0;
    canvas.style.cursor = i >= 0 && data.page[i] ? "pointer" : "default";
    if (i >= 0) {
      const [x, y] = at(i);
      tip.textContent = said(i);
      const left = Math.min(x + 10, canvas.clientWidth - tip.offsetWidth - 2);
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${y + 12}px`;
      element("map-now").textContent = said(i);
    }
    draw();
  };
  const nearest = (x, y) => {
    let best = -1, least = pixels ** 2;
    for (let i = 0; i < n; i += 1) {
      const [px, py] = at(i), distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) { best = i; least = distance; }
    }
    return best;
  };
  const towards = (dx, dy) => {
    if (!n) return -1;
    // features are added to the hits in their order
    if (current < 0) return hits && hits.size ? hits.values().next().value : 0;
    const [x, y] = at(current);
    let best = current, least = Infinity;
    for (let i = 0; i < n; i += 1) {
      const [px, py] = at(i), along = (px - x) * dx + (py - y) * dy;
      const across = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      if (i !== current && along > 0.5 && along >= across && along + 2 * across < least) { best = i; least = along + 2 * across; }
    }
    return best;
  };
  const over = (event) => {
    const box = canvas.getBoundingClientRect();
    return nearest(event.clientX - box.left, event.clientY - box.top);
  };
  canvas.addEventListener("mousemove", (event) => { const i = over(event); if (i !== current) point(i); });
  canvas.addEventListener("mouseleave", () => point(-1));
  canvas.addEventListener("click", (event) => { const i = over(event); point(i); if (i >= 0) open(i); });
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.key in ways) point(towards(...ways[event.key]));
    else if (event.key === "Enter" && current >= 0) open(current);
    else if (event.key === "Escape") point(-1);
    else return;
    event.preventDefault();
  });
  element("map-axes").textContent = `Across: ${data.axes[0]}; up: ${data.axes[1]}. ${n.toLocaleString("en")} features fire.`;
  const keys = [];
  data.classes.forEach((text, k) => {
    const size = data.class.filter((one) => one === k).length;
    if (!size) return;
    const item = document.createElement("span"), mark = document.createElement("span");
    [mark.textContent] = shape(k);
    item.append(mark, ` ${text} (${size.toLocaleString("en")})`);
    keys.push([mark, k]);
    element("map-legend").append(item);
  });
  const paint = () => { for (const [mark, k] of keys) mark.style.color = colour(k); draw(); };
  new ResizeObserver(draw).observe(canvas);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  paint();

  // the search: all words must be found; a number is that of a feature
  const hay = data.feature.map((feature, i) =>
    [name(i), data.label[i], ...(data.circuit ? [data.circuit[i]] : []), ...data.at[i].map((k) => data.words[k])].join("\n").toLowerCase());
  const fits = (i, word) => {
    const [, digits] = word.match(/^(?:f\/)?(\d+)$/) || [];
    return digits ? data.feature[i] === Number(digits) : hay[i].includes(word);
  };
  const rows = element("search-rows");
  let found = [], shown = 0;
  const cell = (row, text) => { const one = row.insertCell(); one.textContent = text; return one; };
  const more = () => {
    for (const i of found.slice(shown, shown + step)) {
      const row = rows.insertRow(), first = row.insertCell();
      row.dataset.at = data.feature[i];
      const label = document.createElement(data.page[i] ? "a" : "span");
      if (data.page[i]) { label.href = data.page[i]; label.className = "feature"; }
      label.textContent = name(i);
      first.append(label);
      cell(row, data.label[i]);
      for (const column of ["f1", "null", "q", "density"]) cell(row, number(data[column][i])).className = "number";
      if (data.circuit) cell(row, data.circuit[i]);
      if (data.words.length) {
        const words = data.at[i].map((k) => data.words[k]);
        const text = words.slice(0, 3).join("; ") + (words.length > 3 ? "; \u2026" : "");
        cell(row, text).title = words.join("; ");
      }
      row.addEventListener("mouseenter", () => point(i));
    }
    shown = Math.min(shown + step, found.length);
    element("search-more").hidden = shown >= found.length;
  };
  const search = () => {
    const words = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    found = [];
    for (let i = 0; i < n; i += 1) if (words.every((word) => fits(i, word))) found.push(i);
    hits = words.length ? new Set(found) : null;
    rows.replaceChildren();
    shown = 0;
    element("search-count").textContent = `${found.length.toLocaleString("en")} of ${n.toLocaleString("en")} features, best first`;
    more();
    point(-1);
  };
  element("search").addEventListener("input", search);
  element("search-more").addEventListener("click", more);
  search();
  window.genointerpMap = { at: (feature) => at(data.feature.indexOf(feature)), hits: () => (hits ? hits.size : n) };
})();
