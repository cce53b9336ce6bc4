// The choice of an identity: a radio group of small faces, or a list if there are too many to show.

import { createSelect, div, h, uid } from "../shared/dom.js";

const MOST_FACES = 24;

/**
 * @param {string[]} names
 * @param {(place: number) => void} choose
 */
export function createPicker(names, choose) {
  return names.length > MOST_FACES ? asList(names, choose) : asFaces(names, choose);
}

/** @param {string[]} names @param {(place: number) => void} choose */
function asList(names, choose) {
  const { select, label } = createSelect(
    "Identity",
    names.map((name, place) => [place, name]),
    (place) => choose(Number(place)),
  );
  return {
    root: div("fr-people", label, select),
    /** @param {number} place */
    set(place) {
      select.value = String(place);
    },
    /** @param {(HTMLCanvasElement | undefined)[]} _thumbs */
    setThumbs(_thumbs) {},
    /** @param {boolean} off */
    disable(off) {
      select.disabled = off;
    },
  };
}

/** @param {string[]} names @param {(place: number) => void} choose */
function asFaces(names, choose) {
  const group = uid("identity");
  const root = h("fieldset", { class: "fr-people" }, h("legend", { class: "fr-hidden", text: "Identity" }));
  root.style.setProperty("--people", String(names.length));
  const pictures = names.map((name, place) => {
    const input = h("input", { type: "radio", name: group, value: place, "aria-label": `identity ${name}` });
    // not a canvas: a browser composes each of them again in every frame of a drag
    const face = h("i", { class: "fr-face", "aria-hidden": "true" });
    input.addEventListener("change", () => choose(place));
    root.append(
      h(
        "label",
        { class: "fr-person", title: `identity ${name}` },
        input,
        face,
        h("span", { class: "fr-one-line", text: name }),
      ),
    );
    return { input, face };
  });
  return {
    root,
    /** @param {number} place */
    set(place) {
      pictures[place].input.checked = true;
    },
    /** @param {(HTMLCanvasElement | undefined)[]} thumbs by place */
    setThumbs(thumbs) {
      pictures.forEach(({ face }, place) => {
        const thumb = thumbs[place];
        if (thumb) face.style.backgroundImage = `url(${thumb.toDataURL()})`;
      });
    },
    /** @param {boolean} off */
    disable(off) {
      root.disabled = off;
    },
  };
}
