// The ROC curve with the current threshold: accepted genuine pairs against accepted impostor pairs, logarithmic.

import { h, section, term } from "../shared/dom.js";
import { axisBelow, axisLeft, createPlot, linear, linePath, percent } from "../shared/plot.js";
import { circle, s, text } from "../shared/svg.js";
import { TERMS } from "./words.js";

/** @typedef {import("./types").Rate} Rate */
/** @typedef {{roc: ReturnType<typeof import("./data.js").rocOf>, rates: {far: Rate, frr: Rate}, eer: number}} Scene */

const HEIGHT = 236;

/** Exponents of the decades from the smallest measurable rate up to 1. @param {number} pairs */
export function decades(pairs) {
  const least = Math.floor(-Math.log10(Math.max(pairs, 10)) + 1e-9);
  return Array.from({ length: 1 - least }, (_, i) => least + i);
}

/** @param {AbortSignal} signal */
export function createRoc(signal) {
  /** @type {Scene | null} */
  let scene = null;
  const plot = createPlot(signal, "fr-roc", () => HEIGHT, draw);
  const root = section(
    "fr-roc-box fr-stack",
    "ROC curve",
    h("h3", {}, term("ROC", TERMS.roc), " of this model on these pairs"),
    plot.root,
  );

  /** @param {number} width */
  function draw(width) {
    if (!scene) return [];
    const { roc, rates, eer } = scene;
    const f = { width, height: HEIGHT, left: 44, right: 24, top: 26, bottom: 40 };
    const tens = decades(rates.far.among);
    const wide = linear(tens[0], 0, f.left, width - f.right);
    const x = (/** @type {number} */ far) => wide(Math.max(Math.log10(far || 1e-99), tens[0]));
    const y = linear(0, 1, HEIGHT - f.bottom, f.top);
    const edges = [...roc.low, ...[...roc.high].reverse()].map((frr) => 1 - frr);
    const band = `${linePath([...roc.far, ...[...roc.far].reverse()], edges, x, y)}Z`;
    const here = [x(rates.far.share), y(1 - rates.frr.share)];
    const shown = tens.filter((ten) => tens.length < 6 || ten % 2 === 0);
    return [
      axisLeft(f, y, [0, 0.5, 1], (v) => `${100 * v} %`),
      axisBelow(f, wide, shown, "false match rate", (ten) => `${Number((100 * 10 ** ten).toPrecision(1))} %`),
      s("path", { d: Number.isFinite(roc.low[0]) ? band : "", class: "fr-area fr-soft" }),
      s("path", { d: linePath(roc.far, roc.tar, x, y), class: "fr-pen fr-thin" }),
      s("path", { d: `M${x(eer)} ${y(1 - eer) - 5}l5 5l-5 5l-5-5Z`, class: "fr-pen fr-thin fr-eer" }),
      text(x(eer) + 9, y(1 - eer) + 14, `EER ${percent(eer)}`),
      s("path", { d: `M${f.left} ${here[1]}H${here[0]}V${HEIGHT - f.bottom}`, class: "fr-rule" }),
      circle(here[0], here[1], 6, "fr-knob"),
      text(0, 12, "genuine pairs accepted"),
    ];
  }

  return {
    root,
    /** @param {Scene} next */
    show(next) {
      scene = next;
      const { far, frr } = next.rates;
      plot.show(
        `ROC curve. Here ${percent(1 - frr.share)} of genuine pairs are accepted at a false match rate of ${percent(far.share)}; equal error rate ${percent(next.eer)}.`,
      );
    },
  };
}
