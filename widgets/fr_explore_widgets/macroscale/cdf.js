// The three cumulative distributions of an attribute's distances, with the largest gaps as brackets.

import { floats } from "../shared/bytes.js";
import { h, section, term } from "../shared/dom.js";
import { axisBelow, axisLeft, createPlot, linear, linePath, ticks } from "../shared/plot.js";
import { s, text } from "../shared/svg.js";
import { TERMS } from "./words.js";

/** @typedef {import("./types").Attribute} Attribute */
/** @typedef {import("./types").Row} Row */
/** @typedef {{pairs: string, distance: Float32Array, share: Float32Array}} Curve */

const KINDS = /** @type {const} */ ([
  ["within positive", "with", "both with it"],
  ["within negative", "without", "both without it"],
  ["across", "across", "one with, one without"],
]);
const ROOM = 116; // for a bracket's words, in pixels

/** The three curves of a row. @param {DataView} view @param {Row} row @returns {Curve[]} */
export function curvesOf(view, row) {
  return KINDS.flatMap(([pairs]) => {
    const [at, length] = row.curves?.[pairs] ?? [0, 0];
    const numbers = floats(view, 4 * at, 2 * length);
    return length ? [{ pairs, distance: numbers.slice(0, length), share: numbers.slice(length) }] : [];
  });
}

/**
 * The position of a bracket's words. Cumulative curves rise, so there is room at the upper left of the left bracket and at
 * the lower right of the right one; near an edge the words are inside, above or below the bracket.
 * @param {number} at @param {number} high @param {number} low position and ends of the bracket in pixels
 * @param {boolean} first the left one of the two
 * @param {{left: number, right: number, top: number, bottom: number}} box
 */
export function wordPlace(at, high, low, first, box) {
  if (first) {
    const fits = at - box.left > ROOM;
    const y = Math.max(high - (fits ? 4 : 10), box.top + 12);
    return fits ? { x: at - 8, y, anchor: "end" } : { x: box.left + 4, y, anchor: "start" };
  }
  const fits = box.right - at > ROOM;
  const y = Math.min(low + (fits ? 12 : 20), box.bottom - 8);
  return fits ? { x: at + 8, y, anchor: "start" } : { x: box.right - 2, y, anchor: "end" };
}

/** @param {AbortSignal} signal */
export function createCdf(signal) {
  /** @type {{row: Row, curves: Curve[]} | null} */
  let scene = null;
  const plot = createPlot(signal, "fr-cdf", () => 280, draw);
  const key = h(
    "ul",
    { class: "fr-cdf-key fr-legend" },
    ...KINDS.map(([, name, words]) => h("li", { class: `fr-line-${name}` }, h("i"), words)),
  );
  const axis = h("p", { class: "fr-sub" });
  const root = section(
    "fr-cdf-box fr-stack",
    "Distributions of distances",
    h("h3", {}, "How far apart are two people? ", term("KS", TERMS.ks), " is the largest gap"),
    key,
    plot.root,
    axis,
  );

  /** @param {number} width @param {number} height */
  function draw(width, height) {
    if (!scene?.curves.length) return [];
    const { row, curves } = scene;
    const f = { width, height, left: 44, right: 14, top: 8, bottom: 24 };
    const ends = curves.flatMap(({ distance }) => [distance[0], distance[distance.length - 1]]);
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    const x = linear(low, high, f.left, width - f.right);
    const y = linear(0, 1, height - f.bottom, f.top);
    const nodes = [
      axisLeft(f, y, [0, 0.25, 0.5, 0.75, 1], (v) => `${100 * v} %`),
      axisBelow(f, x, ticks(low, high, width / 80), ""),
      ...curves.map(({ pairs, distance, share }) => {
        const name = KINDS.find(([one]) => one === pairs)?.[1];
        return s("path", { d: linePath(distance, share, x, y), class: `fr-pen fr-line-${name}` });
      }),
    ];
    const gaps = Object.entries(row.gaps ?? {}).sort((a, b) => a[1].distance - b[1].distance);
    gaps.forEach(([name, gap], i) => {
      const at = x(gap.distance);
      const [up, down] = [y(Math.max(gap.within, gap.across)), y(Math.min(gap.within, gap.across))];
      nodes.push(
        s("path", { d: `M${at - 5} ${up}h10m-5 0V${down}m-5 0h10`, class: "fr-pen fr-ink fr-bracket" }),
      );
      const box = { left: f.left, right: width - f.right, top: f.top, bottom: height - f.bottom };
      const word = wordPlace(at, up, down, i === 0, box);
      const words = `KS ${gap.value.toFixed(3)} ${name === "positive" ? "with it" : "without it"}`;
      nodes.push(text(word.x, word.y, words, word.anchor, "fr-key-text fr-halo fr-ink fr-bracket-word"));
    });
    return nodes;
  }

  return {
    root,
    /** @param {Row} row @param {Curve[]} curves @param {string} metric */
    show(row, curves, metric) {
      scene = { row, curves };
      axis.textContent = `distance between two people (${metric === "cosine" ? "1 \u2212 cos" : "Euclidean"}); share of pairs at or below it`;
      const gaps = row.gaps;
      plot.show(
        gaps
          ? `Cumulative distributions of distances. The gap to pairs across the groups is ${gaps.positive.value.toFixed(3)} within the group with it, ${gaps.negative.value.toFixed(3)} within the group without it.`
          : "No distributions: too few people to compare.",
      );
    },
  };
}
