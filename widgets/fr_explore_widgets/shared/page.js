// A widget in a page of its own: restores the state of the link, and offers a link to the current one.

import { button, h } from "./dom.js";
import { createModel } from "./page_model.js";

/** @typedef {import("./types").Model} Model */
/** @typedef {{render: (context: {model: Model, el: HTMLElement}) => void}} Widget */

/** A state as the part of a link after "#". core/bookmark.py reads it in a notebook. @param {object} state */
export function toHash(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  const text = btoa(String.fromCharCode(...bytes));
  return `#state=${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** The state in a link or in the text of a notebook's bookmark; null if there is none. @param {string} text */
export function fromHash(text) {
  try {
    const found = text.match(/#state=([\w-]+)/);
    if (!found) return JSON.parse(decodeURIComponent(text.replace(/^#/, "")));
    const letters = atob(found[1].replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(letters, (one) => one.charCodeAt(0))));
  } catch {
    return null;
  }
}

/** The link to the current state, copied with one tap. @param {Model} model */
function createCopy(model) {
  const text = h("input", { type: "text", readonly: true, hidden: true, "aria-label": "Link to this state" });
  const node = button("Copy this state", "copy", async () => {
    const hash = toHash(model.get("state"));
    text.value = location.href.replace(/#.*/, "") + hash;
    history.replaceState(null, "", hash);
    try {
      await navigator.clipboard.writeText(text.value);
      node.textContent = "Copied: the link restores this state";
    } catch {
      // no permission, or a frame: the reader copies it
      text.hidden = false;
      text.select();
      node.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => {
      node.textContent = "Copy this state";
    }, 4000);
  });
  return [node, text];
}

/** @typedef {(page: import("./page_model").Page) => import("./page_model").Kernel} CreateKernel */

/**
 * The model of a page that is kept in the state of a widget, with the state in which the widget was saved.
 * @param {import("./page_model").Data} data @param {object | undefined} state @param {CreateKernel} [createKernel]
 */
export async function keptModel(data, state, createKernel) {
  const model = await createModel(data, createKernel);
  if (state && JSON.stringify(state) !== JSON.stringify(model.get("state"))) model.set("state", state);
  return Object.assign(model, { note: data.note });
}

/** @param {Widget} widget @param {CreateKernel} [createKernel] of a live page */
export async function openPage(widget, createKernel) {
  const holder = /** @type {HTMLElement} */ (document.getElementById("data"));
  const data = JSON.parse(holder.textContent ?? "");
  holder.remove(); // frees its text
  const model = await createModel(data, createKernel);
  Object.assign(globalThis, { frExploreModel: model }); // for the console and for tests
  const el = /** @type {HTMLElement} */ (document.getElementById("widget"));
  const restore = () => {
    const state = fromHash(location.hash);
    if (state && typeof state === "object") model.set("state", state);
  };
  restore();
  addEventListener("hashchange", restore);
  await widget.render({ model, el });
  document.querySelector(".fr-still")?.remove();
  const foot = document.querySelector(".fr-page");
  if (Object.keys(model.get("state") ?? {}).length) foot?.append(...createCopy(model));
  foot?.append(h("span", { text: data.note }));
  // in a frame: report the height, so that the surrounding page can make room
  const tell = () => parent.postMessage({ frExploreHeight: document.body.offsetHeight }, "*");
  if (parent !== window) new ResizeObserver(tell).observe(document.body);
}
