// All attributes in one chart, KS against intra-entropy, with the current one marked; and one attribute's KS with its null.

import { cornersOf, placeLabel } from "../shared/brush.js";
import { h, section, term } from "../shared/dom.js";
import { axisBelow, axisLeft, createPlot, linear, ticks } from "../shared/plot.js";
import { circle, s, text } from "../shared/svg.js";
import { correlationWords, TERMS } from "./words.js";

/** @typedef {import("./types").Attribute} Attribute */
/** @typedef {import("./types").Row} Row */
/** @typedef {import("./types").Correlation} Correlation */
/** @typedef {{attributes: Attribute[], rows: Record<string, Row>, now: string}} Scene */

/** @param {Attribute} attribute */
function markOf({ shape, color }) {
  const points = cornersOf(shape, 5);
  return points ? s("polygon", { points, fill: color }) : s("circle", { r: 5.5, fill: color });
}

/** @param {AbortSignal} signal @param {(name: string) => void} choose */
export function createChart(signal, choose) {
  /** @type {Scene | null} */
  let scene = null;
  const plot = createPlot(signal, "fr-among", () => 280, draw);
  const words = h("p");
  const root = section(
    "fr-among-box fr-stack",
    "All attributes",
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
      text(0, f.top, "KS"),
    ];
    /** @type {number[][]} */
    const taken = spots.map(({ ks, entropy }) => [x(entropy) - 6, y(ks) - 6, x(entropy) + 6, y(ks) + 6]);
    taken.push([0, 0, f.left, height]); // the axis' figures
    // label the current attribute first, then those with the largest KS
    const order = [...spots].sort(
      (a, b) => Number(b.attribute.name === now) - Number(a.attribute.name === now) || b.ks - a.ks,
    );
    for (const { attribute, ks, entropy } of order) {
      const on = attribute.name === now;
      const [cx, cy] = [x(entropy), y(ks)];
      const spot = s("g", { class: "fr-spot", transform: `translate(${cx} ${cy})` }, markOf(attribute));
      if (on) spot.append(circle(0, 0, 10, "fr-pen fr-ink"));
      spot.append(
        s("title", {}, `${attribute.label}: KS ${ks.toFixed(3)}, intra-entropy ${entropy.toFixed(3)}`),
      );
      spot.addEventListener("click", () => choose(attribute.name));
      nodes.push(spot);
      const half = on ? 3.7 * attribute.label.length + 6 : 3.2 * attribute.label.length + 2; // bold, beside a ring
      const free =
        placeLabel([cx, cy], half, 17, width - f.right, taken) ??
        placeLabel([cx, cy], half, 31, width - f.right, taken);
      if (!free) continue;
      taken.push(free.box);
      const style = on ? "fr-halo fr-key-text fr-ink" : "fr-halo";
      nodes.push(text(free.x, free.y + 4, attribute.label, "middle", style));
    }
    return nodes;
  }

  return {
    root,
    /** @param {Scene} next @param {Correlation | undefined} correlation @param {boolean} complete */
    show(next, correlation, complete) {
      scene = next;
      const known = Object.keys(next.rows).length;
      words.textContent = complete
        ? correlationWords(correlation)
        : `${known} of ${next.attributes.length} attributes measured so far.`;
      plot.show(`KS against intra-entropy of ${known} attributes. ${words.textContent}`);
    },
  };
}

/** One attribute's KS with the KS of random labels. @param {AbortSignal} signal */
export function createNull(signal) {
  /** @type {Row | null} */
  let row = null;
  const plot = createPlot(signal, "fr-null-plot", () => 62, draw);

  /** @param {number} width @param {number} height */
  function draw(width, height) {
    if (row?.ks_mean === undefined) return [];
    const f = { width, height, left: 6, right: 10, top: 18, bottom: 20 };
    const most = Math.max(row.ks_mean, ...row.null, 0.05) * 1.1;
    const x = linear(0, most, f.left, width - f.right);
    const foot = height - f.bottom;
    const nodes = [axisBelow(f, x, ticks(0, most, width / 80), "")];
    // fixed vertical positions, so that a redraw does not move the dots
    row.null.forEach((value, i) => {
      nodes.push(circle(x(value), foot - 4 - ((i * 7) % 17), 2, "fr-draw fr-dot fr-soft"));
    });
    const [ks, chance] = [row.ks_mean, row.null_mean];
    const near = chance !== undefined && Math.abs(x(ks) - x(chance)) < 32;
    const mark = (/** @type {string} */ word, /** @type {number} */ value, /** @type {boolean} */ first) => {
      // if the two lines are close, put each word on its own side
      const [anchor, gap] = /** @type {[string, number]} */ (
        !near ? ["middle", 0] : first ? ["end", -2] : ["start", 2]
      );
      const [pen, style] = word === "KS" ? ["fr-pen fr-ks-line", "fr-key-text fr-ink"] : ["fr-null", ""];
      nodes.push(s("path", { d: `M${x(value)} ${foot}V16`, class: pen }));
      nodes.push(text(x(value) + gap, 11, word, anchor, style));
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
      plot.show(
        next.ks_mean === undefined
          ? "No KS"
          : `KS ${next.ks_mean.toFixed(3)}; ${next.null.length} random labels give ${(next.null_mean ?? 0).toFixed(3)} on average`,
      );
    },
  };
}
