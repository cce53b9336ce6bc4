// Notices above a widget: errors of the kernel, a silent kernel, a lost kernel.

import { div, h } from "./dom.js";
import { joinPage, keepState, offerState } from "./view.js";

/** @typedef {import("./types").Model} Model */
/** @typedef {import("./types").Problem} Problem */

/** Both boxes remain in the page while hidden, so that screen readers announce text that appears in them. */
export function createNotices() {
  const error = h("div", { class: "fr-error", role: "alert", hidden: true });
  const banner = h("div", { class: "fr-banner", role: "status", hidden: true });
  return {
    root: div("fr-notices", banner, error),
    /** @param {Problem} problem empty to hide the box */
    showError(problem) {
      error.hidden = !problem.what;
      error.replaceChildren();
      if (!problem.what) return;
      error.append(h("strong", { text: problem.what }), " ");
      if (problem.why) error.append(h("code", { text: problem.why }), " ");
      if (problem.todo) error.append(h("span", { text: problem.todo }));
    },
    /** @param {string} text empty to hide the box */
    showBanner(text) {
      banner.hidden = !text;
      banner.textContent = text;
    },
  };
}

/** How long a kernel may take to answer a ping. Handlers run beside cells, so a busy kernel answers too. */
export const PING_MS = 1500;

/**
 * Report when the kernel of a view is lost and when it is available again. Jupyter reports that a connection changed, but
 * not how, so the kernel is asked. (Widgets are not told that a kernel was shut down or replaced; the notebook's
 * session, if there is one, reports that.) `el` shows the result as `data-kernel`, for styles and tests. The state of a
 * widget whose kernel is lost is shown as text and offered to the next widget in its place. Call this when the view is
 * in `el`.
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
  const offer = setTimeout(() => offerState(el, model), 300); // by then the host has inserted the view
  const tell = (/** @type {boolean} */ now) => {
    clearTimeout(timer);
    el.dataset.kernel = now ? "gone" : "there";
    if (now !== gone && !signal.aborted) {
      changed(now);
      forget();
      forget = now && !model.still ? keepState(el, model) : () => {};
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
  if (model.still) tell(true);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    clearTimeout(offer);
    exchanged?.disconnect(ask);
    model.off("comm_live_update", ask);
    model.off("change:pong", answered);
  });
}
