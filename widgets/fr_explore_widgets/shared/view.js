// A view among others: how many show one widget, the static picture they replace, the state that a lost kernel leaves.

import { button, h, uid } from "./dom.js";

/** @typedef {import("./types").Model} Model */

/** Hear of the changes of traits for as long as the view lives.
 * @param {Model} model @param {AbortSignal} signal @param {Record<string, () => void>} callbacks by trait */
export function listen(model, signal, callbacks) {
  for (const [name, callback] of Object.entries(callbacks)) model.on(`change:${name}`, callback);
  signal.addEventListener("abort", () => {
    for (const [name, callback] of Object.entries(callbacks)) model.off(`change:${name}`, callback);
  });
}

/** Jupyter clears an output and fills it again within this time when a cell is run again. */
export const UNSEEN_MS = 2500;

/** Views in this page, by the widget's token. @type {Map<string, number>} */
const views = new Map();

/** @param {Model} model @param {string} name @param {unknown} value */
function send(model, name, value) {
  try {
    model.set(name, value);
    model.save_changes();
  } catch {
    // the widget was closed meanwhile: nobody is left to tell
  }
}

/**
 * Count this view: while there is one, the picture that stands in for the widget is hidden; when the last one is gone,
 * the kernel is told so, unless the whole notebook went: then the widget waits for it to be opened again.
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

/** What lost kernels left, for all modules of this page. @returns {Left[]} */
function left() {
  const page = /** @type {{frExploreLeft?: Left[]}} */ (globalThis);
  page.frExploreLeft ??= [];
  return page.frExploreLeft;
}

/** @param {HTMLElement} el @param {Model} model */
function whereabouts(el, model) {
  const cell = el.closest(".jp-Cell");
  return {
    kind: String(model.get("_anywidget_id")),
    notebook: el.closest(".jp-NotebookPanel")?.id ?? "",
    place: cell?.parentElement ? [...cell.parentElement.children].indexOf(cell) : -1,
  };
}

/** What a widget like this one left in this cell; failing that, the only one of its kind in this notebook.
 * @param {Left[]} all @param {Omit<Left, "state">} own @returns {Left | undefined} */
export function leftBehind(all, { kind, notebook, place }) {
  const alike = all.filter((one) => one.kind === kind && one.notebook === notebook);
  return alike.find((one) => one.place === place) ?? (alike.length === 1 ? alike[0] : undefined);
}

/** Show the state as text, and keep it for the widget that is made when the cell is run again. Returns its end.
 * @param {HTMLElement} el @param {Model} model */
export function keepState(el, model) {
  const state = /** @type {Record<string, unknown>} */ (model.get("state") ?? {});
  if (!Object.keys(state).length) return () => {};
  const own = { ...whereabouts(el, model), state };
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
      copy.textContent = "Selected: copy it by key"; // no permission, or a page that is not secure
    }
  });
  const words = "Its state, which the widget brings back when the cell is run again; as text, for .bookmark:";
  const box = h("div", { class: "fr-bookmark" }, h("label", { for: id, text: words }), text, copy);
  el.querySelector(".fr-notices")?.append(box);
  return () => box.remove();
}

/** Offer the state that a lost kernel left to the widget that now stands in its place.
 * @param {HTMLElement} el @param {Model} model */
export function offerState(el, model) {
  const found = leftBehind(left(), whereabouts(el, model));
  if (!found || JSON.stringify(found.state) === JSON.stringify(model.get("state"))) return;
  const done = () => {
    left().splice(left().indexOf(found), 1);
    box.remove();
  };
  const restore = () => {
    send(model, "request", { client: uid("restore"), seq: 1, action: "restore", state: found.state });
    done();
  };
  const box = h(
    "div",
    { class: "fr-bookmark" },
    h("span", { text: "The kernel was restarted." }),
    button("Bring back the last state", "restore", restore),
    button("Start afresh", "afresh", done),
  );
  el.querySelector(".fr-notices")?.append(box);
}
