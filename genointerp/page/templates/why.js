/* genointerp::report-script: why */
"use strict";
(() => {
  const section = document.getElementById("why");
  if (!section) return;
  const { ask, locus, workOf, heading, tableOf, filesOf } = globalThis.genointerp;
  const element = (id) => document.getElementById(id);
  const say = (text) => { element("why-told").textContent = text; };
  const most = Number(section.dataset.most), asking = workOf(section, say);

  const place = () => {
    const text = element("why-place").value.trim();
    if (!text) {
      const now = locus();
      if (!now) throw new Error("The browser shows no place yet.");
      const middle = Math.floor((now.start + now.end) / 2);
      return { chr: now.chr, start: middle, end: middle + 1 };
    }
    const [, chr, first, last] = text.match(/^(\S+):([\d,]+)(?:-([\d,]+))?$/) || [];
    if (!chr) throw new Error("A place is like seqid:base or seqid:first-last.");
    const read = (digits) => Number(digits.replaceAll(",", "")), start = read(first) - 1;
    const end = last ? read(last) : start + 1;
    if (end - start > most) throw new Error(`At most ${most} bases are explained at once.`);
    return { chr, start, end };
  };

  // a bar for each token: what the listed nodes there add to the number
  const strip = ({ strand, letters, sums }) => {
    const width = 12, half = 40, height = 2 * half + 16;
    const scale = Math.max(...sums.map(Math.abs)) || 1;
    const node = (name, values) => {
      const one = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(values)) one.setAttribute(key, value);
      return one;
    };
    const box = document.createElement("div"), picture = node("svg", {
      width: width * letters.length, height, role: "img", "aria-label": `attribution by token, read on ${strand}`,
    });
    box.className = "scroll";
    box.tabIndex = 0;
    letters.forEach((letter, i) => {
      const size = Math.abs(sums[i]) / scale * half, x = i * width;
      const bar = node("rect", { x: x + 1, y: sums[i] > 0 ? half - size : half, width: width - 2, height: size, class: sums[i] > 0 ? "plus" : "minus" });
      const title = node("title", {}), text = node("text", { x: x + width / 2, y: height - 3, class: "base" });
      title.textContent = `${letter}: ${sums[i].toPrecision(3)} nats`;
      text.textContent = letter;
      bar.append(title);
      picture.append(bar, text);
    });
    picture.append(node("line", { x1: 0, x2: width * letters.length, y1: half, y2: half, class: "axis" }));
    box.append(picture);
    box.scrollLeft = width * letters.length;
    return box;
  };

  element("ask-why").addEventListener("click", () => asking("/why", () => ({
    place: place(), strand: element("why-strand").value,
  }), async (job) => {
    const found = await ask(`/jobs/${job}/reasons`, {});
    if (!found) return;
    const parts = found.strands.flatMap((one) => {
      const said = document.createElement("p");
      said.textContent = one.said;
      return [heading(`Read on ${one.strand}`), said, strip(one), tableOf(one.nodes)];
    });
    element("reasons").replaceChildren(...parts, heading("In sum"), tableOf(found.sums), filesOf(job, ["nodes.tsv", "sums.tsv"]));
    for (const box of element("reasons").querySelectorAll(".scroll")) if (box.querySelector("svg")) box.scrollLeft = box.scrollWidth;
    say(found.said);
  }));
})();
