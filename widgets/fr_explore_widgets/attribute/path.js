// The path of a sweep: the distances between all its steps, as a map. Does the path bend, does it come back?

import { distance, unit } from "../engine/measure.js";
import { div, h } from "../shared/dom.js";
import { s } from "../shared/svg.js";
import { formatValue } from "../shared/words.js";

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("./types").Path} Path */

/** Number of steps, as in measurements.py. */
export const STEPS = 15;
/** Below this share of the largest distance, the ends are called near. */
const NEAR = 0.9;
/** Viridis, as in the library's charts. */
const COLORS = [[68, 1, 84], [65, 68, 135], [42, 120, 142], [34, 168, 132], [122, 209, 81], [253, 231, 37]]; // biome-ignore format: one row

/** @param {number} share from 0, dark, to 1 */
export function color(share) {
  const at = Math.min(Math.max(share, 0), 1) * (COLORS.length - 1);
  const low = Math.min(Math.floor(at), COLORS.length - 2);
  const mixed = COLORS[low].map((value, i) => Math.round(value + (at - low) * (COLORS[low + 1][i] - value)));
  return `rgb(${mixed.join(" ")})`;
}

/**
 * The distances between all embeddings of a path; `bend`, its length over the distance of its ends; `reach`, that
 * distance over the largest one. As `path_distances` in embedding/inspection.py.
 * @param {ArrayLike<number>[]} vectors @param {"euclidean" | "cosine"} metric
 */
export function pathDistances(vectors, metric) {
  const points = metric === "cosine" ? vectors.map(unit) : vectors;
  const between = (/** @type {"euclidean" | "cosine"} */ kind) =>
    points.map((a) => points.map((b) => distance(a, b, kind)));
  const lengths = between("euclidean"); // chords if the metric is the cosine
  const ends = lengths[0][points.length - 1];
  const largest = Math.max(...lengths.flat());
  const walked = lengths.slice(1).reduce((sum, row, i) => sum + row[i], 0);
  const distances = metric === "cosine" ? between(metric) : lengths;
  return { distances, bend: ends ? walked / ends : null, reach: largest ? ends / largest : null };
}

/** @param {Attribute} attribute @param {Path} path */
export function pathWords({ label }, { bend = null, reach = null }) {
  if (reach === null) return `The embedding does not move along ${label}.`;
  if (bend === null) return `The path along ${label} ends where it starts.`;
  const back = reach < NEAR ? " It comes back: some steps are farther apart than its ends." : "";
  return `The path along ${label} is ${bend.toFixed(2)} times as long as the distance between its ends.${back}`;
}

/** Whether a path is that of a face along an attribute, whose strength in the face does not matter.
 * @param {Path} path @param {string} attribute @param {string} model @param {import("./types").Reply} face */
export function belongs({ name, model: own, place, at = {} }, attribute, model, face) {
  if (name !== attribute || own !== model || place !== face.place) return false;
  return Object.entries(face.strengths).every(([key, x]) => key === name || Math.abs(x - at[key]) < 1e-9);
}

/** @param {(name: string) => void} ask for the path along an attribute */
export function createPath(ask) {
  const map = s("svg", { class: "fr-path-map", role: "img" });
  const [low, what, high, most] = [h("span"), h("span"), h("span"), h("span")];
  const [words, cell] = [h("p"), h("p", { class: "fr-sub" })];
  const scale = div("fr-path-scale", h("span", { text: "0" }), h("i"), most);
  const shown = div("fr-path-plot", map, div("fr-path-ends", low, what, high));
  const content = div("fr-path-body", shown, div("fr-path-words", words, scale, cell));
  const root = h(
    "details",
    { class: "fr-fold fr-path", hidden: true },
    h("summary", { text: "Does the path bend?" }),
    content,
  );
  /** the swept attribute, whose path can be shown @type {Attribute | undefined} */
  let swept;
  let known = false;
  const want = () => {
    if (swept && root.open && !known) ask(swept.name);
  };
  root.addEventListener("toggle", want);

  /** @param {Attribute} attribute @param {Path} path */
  function draw(attribute, path) {
    const { strengths = [], distances = [], done = 0, all = 0, failed } = path;
    const ready = distances.length > 0;
    shown.hidden = scale.hidden = !ready;
    words.textContent = failed
      ? `No path: ${failed}`
      : ready
        ? pathWords(attribute, path)
        : `Computing: ${done} of ${all} faces.`;
    cell.textContent = "";
    if (!ready) return;
    const n = distances.length;
    const largest = Math.max(...distances.flat());
    map.setAttribute("viewBox", `0 0 ${n} ${n}`);
    map.setAttribute("aria-label", `Distances between ${n} steps. ${words.textContent}`);
    map.replaceChildren(
      ...distances.flatMap((row, i) =>
        row.map((value, j) => {
          const fill = color(largest ? value / largest : 0);
          const square = s("rect", { x: j, y: n - 1 - i, width: 1, height: 1, fill });
          square.addEventListener("pointerenter", () => {
            const [from, to] = [strengths[i], strengths[j]].map((x) => formatValue(attribute, x));
            cell.textContent = `${from} to ${to}: distance ${value.toFixed(3)}`;
          });
          return square;
        }),
      ),
    );
    what.textContent = attribute.label;
    low.textContent = formatValue(attribute, strengths[0]);
    high.textContent = formatValue(attribute, strengths[n - 1]);
    most.textContent = `distance ${largest.toFixed(2)}`;
    cell.textContent = "Dark: near each other. Point at a square for its two steps.";
  }

  return {
    root,
    /** Offer the path of a sweep of the whole range; undefined: there is none. @param {Attribute} [attribute] */
    offer(attribute) {
      swept = attribute;
      known = false;
      root.hidden = !attribute;
      want();
    },
    /** @param {Attribute} attribute @param {Path} path */
    show(attribute, path) {
      known = true;
      root.hidden = false;
      draw(attribute, path);
    },
    /** @param {boolean} off */
    disable(off) {
      root.hidden ||= off && !known;
    },
  };
}
