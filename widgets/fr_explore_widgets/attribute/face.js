// A face with its caption.

import { paint } from "../shared/bytes.js";
import { h, setText } from "../shared/dom.js";

/** @param {string} title @param {number} size */
export function createPicture(title, size) {
  const canvas = h("canvas", {
    class: "fr-face",
    width: size,
    height: size,
    role: "img",
    "aria-label": title,
  });
  const caption = h("span", { class: "fr-sub fr-one-line" });
  const figure = h("figure", {}, canvas, h("figcaption", {}, h("b", { text: title }), caption));
  /** @type {DataView | null} */
  let shown = null;
  return {
    figure,
    canvas,
    /** Paint raw RGB bytes, unless they are shown already. @param {DataView} view @param {[number, number]} shape */
    show(view, shape) {
      if (view !== shown) paint(canvas, view, shape);
      shown = view;
    },
    /** Say whose face it is. @param {string} words */
    name(words) {
      canvas.setAttribute("aria-label", `${title}: ${words}`);
      setText(caption, words);
      caption.title = words;
    },
    /** @param {Uint8ClampedArray<ArrayBuffer>} pixels @param {number} side */
    put(pixels, side) {
      if (canvas.width !== side) [canvas.width, canvas.height] = [side, side];
      canvas.getContext("2d")?.putImageData(new ImageData(pixels, side, side), 0, 0);
    },
  };
}
