// A face with its caption.

import { h } from "../shared/dom.js";

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
  return { figure, canvas, caption };
}
