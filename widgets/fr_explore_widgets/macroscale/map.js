// The map of the images, coloured by the attribute, with the picture of the image under the pointer.

import { paint } from "../shared/bytes.js";
import { div, h, section, term } from "../shared/dom.js";
import { createCard, createMap } from "../shared/map.js";
import { GLOSSARY } from "../shared/words.js";

/** @typedef {import("./types").Attribute} Attribute */
/** @typedef {import("./types").Row} Row */
/** @typedef {import("./types").Setup} Setup */

/** The kind of point of each image: 0 without, 1 with, 2 unknown. @param {Int8Array} signs */
export function kindsOf(signs) {
  return Uint8Array.from(signs, (sign) => (sign < 0 ? 0 : sign > 0 ? 1 : 2));
}

/** @param {AbortSignal} signal @param {Setup} setup @param {(place: number) => void} ask for a picture */
export function createImageMap(signal, setup, ask) {
  const card = createCard();
  /** @type {Int8Array} */
  let signs = new Int8Array(setup.shown);
  let label = "";
  let pointed = -1;
  const map = createMap({ signal, label: "Map of the images", onHover: hover, onChoose: hover });
  map.root.append(card.root);
  const key = h("ul", { class: "fr-map-key fr-legend" });
  const note = h("p", { class: "fr-sub" });
  const foot = div("fr-map-foot fr-flow", key, note);
  const root = section("fr-map fr-stack", "Map", map.root, foot);

  /** @param {number} i */
  function hover(i) {
    pointed = i;
    if (i < 0) return card.show("");
    const what = { 1: `with ${label}`, "-1": `without ${label}`, 0: `${label} unknown` }[String(signs[i])];
    card.show(`person ${setup.names[i]}, ${what}`);
    if (setup.pictures) ask(i);
  }

  return {
    root,
    foot,
    /** @param {Float32Array} xy */
    setPoints: (xy) => map.setPoints(xy),
    /** The answer to `ask`. @param {number} place @param {DataView} pixels @param {[number, number]} shape */
    picture(place, pixels, shape) {
      if (place === pointed) card.face.hidden = !paint(card.face, pixels, shape);
    },
    /** @param {Attribute} attribute @param {Int8Array} next @param {Row | undefined} row */
    show(attribute, next, row) {
      signs = next;
      label = attribute.label;
      map.setLook({
        kind: kindsOf(signs),
        kinds: [
          { color: "soft", shape: "square", hollow: true },
          { color: attribute.color, shape: "circle" },
          { color: "soft", shape: "cross" },
        ],
        radius: setup.shown > 1500 ? 3 : 4,
      });
      const entries = /** @type {[string, string, number | undefined][]} */ ([
        ["with", `with ${label}`, row?.positive],
        ["without", "without", row?.negative],
        ["unknown", "unknown", row?.unknown],
      ]);
      key.replaceChildren(
        ...entries
          .filter(([kind, , n]) => kind !== "unknown" || n)
          .map(([kind, text, n]) =>
            h("li", { class: `fr-kind-${kind}` }, h("i"), n === undefined ? text : `${text}: ${n} images`),
          ),
      );
      map.describe(`Map of ${setup.shown} images, coloured by ${label}`);
    },
    /** @param {"pca" | "umap"} projection */
    explain(projection) {
      const some =
        setup.shown < setup.images ? `; ${setup.shown} of ${setup.images} images, a random sample` : "";
      note.replaceChildren(
        ...(projection === "umap"
          ? [`UMAP: neighbours remain neighbours, distances between groups mean little${some}`]
          : [term(setup.caption.slice(0, 14), GLOSSARY["PCA projection"]), setup.caption.slice(14) + some]),
      );
    },
  };
}
