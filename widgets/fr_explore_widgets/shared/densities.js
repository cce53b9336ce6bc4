// Plots: counting in sorted distances, histograms, axes, and an SVG that keeps its width.

import { h } from "./dom.js";
import { line, s, text } from "./svg.js";

/** @typedef {{width: number, height: number, left: number, right: number, top: number, bottom: number}} Frame */
/** @typedef {(value: number) => number} Scale */

/** The number of ascending values that are at most `limit`. @param {ArrayLike<number>} sorted @param {number} limit */
export function below(sorted, limit) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Wilson's 95 % interval of a share of `count` independent observations.
 * @param {number} share
 * @param {number} count
 * @returns {[number, number]}
 */
export function wilson(share, count) {
  if (!count) return [Number.NaN, Number.NaN];
  const z2 = 1.959964 ** 2;
  const middle = (share + z2 / (2 * count)) / (1 + z2 / count);
  const half =
    (Math.sqrt(z2) / (1 + z2 / count)) * Math.sqrt((share * (1 - share)) / count + z2 / (4 * count ** 2));
  // exactly 0 or 1 where the share is, without rounding errors
  return [share === 0 ? 0 : middle - half, share === 1 ? 1 : middle + half];
}

/**
 * The number of bins from 0 to `top` for the smaller sample: width 2 IQR / n^(1/3) (Freedman and Diaconis 1981), 20 to 80.
 * @param {ArrayLike<number>[]} samples ascending
 * @param {number} top
 */
export function binsFor(samples, top) {
  const few = samples.reduce((a, b) => (b.length < a.length ? b : a));
  const at = (/** @type {number} */ share) => few[Math.round(share * (few.length - 1))];
  const width = (2 * (at(0.75) - at(0.25))) / Math.cbrt(few.length);
  return width > 0 ? Math.min(Math.max(Math.ceil(top / width), 20), 80) : 80;
}

/** Density of ascending values in equal bins from 0 to `top`. @param {ArrayLike<number>} sorted @param {number} bins @param {number} top */
export function histogram(sorted, bins, top) {
  const heights = new Array(bins);
  let before = 0;
  for (let i = 0; i < bins; i += 1) {
    const upTo = i === bins - 1 ? sorted.length : below(sorted, ((i + 1) / bins) * top);
    heights[i] = ((upTo - before) * bins) / top / Math.max(sorted.length, 1);
    before = upTo;
  }
  return /** @type {number[]} */ (heights);
}

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

/** The outline of a histogram, closed along the baseline. @param {number[]} heights @param {number} top @param {Scale} x @param {Scale} y */
export function stepPath(heights, top, x, y) {
  const foot = y(0).toFixed(1);
  let path = `M${x(0).toFixed(1)} ${foot}`;
  heights.forEach((height, i) => {
    path += `V${y(height).toFixed(1)}H${x(((i + 1) / heights.length) * top).toFixed(1)}`;
  });
  return `${path}V${foot}`;
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

/** A count with thousands separators. @param {number} value */
export function count(value) {
  return value.toLocaleString("en");
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
  const root = h("div", { class: "fr-plot-box" });
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
    /** @param {string} words the text alternative */
    describe(words) {
      svg.setAttribute("aria-label", words);
    },
  };
}
