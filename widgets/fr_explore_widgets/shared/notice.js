// What goes wrong, said where it happens: errors of the kernel, a silent kernel, a lost kernel.

import { h } from "./dom.js";
import { joinPage, keepState, offerState } from "./view.js";

/** @typedef {import("./types").Model} Model */
/** @typedef {import("./types").Problem} Problem */

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

/** How long a kernel may take to answer a ping: handlers run beside the cells, so a busy one answers too. */
export const PING_MS = 1500;

/**
 * Tell when the kernel behind a view is gone, and when it is there again. Jupyter says that a connection changed, not
 * which way; the kernel is asked. (Of a kernel that was shut down or exchanged it says nothing to the widgets: that is
 * heard from the notebook's session, where there is one.) `el` carries the answer as `data-kernel`, for styles and
 * tests. The state of a widget whose kernel is gone is shown as text and offered to the next one in its place. Call it
 * when the view stands in `el`.
 * @param {HTMLElement} el
 * @param {Model} model
 * @param {AbortSignal} signal
 * @param {(gone: boolean) => void} changed
 */
export function watchKernel(el, model, signal, changed) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let gone = false;
  let forget = () => {};
  joinPage(el, model, signal);
  const offer = setTimeout(() => offerState(el, model), 300); // the host has put the view in its place by then
  const tell = (/** @type {boolean} */ now) => {
    clearTimeout(timer);
    el.dataset.kernel = now ? "gone" : "there";
    if (now !== gone && !signal.aborted) {
      changed(now);
      forget();
      forget = now ? keepState(el, model) : () => {};
    }
    gone = now;
  };
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(() => tell(true), PING_MS);
    model.set("ping", (model.get("ping") ?? 0) + 1);
    model.save_changes();
  };
  const answered = () => tell(false);
  const exchanged = model.widget_manager?.context?.sessionContext?.kernelChanged;
  exchanged?.connect(ask);
  model.on("comm_live_update", ask);
  model.on("change:pong", answered);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    clearTimeout(offer);
    exchanged?.disconnect(ask);
    model.off("comm_live_update", ask);
    model.off("change:pong", answered);
  });
}
