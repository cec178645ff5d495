/* genointerp::report-script: label */
"use strict";
(() => {
  const form = document.getElementById("hand");
  if (!form) return;
  const { send } = globalThis.genointerp;
  const element = (id) => document.getElementById(id);
  const say = (text) => { element("hand-told").textContent = text; };
  const { feature, before } = form.dataset, own = { feature: Number(feature), before };
  // who labels is asked once in a browser
  const key = "genointerp-author", author = element("hand-author");
  author.value = localStorage.getItem(key) || "";

  const write = async (address, body) => {
    try {
      const answer = await send(address, body);
      if (answer) location.reload();
    } catch (error) {
      const again = ". Copy what you wrote, and open the page again to see what stands there now.";
      say(error.message + (error.status === 409 ? again : ""));
    }
  };
  element("hand-save").addEventListener("click", () => {
    const fields = [...form.querySelectorAll("[data-name]")];
    const value = (one) => (one.type === "number" ? Math.trunc(Number(one.value)) : one.value.trim());
    localStorage.setItem(key, author.value.trim());
    write("/label", { ...own, ...Object.fromEntries(fields.map((one) => [one.dataset.name, value(one)])) });
  });
  const remove = element("hand-remove");
  if (remove) remove.addEventListener("click", () => write("/unlabel", own));
})();
