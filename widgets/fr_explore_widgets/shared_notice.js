// What goes wrong, said where it happens: errors of the kernel, a silent kernel, a lost kernel.

import { h } from "./shared_dom.js";

/** @typedef {import("./shared_types").Problem} Problem */

/** Both boxes stay in the page while hidden, so that screen readers announce what appears in them. */
export function createNotices() {
  const error = h("div", { class: "fr-error", role: "alert", hidden: true });
  const banner = h("div", { class: "fr-banner", role: "status", hidden: true });
  return {
    root: h("div", { class: "fr-notices" }, banner, error),
    /** @param {Problem} problem empty: all is well again */
    showError(problem) {
      error.hidden = !problem.what;
      error.replaceChildren();
      if (!problem.what) return;
      error.append(h("strong", { text: problem.what }), " ");
      if (problem.why) error.append(h("code", { text: problem.why }), " ");
      if (problem.todo) error.append(h("span", { text: problem.todo }));
    },
    /** @param {string} text empty: nothing to say */
    showBanner(text) {
      banner.hidden = !text;
      banner.textContent = text;
    },
  };
}

/**
 * Tell when the kernel behind a view is gone, and when it is there. Jupyter marks views of dead models with a class;
 * the event alone does not say which way it went.
 * @param {HTMLElement} el the host's element
 * @param {{on: (event: string, callback: () => void) => void}} model
 * @param {AbortSignal} signal
 * @param {(gone: boolean) => void} changed
 */
export function watchKernel(el, model, signal, changed) {
  let last = false;
  const look = () => {
    const gone = el.closest(".jupyter-widgets-disconnected") !== null;
    if (gone !== last) changed(gone);
    last = gone;
  };
  model.on("comm_live_update", () => setTimeout(look, 0));
  const observer = new MutationObserver(look);
  observer.observe(el, { attributes: true, attributeFilter: ["class"] });
  if (el.parentElement) observer.observe(el.parentElement, { attributes: true, attributeFilter: ["class"] });
  signal.addEventListener("abort", () => observer.disconnect());
  look();
}
