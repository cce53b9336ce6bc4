// All attributes in one chart: KS against intra-entropy, the present one marked. And one attribute's KS on its null.

import { placeLabel } from "../shared/brush.js";
import { axisBelow, axisLeft, createPlot, linear, ticks } from "../shared/densities.js";
import { h, term } from "../shared/dom.js";
import { s } from "../shared/svg.js";
import { correlationWords, TERMS } from "./words.js";

/** @typedef {import("./types").Attribute} Attribute */
/** @typedef {import("./types").Row} Row */
/** @typedef {import("./types").Correlation} Correlation */
/** @typedef {{attributes: Attribute[], rows: Record<string, Row>, now: string}} Scene */

const MARKS = /** @type {Record<string, string>} */ ({
  square: "-5,-5 5,-5 5,5 -5,5",
  diamond: "0,-6.5 6.5,0 0,6.5 -6.5,0",
  "triangle-up": "0,-6.5 6,4.5 -6,4.5",
  "triangle-down": "0,6.5 6,-4.5 -6,-4.5",
  "triangle-left": "-6.5,0 4.5,-6 4.5,6",
  "triangle-right": "6.5,0 -4.5,-6 -4.5,6",
  cross: "-6,-2 -2,-2 -2,-6 2,-6 2,-2 6,-2 6,2 2,2 2,6 -2,6 -2,2 -6,2",
});

/** An attribute's mark. @param {Attribute} attribute */
export function markOf({ shape, color }) {
  return MARKS[shape]
    ? s("polygon", { points: MARKS[shape], fill: color })
    : s("circle", { r: 5.5, fill: color });
}

/** @param {AbortSignal} signal @param {(name: string) => void} choose */
export function createChart(signal, choose) {
  /** @type {Scene | null} */
  let scene = null;
  const plot = createPlot(signal, "fr-among", () => 280, draw);
  const words = h("p");
  const root = h(
    "section",
    { class: "fr-among-box", "aria-label": "All attributes" },
    h("h3", {}, "Among all attributes: KS against ", term("intra-entropy", TERMS.intra)),
    plot.root,
    words,
  );

  /** @param {number} width @param {number} height */
  function draw(width, height) {
    if (!scene) return [];
    const { attributes, rows, now } = scene;
    const f = { width, height, left: 44, right: 14, top: 10, bottom: 40 };
    const spots = attributes.flatMap((attribute) => {
      const { ks_mean: ks, intra_entropy: entropy } = rows[attribute.name] ?? {};
      return ks === undefined || entropy === undefined ? [] : [{ attribute, ks, entropy }];
    });
    if (!spots.length) return [];
    const most = Math.max(...spots.map((one) => one.ks)) * 1.12 || 1;
    const wide = Math.max(...spots.map((one) => one.entropy), 0.1) * 1.06;
    const x = linear(0, wide, f.left + 24, width - f.right);
    const y = linear(0, most, height - f.bottom, f.top);
    const nodes = [
      axisLeft(f, y, ticks(0, most, 4), (v) => String(v)),
      axisBelow(f, x, ticks(0, wide, width / 90), "intra-entropy (nats)"),
      s("text", { x: 0, y: f.top, class: "fr-word" }, "KS"),
    ];
    /** @type {number[][]} */
    const taken = spots.map(({ ks, entropy }) => [x(entropy) - 6, y(ks) - 6, x(entropy) + 6, y(ks) + 6]);
    // the present attribute gets its label first, then the strongest ones
    const order = [...spots].sort(
      (a, b) => Number(b.attribute.name === now) - Number(a.attribute.name === now) || b.ks - a.ks,
    );
    for (const { attribute, ks, entropy } of order) {
      const on = attribute.name === now;
      const [cx, cy] = [x(entropy), y(ks)];
      const spot = s("g", { class: "fr-spot", transform: `translate(${cx} ${cy})` }, markOf(attribute));
      if (on) spot.append(s("circle", { r: 10, class: "fr-ring" }));
      spot.append(
        s("title", {}, `${attribute.label}: KS ${ks.toFixed(3)}, intra-entropy ${entropy.toFixed(3)}`),
      );
      spot.addEventListener("click", () => choose(attribute.name));
      nodes.push(spot);
      const half = 3.2 * attribute.label.length + 2;
      const free =
        placeLabel([cx, cy], half, 17, width - f.right, taken) ??
        placeLabel([cx, cy], half, 31, width - f.right, taken);
      if (!free) continue;
      taken.push(free.box);
      const style = on ? "fr-spot-name fr-now" : "fr-spot-name";
      nodes.push(
        s("text", { x: free.x, y: free.y + 4, class: style, "text-anchor": "middle" }, attribute.label),
      );
    }
    return nodes;
  }

  return {
    root,
    /** @param {Scene} next @param {Correlation | undefined} correlation @param {boolean} complete */
    show(next, correlation, complete) {
      scene = next;
      words.textContent = complete
        ? correlationWords(correlation)
        : `${Object.keys(next.rows).length} of ${next.attributes.length} attributes measured so far.`;
      plot.describe(
        `KS against intra-entropy of ${Object.keys(next.rows).length} attributes. ${words.textContent}`,
      );
      plot.redraw();
    },
  };
}

/** One attribute's KS beside what random labels give. @param {AbortSignal} signal */
export function createNull(signal) {
  /** @type {Row | null} */
  let row = null;
  const plot = createPlot(signal, "fr-null-strip", () => 62, draw);

  /** @param {number} width @param {number} height */
  function draw(width, height) {
    if (row?.ks_mean === undefined) return [];
    const f = { width, height, left: 6, right: 10, top: 18, bottom: 20 };
    const most = Math.max(row.ks_mean, ...row.null, 0.05) * 1.1;
    const x = linear(0, most, f.left, width - f.right);
    const foot = height - f.bottom;
    const nodes = [axisBelow(f, x, ticks(0, most, width / 80), "")];
    // a fixed scatter, so that a redraw moves nothing
    row.null.forEach((value, i) => {
      nodes.push(s("circle", { cx: x(value), cy: foot - 4 - ((i * 7) % 17), r: 2, class: "fr-draw" }));
    });
    const [ks, chance] = [row.ks_mean, row.null_mean];
    const near = chance !== undefined && Math.abs(x(ks) - x(chance)) < 32;
    const mark = (/** @type {string} */ word, /** @type {number} */ value, /** @type {boolean} */ first) => {
      // where the two lines are close, each word stands on its own side
      const [anchor, gap] = !near ? ["middle", 0] : first ? ["end", -2] : ["start", 2];
      const text = {
        x: x(value) + gap,
        y: 11,
        class: `fr-${word.toLowerCase()}-word`,
        "text-anchor": anchor,
      };
      nodes.push(s("path", { d: `M${x(value)} ${foot}V16`, class: `fr-${word.toLowerCase()}-line` }));
      nodes.push(s("text", text, word));
    };
    if (chance !== undefined) mark("null", chance, chance < ks);
    mark("KS", ks, chance === undefined || ks <= chance);
    return nodes;
  }

  return {
    root: plot.root,
    /** @param {Row} next */
    show(next) {
      row = next;
      plot.describe(
        next.ks_mean === undefined
          ? "No KS"
          : `KS ${next.ks_mean.toFixed(3)}; ${next.null.length} random labellings give ${(next.null_mean ?? 0).toFixed(3)} on average`,
      );
      plot.redraw();
    },
  };
}
