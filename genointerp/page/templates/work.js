/* genointerp::report-script: work */
"use strict";
(() => {
  // what the model is asked for, and how its answers are shown; one question at a time of this page
  const shared = globalThis.genointerp, { ask, send, fill } = shared;
  const pause = 300;
  let current = null;

  shared.sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });
  /** Ask for work from a section of the page, which has a line for progress; `show` gets its number. */
  shared.workOf = (section, say) => {
    const line = section.querySelector(".job"), bar = line.querySelector("progress"), told = line.querySelector("span");
    const follow = async (asked) => {
      line.hidden = false;
      for (let now = asked; ; now = await ask(`/jobs/${asked.job}`, {})) {
        if (!now) return false;
        if (now.total) { bar.max = now.total; bar.value = now.done; } else bar.removeAttribute("value");
        const ahead = now.ahead ? `${now.ahead} before it` : "with the model";
        told.textContent = now.total ? `${now.done} of ${now.total}` : ahead;
        if (now.state === "failed") throw new Error(now.error);
        if (now.state === "cancelled") throw new Error("Cancelled.");
        if (now.state === "done") return true;
        await shared.sleep(pause);
      }
    };
    line.querySelector("button").addEventListener("click", () => {
      if (current) send("/cancel", { job: current }).catch((error) => say(error.message));
    });
    return async (address, body, show) => {
      if (current !== null) { say("One question after the other: cancel the one that runs, or wait for it."); return; }
      current = 0;
      say("");
      try {
        const answer = await send(address, body());
        if (!answer) return;
        const asked = await answer.json();
        current = asked.job;
        if (await follow(asked)) await show(asked.job);
      } catch (error) { say(error.message); } finally {
        current = null;
        line.hidden = true;
      }
    };
  };

  shared.heading = (text) => {
    const one = document.createElement("h3");
    one.textContent = text;
    return one;
  };
  shared.tableOf = ({ columns, rows }) => {
    const holder = document.createElement("div"), one = document.createElement("table");
    holder.className = "scroll found";
    holder.tabIndex = 0;
    const head = one.createTHead().insertRow();
    for (const column of columns) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = column.name.replaceAll("_", " ");
      cell.title = column.text;
      head.append(cell);
    }
    const bases = (text) => {
      const letters = document.createElement("code");
      letters.textContent = text;
      return letters;
    };
    const page = (feature) => {
      const link = document.createElement("a");
      link.href = `/features/${feature}.html`;
      link.textContent = feature;
      return link;
    };
    fill(one.createTBody(), rows.map((row) => row.map((cell, i) => {
      if (columns[i].name === "sequence") return bases(cell);
      if (columns[i].name === "feature" && cell !== null) return page(cell);
      return cell === null ? "" : cell;
    })));
    holder.append(one);
    return holder;
  };
  shared.filesOf = (job, names) => {
    const line = document.createElement("p");
    line.append("Files: ");
    for (const file of names) {
      const link = document.createElement("a");
      link.href = `/jobs/${job}/files/${file}`;
      link.download = file;
      link.textContent = file;
      line.append(link, " ");
    }
    return line;
  };
})();
