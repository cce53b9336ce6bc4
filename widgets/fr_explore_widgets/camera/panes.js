// A face on its pane, where it comes from, and what can be done with it.

import { button, createFace, div, h } from "../shared/dom.js";

/** @typedef {import("../engine/types").Portrait} Portrait */
/** @typedef {import("./types").Pane} Pane */

export const NAMES = ["A", "B"];
const SIZE = 160;

/**
 * Which face of a picture each pane shows: its place among the found ones, or -1. Two faces lie as in a mirror.
 * @param {Pick<Pane, "mode">[]} panes @param {Pick<Portrait, "box">[]} found the largest first
 */
export function assign(panes, found) {
  const following = panes.filter(({ mode }) => mode === "follow").length;
  const middle = (/** @type {number} */ i) => found[i].box[0] + found[i].box[2];
  const order = found.map((_, i) => i).slice(0, following);
  order.sort((a, b) => middle(b) - middle(a));
  return panes.map(({ mode }) => (mode === "follow" ? (order.shift() ?? -1) : -1));
}

/** Where the face comes from, in words. @param {Pane} pane @param {boolean} live whether the camera runs */
export function origin({ mode, portrait, name }, live) {
  if (mode === "file") return name;
  if (mode === "held") return "held from the camera";
  if (portrait) return "live from the camera";
  return live ? "no face in view" : "no face yet";
}

/** @param {HTMLCanvasElement} canvas @param {Portrait | null} portrait */
export function paintPortrait(canvas, portrait) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (!portrait) return context.clearRect(0, 0, SIZE, SIZE);
  const image = context.createImageData(SIZE, SIZE);
  const { data } = portrait.picture;
  for (let i = 0, o = 0; o < image.data.length; i += 3, o += 4) {
    image.data[o] = 255 * data[i] + 0.5;
    image.data[o + 1] = 255 * data[i + 1] + 0.5;
    image.data[o + 2] = 255 * data[i + 2] + 0.5;
    image.data[o + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/**
 * @param {number} place
 * @param {{onFiles: (files: FileList | null | undefined) => void, onHold: () => void, onClear: () => void}} actions
 */
export function createPane(place, { onFiles, onHold, onClear }) {
  const name = NAMES[place];
  const file = h("input", { type: "file", accept: "image/*", hidden: true, tabindex: -1 });
  const canvas = createFace(SIZE);
  const from = h("span", { class: "fr-sub fr-one-line" });
  const choose = button("Choose a picture", "choose", () => file.click());
  const hold = button("Hold", "hold", onHold);
  const clear = button("Clear", "clear", onClear);
  choose.setAttribute("aria-label", `Choose a picture for face ${name}`);
  clear.setAttribute("aria-label", `Clear face ${name}`);
  const root = h(
    "section",
    { class: "fr-pane", "aria-label": `Face ${name}`, "data-pane": name },
    h("h3", { class: "fr-row" }, h("span", { text: `Face ${name}` }), from),
    div("fr-plate", canvas),
    div("fr-actions", choose, hold, clear),
    file,
  );
  file.addEventListener("change", () => {
    onFiles(file.files);
    file.value = ""; // the same file can be chosen again
  });
  const over = (/** @type {boolean} */ now) => root.classList.toggle("fr-over", now);
  root.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  root.addEventListener("dragleave", () => over(false));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    onFiles(event.dataTransfer?.files);
  });

  return {
    root,
    canvas,
    /** @param {Pane} pane @param {boolean} live */
    show(pane, live) {
      const { mode, portrait } = pane;
      from.textContent = origin(pane, live);
      from.title = from.textContent;
      root.dataset.mode = mode;
      root.dataset.face = portrait ? "yes" : "no";
      hold.hidden = !live || (mode === "follow" && !portrait);
      hold.textContent = mode === "follow" ? "Hold" : "Follow the camera";
      clear.hidden = mode === "follow";
    },
  };
}
