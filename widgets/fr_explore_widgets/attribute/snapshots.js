// Two stored faces, side by side: their distance and their differences.

import { paint } from "../shared/bytes.js";
import { button, createFace, div, h, section } from "../shared/dom.js";
import { formatValue, sameOne, verdict } from "../shared/words.js";

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("./types").Card} Card */
/** @typedef {import("./types").Snapshot} Snapshot */
/** @typedef {import("./types").Snapshots} Snapshots */

const NAMES = /** @type {const} */ (["A", "B"]);

/** The attributes in which two stored faces differ. @param {Attribute[]} attributes @param {Snapshot} a @param {Snapshot} b */
export function differences(attributes, a, b) {
  return attributes
    .filter(({ name }) => Math.abs(a.strengths[name] - b.strengths[name]) > 1e-9)
    .map((one) => ({
      label: one.label,
      from: formatValue(one, a.strengths[one.name]),
      to: formatValue(one, b.strengths[one.name]),
    }));
}

/**
 * @param {{attributes: Attribute[], people?: (number | null)[]}} setup
 * @param {(place: number) => string} nameOf
 * @param {(command: {action: string, snapshot?: string}) => void} send
 */
export function createSnapshots({ attributes, people }, nameOf, send) {
  const stores = NAMES.map((snapshot) =>
    button(`Keep as ${snapshot}`, `store${snapshot}`, () => send({ action: "store", snapshot })),
  );
  for (const store of stores) store.title = "Keep this face, to compare it with another one";
  const clear = button("Clear", "forget", () => send({ action: "forget" }));
  const faces = NAMES.map((snapshot) => {
    const canvas = createFace(64);
    const onclick = () => send({ action: "recall", snapshot });
    const label = { "aria-label": `Show ${snapshot} again` };
    const recall = h(
      "button",
      { type: "button", class: "fr-recall", hidden: true, onclick, ...label },
      canvas,
    );
    return { recall, canvas };
  });
  const words = h("p", { class: "fr-ab-words" });
  const root = section(
    "fr-ab",
    "Snapshots A and B",
    div("fr-actions", ...NAMES.flatMap((_, i) => [stores[i], faces[i].recall]), clear),
    words,
  );

  return {
    root,
    /** @param {Snapshots} stored @param {DataView} frame both pictures, one after the other @param {Card} card */
    show(stored, frame, card) {
      let from = 0;
      NAMES.forEach((name, i) => {
        const snapshot = stored[name];
        faces[i].recall.hidden = !snapshot;
        if (!snapshot) return;
        paint(faces[i].canvas, frame, snapshot.shape, from);
        from += 3 * snapshot.shape[0] * snapshot.shape[1];
        faces[i].recall.setAttribute("aria-label", `Show ${name} again: identity ${nameOf(snapshot.place)}`);
        faces[i].recall.title = `Show ${name} again`;
      });
      clear.hidden = !stored.A && !stored.B;
      words.textContent = "";
      if (!stored.A || !stored.B || stored.distance === undefined) {
        if (stored.A || stored.B)
          words.textContent = `Keep another face as ${stored.A ? "B" : "A"} to compare the two.`;
        return;
      }
      const sameIdentity = sameOne(people, stored.A.place, stored.B.place);
      const { threshold, margin } = card;
      const { text } = verdict({ distance: stored.distance, threshold, sameIdentity, margin });
      const equal = stored.distance < 1e-9 ? "The two are the same face." : text;
      words.textContent = `A to B: ${stored.distance.toFixed(3)}. ${equal}`;
      const changed = differences(attributes, stored.A, stored.B);
      if (stored.A.place !== stored.B.place) {
        const [from, to] = [nameOf(stored.A.place), nameOf(stored.B.place)];
        changed.unshift({ label: "identity", from, to });
      }
      const list = changed.map(({ label, from, to }) => `${label} ${from} \u2192 ${to}`).join("; ");
      if (list) words.append(h("span", { class: "fr-sub", text: ` ${list}.` }));
      words.title = words.textContent ?? "";
    },
    /** @param {boolean} off */
    disable(off) {
      for (const node of root.querySelectorAll("button")) node.disabled = off;
    },
  };
}
