// Sent by `rebake dev` with every page, and never part of a file. It loads the
// page again when another version of it is public, and says what keeps it back.
(() => {
  const { path, version } = document.currentScript.dataset;
  const events = new EventSource("/_rebake/dev/events?" + new URLSearchParams({ path }));
  let overlay;

  events.onmessage = (message) => {
    const page = JSON.parse(message.data);
    if (page.version !== version) {
      events.close();
      location.reload();
      return;
    }
    show(page.problem);
  };
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", (e) => e.persisted && location.reload());

  function show(problem) {
    overlay?.remove();
    overlay = undefined;
    if (!problem) return;
    overlay = document.createElement("div");
    const text = document.createElement("pre"); // out of reach of the page's own styles
    text.textContent = problem + (version && "\n\nThis is the last good page.");
    text.style.cssText =
      "position:fixed;inset:auto 0 0 0;z-index:2147483647;margin:0;padding:1rem 1.25rem;max-height:60vh;overflow:auto;" +
      "background:#1c1917;color:#fecaca;border-top:4px solid #dc2626;font:14px/1.5 ui-monospace,monospace;white-space:pre-wrap";
    overlay.attachShadow({ mode: "open" }).append(text);
    document.documentElement.append(overlay);
  }
})();
