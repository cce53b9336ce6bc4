// The faces of the genuine and of the impostor pair nearest to a distance.

import { paint } from "../shared/bytes.js";
import { createFace, div, h, section } from "../shared/dom.js";
import { samePerson } from "../shared/words.js";

/** @typedef {import("./types").Pair} Pair */

const KINDS = /** @type {const} */ ([
  ["genuine", "same person", ["matched", "a false non-match"]],
  ["impostor", "different people", ["a false match", "told apart"]],
]);
const ASK = "Point at the densities, or move the threshold, to see the nearest pair of each kind.";

/** A pair in words: "same person, 0.412: matched". @param {0 | 1} kind @param {Pair} pair @param {number} threshold */
export function pairWords(kind, { distance, people }, threshold) {
  const [, name, [near, far]] = KINDS[kind];
  const who = kind ? `${people[0]} and ${people[1]}` : people[0];
  return `${name} (${who}), ${distance.toFixed(3)}: ${samePerson(distance, threshold) ? near : far}`;
}

/** @param {number} size of the faces in pixels */
export function createPairFaces(size) {
  const ask = h("p", { class: "fr-sub", text: ASK });
  const views = KINDS.map(([kind]) => {
    const faces = [createFace(size), createFace(size)];
    const words = h("figcaption", { class: "fr-sub" });
    const root = h(
      "figure",
      { class: `fr-pair-faces fr-${kind}`, hidden: true },
      div("fr-row", ...faces),
      words,
    );
    return { root, faces, words };
  });
  /** @type {(Pair | null)[]} */
  let shown = [];
  const root = section("fr-pairs", "Faces of the nearest pairs", ask, ...views.map((view) => view.root));

  /** Say again which side of the threshold they are on. @param {number} threshold */
  function judge(threshold) {
    views.forEach(({ words }, kind) => {
      const pair = shown[kind];
      if (pair) words.textContent = pairWords(/** @type {0 | 1} */ (kind), pair, threshold);
    });
  }

  return {
    root,
    judge,
    /** @param {(Pair | null)[]} pairs @param {DataView} frame the faces of those that exist @param {number} threshold */
    show(pairs, frame, threshold) {
      shown = pairs;
      ask.hidden = pairs.some(Boolean);
      let place = 0;
      views.forEach(({ root, faces }, kind) => {
        root.hidden = !pairs[kind];
        if (root.hidden) return;
        for (const canvas of faces) paint(canvas, frame, [size, size], 3 * size * size * place++);
      });
      judge(threshold);
    },
  };
}
