/* Browsers start no worker from a page on disk: there the search runs in a hidden frame instead. */
if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise((started) => {
        frame.addEventListener("load", () => started(this.start(frame.contentWindow, url)), { once: true });
      });
      document.body.append(frame);
    }

    async start(inside, url) {
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      inside.importScripts = async (...urls) => {
        for (const one of urls) await load(inside.document, one);
      };
      await load(inside.document, url);
      return inside;
    }

    async postMessage(data) {
      const inside = await this.ready;
      inside.dispatchEvent(new MessageEvent("message", { data }));
    }
  };

  const load = (page, url) =>
    new Promise((loaded) => {
      const script = page.createElement("script");
      script.src = url;
      script.addEventListener("load", loaded);
      page.body.append(script);
    });
}
