// Plots: figures in words, scales, lines, axes, and an SVG that keeps its width.

import { div } from "./dom.js";
import { line, s, text } from "./svg.js";

/** @typedef {{width: number, height: number, left: number, right: number, top: number, bottom: number}} Frame */
/** @typedef {(value: number) => number} Scale */

/** Round numbers from `low` to `high`, about `count` of them. @param {number} low @param {number} high @param {number} count */
export function ticks(low, high, count) {
  const raw = (high - low) / Math.max(count, 1);
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5].find((one) => one * power >= raw * 0.999) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** A line through points, with a gap at each missing value. @param {ArrayLike<number>} xs @param {ArrayLike<number | null>} ys @param {Scale} [x] @param {Scale} [y] */
export function linePath(xs, ys, x = (value) => value, y = x) {
  let [path, pen] = ["", "M"];
  for (let i = 0; i < xs.length; i += 1) {
    const value = ys[i];
    if (value === null || Number.isNaN(value)) pen = "M";
    else {
      path += `${pen}${x(xs[i]).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    }
  }
  return path;
}

/** @param {number} low @param {number} high @param {number} from @param {number} to @returns {Scale} */
export function linear(low, high, from, to) {
  const k = (to - from) / (high - low || 1);
  return (value) => from + (value - low) * k;
}

/** A number with few digits and a true minus sign. @param {number} value @param {number} [digits] significant ones */
export function short(value, digits = 3) {
  return Number(value.toPrecision(digits)).toString().replace("-", "\u2212");
}

/** A number with fixed decimals and a true minus sign; a dash for a missing one. @param {number | null | undefined} value @param {number} [decimals] */
export function figure(value, decimals = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "\u2013";
  const digits = Math.abs(value).toFixed(decimals);
  return (value < 0 && Number(digits) !== 0 ? "\u2212" : "") + digits;
}

/** A share as "12.3 %". @param {number} share */
export function percent(share) {
  if (!Number.isFinite(share)) return "\u2013";
  const value = 100 * share;
  return `${value === 0 || value === 100 ? value : value < 1 ? value.toPrecision(2) : value.toFixed(1)} %`;
}

/**
 * The horizontal axis with its numbers and, at the lower right, its title.
 * @param {Frame} f @param {Scale} x @param {number[]} at @param {string} title @param {(value: number) => string} [show]
 */
export function axisBelow(f, x, at, title, show = (value) => short(value)) {
  const foot = f.height - f.bottom;
  return s(
    "g",
    { class: "fr-axis" },
    line([f.left, foot], [f.width - f.right, foot], ""),
    ...at.map((value) => text(x(value), foot + 15, show(value), "middle")),
    text(f.width - f.right, foot + 31, title, "end"),
  );
}

/** Faint horizontal lines with their numbers at the left. @param {Frame} f @param {Scale} y @param {number[]} at @param {(value: number) => string} show */
export function axisLeft(f, y, at, show) {
  return s(
    "g",
    { class: "fr-axis" },
    ...at.flatMap((value) => [
      line([f.left, y(value)], [f.width - f.right, y(value)], "fr-rule"),
      text(f.left - 6, y(value) + 4, show(value), "end"),
    ]),
  );
}

/**
 * An SVG as wide as its parent, so that text keeps its size; redrawn when the width changes.
 * @param {AbortSignal} signal @param {string} name its class
 * @param {(width: number) => number} tall its height
 * @param {(width: number, height: number) => Node[]} draw
 */
export function createPlot(signal, name, tall, draw) {
  const svg = s("svg", { class: `fr-plot ${name}`, role: "img" });
  const root = div("fr-plot-box");
  root.append(svg);
  let last = 0;
  function redraw() {
    last = Math.max(root.clientWidth || 480, 120);
    const height = tall(last);
    svg.setAttribute("height", String(height));
    svg.setAttribute("viewBox", `0 0 ${last} ${height}`);
    svg.replaceChildren(...draw(last, height));
  }
  if (globalThis.ResizeObserver) {
    const observer = new ResizeObserver(() => root.clientWidth !== last && redraw());
    observer.observe(root);
    signal.addEventListener("abort", () => observer.disconnect());
  }
  return {
    root,
    svg,
    redraw,
    /** Draw again. @param {string} words the text alternative */
    show(words) {
      svg.setAttribute("aria-label", words);
      redraw();
    },
  };
}
