// The faces of the genuine and of the impostor pairs nearest to a distance.

import { paint } from "../shared/bytes.js";
import { createFace, div, h, section } from "../shared/dom.js";
import { samePerson } from "../shared/words.js";

/** @typedef {import("./types").Pair} Pair */

const ASK = "Point at the densities to see the nearest pair of each kind; click a bar to see more of it.";

/** A pair in words: "same person, 0.412: matched". @param {Pair} pair @param {number} threshold */
export function pairWords({ distance, people, same }, threshold) {
  const near = samePerson(distance, threshold);
  const verdict = same ? (near ? "matched" : "a false non-match") : near ? "a false match" : "told apart";
  const who = same ? `same person (${people[0]})` : `different people (${people.join(" and ")})`;
  return `${who}, ${distance.toFixed(3)}: ${verdict}`;
}

/** @param {number} size of the faces in pixels */
export function createPairFaces(size) {
  /** @type {{pair: Pair, words: HTMLElement}[]} */
  let shown = [];
  const root = section("fr-pairs", "Faces of the nearest pairs", h("p", { class: "fr-sub", text: ASK }));
  root.tabIndex = 0; // it scrolls sideways

  /** Say again which side of the threshold they are on. @param {number} threshold */
  function judge(threshold) {
    for (const { pair, words } of shown) words.textContent = pairWords(pair, threshold);
  }

  return {
    root,
    judge,
    /** @param {Pair[]} pairs @param {DataView} frame their faces @param {number} threshold */
    show(pairs, frame, threshold) {
      shown = pairs.map((pair) => ({ pair, words: h("figcaption", { class: "fr-sub" }) }));
      root.replaceChildren(
        ...shown.map(({ pair, words }, place) => {
          const faces = [0, 1].map((side) => {
            const canvas = createFace(size);
            paint(canvas, frame, [size, size], 3 * size * size * (2 * place + side));
            return canvas;
          });
          const kind = pair.same ? "genuine" : "impostor";
          return h("figure", { class: `fr-pair-faces fr-${kind}` }, div("fr-row", ...faces), words);
        }),
      );
      judge(threshold);
    },
  };
}
