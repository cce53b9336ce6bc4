// A widget's views in a page: their number, the saved picture that they replace, the state saved from a lost kernel.

import { button, div, h, uid } from "./dom.js";

/** @typedef {import("./types").Model} Model */

/** Call back on changes of traits until the view is closed.
 * @param {Model} model @param {AbortSignal} signal @param {Record<string, () => void>} callbacks by trait */
export function listen(model, signal, callbacks) {
  for (const [name, callback] of Object.entries(callbacks)) model.on(`change:${name}`, callback);
  signal.addEventListener("abort", () => {
    for (const [name, callback] of Object.entries(callbacks)) model.off(`change:${name}`, callback);
  });
}

/** When a cell is run again, Jupyter clears its output and fills it within this time. */
export const UNSEEN_MS = 2500;

/** Views in this page, by the widget's token. @type {Map<string, number>} */
const views = new Map();

/** @param {Model} model @param {string} name @param {unknown} value */
function send(model, name, value) {
  try {
    model.set(name, value);
    model.save_changes();
  } catch {
    // the widget was closed meanwhile
  }
}

/**
 * Count this view. While a view exists, the saved picture of the widget is hidden. When the last view is gone, the kernel
 * is notified, unless the whole notebook was closed: then the widget waits until it is opened again.
 * @param {HTMLElement} el
 * @param {Model} model
 * @param {AbortSignal} signal
 */
export function joinPage(el, model, signal) {
  const token = /** @type {string | undefined} */ (model.get("token"));
  if (!token) return;
  views.set(token, (views.get(token) ?? 0) + 1);
  const still = `[data-fr="${CSS.escape(token)}"]`;
  const style = h("style", { text: `${still}, .jp-OutputArea-child:has(${still}) { display: none; }` });
  document.head.append(style);
  /** @type {Element} */
  let around = document.documentElement;
  const look = () => {
    if (el.isConnected) around = el.closest(".jp-Notebook") ?? around;
    else if (!signal.aborted) requestAnimationFrame(look);
  };
  look();
  const here = () => send(model, "here", model.get("roll"));
  model.on("change:roll", here);
  if (model.get("roll") > model.get("here")) here(); // photographs wait for it
  signal.addEventListener("abort", () => {
    model.off("change:roll", here);
    style.remove();
    views.set(token, (views.get(token) ?? 1) - 1);
    setTimeout(() => {
      if (views.get(token) !== 0 || !around.isConnected) return;
      views.delete(token);
      send(model, "unseen", (model.get("unseen") ?? 0) + 1);
    }, UNSEEN_MS);
  });
}

/** @typedef {{kind: string, notebook: string, place: number, state: Record<string, unknown>}} Left */

/** The states saved from lost kernels, shared by all modules of this page. @returns {Left[]} */
function left() {
  const page = /** @type {{frExploreLeft?: Left[]}} */ (globalThis);
  page.frExploreLeft ??= [];
  return page.frExploreLeft;
}

/** @param {HTMLElement} el @param {Model} model */
function placeOf(el, model) {
  const cell = el.closest(".jp-Cell");
  return {
    kind: String(model.get("_anywidget_id")),
    notebook: el.closest(".jp-NotebookPanel")?.id ?? "",
    place: cell?.parentElement ? [...cell.parentElement.children].indexOf(cell) : -1,
  };
}

/** The state saved from a widget of this kind in this cell, else from the only one of this kind in this notebook.
 * @param {Left[]} all @param {Omit<Left, "state">} own @returns {Left | undefined} */
export function leftBehind(all, { kind, notebook, place }) {
  const alike = all.filter((one) => one.kind === kind && one.notebook === notebook);
  return alike.find((one) => one.place === place) ?? (alike.length === 1 ? alike[0] : undefined);
}

/** Show the state as text, and save it for the widget that replaces this one. Returns a function that hides it.
 * @param {HTMLElement} el @param {Model} model */
export function keepState(el, model) {
  const state = /** @type {Record<string, unknown>} */ (model.get("state") ?? {});
  if (!Object.keys(state).length) return () => {};
  const own = { ...placeOf(el, model), state };
  const all = left().filter((one) => JSON.stringify({ ...one, state }) !== JSON.stringify(own));
  left().splice(0, left().length, ...all, own);
  const id = uid("bookmark");
  const text = h("input", {
    id,
    type: "text",
    readonly: true,
    class: "fr-text",
    value: JSON.stringify(state),
  });
  const copy = button("Copy", "copy", async () => {
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Selected: press Ctrl+C"; // no permission, or not a secure page
    }
  });
  const words = "The state, restored when the cell is run again; as text for .bookmark:";
  const box = div("fr-bookmark fr-actions", h("label", { for: id, text: words }), text, copy);
  el.querySelector(".fr-notices")?.append(box);
  return () => box.remove();
}

/** Offer the state saved from a lost kernel to the widget that replaces the lost one.
 * @param {HTMLElement} el @param {Model} model */
export function offerState(el, model) {
  const found = leftBehind(left(), placeOf(el, model));
  if (!found || JSON.stringify(found.state) === JSON.stringify(model.get("state"))) return;
  const done = () => {
    left().splice(left().indexOf(found), 1);
    box.remove();
  };
  const restore = () => {
    send(model, "request", { client: uid("restore"), seq: 1, action: "restore", state: found.state });
    done();
  };
  const box = div(
    "fr-bookmark fr-actions",
    h("span", { text: "The kernel was restarted." }),
    button("Restore the last state", "restore", restore),
    button("Start over", "afresh", done),
  );
  el.querySelector(".fr-notices")?.append(box);
}
