// Distributions drawn by hand: counting in sorted distances, histograms, axes, and a plot that keeps its width.

import { h } from "./dom.js";
import { s } from "./svg.js";

/** @typedef {{width: number, height: number, left: number, right: number, top: number, bottom: number}} Frame */
/** @typedef {(value: number) => number} Scale */

/** How many of the ascending values are at most `limit`. @param {ArrayLike<number>} sorted @param {number} limit */
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
 * Wilson's 95 % interval of a share seen in `count` independent observations.
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
  // exactly at the end where the share is, whatever the last digit
  return [share === 0 ? 0 : middle - half, share === 1 ? 1 : middle + half];
}

/**
 * How many bins from 0 to `top` suit the smaller sample: width 2 IQR / n^(1/3) (Freedman and Diaconis 1981), 20 to 80.
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

/** The outline of a histogram, closed along its foot. @param {number[]} heights @param {number} top @param {Scale} x @param {Scale} y */
export function stepPath(heights, top, x, y) {
  const foot = y(0).toFixed(1);
  let path = `M${x(0).toFixed(1)} ${foot}`;
  heights.forEach((height, i) => {
    path += `V${y(height).toFixed(1)}H${x(((i + 1) / heights.length) * top).toFixed(1)}`;
  });
  return `${path}V${foot}`;
}

/** @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys @param {Scale} x @param {Scale} y */
export function linePath(xs, ys, x, y) {
  let path = "";
  for (let i = 0; i < xs.length; i += 1)
    path += `${i ? "L" : "M"}${x(xs[i]).toFixed(1)} ${y(ys[i]).toFixed(1)}`;
  return path;
}

/** @param {number} low @param {number} high @param {number} from @param {number} to @returns {Scale} */
export function linear(low, high, from, to) {
  const k = (to - from) / (high - low || 1);
  return (value) => from + (value - low) * k;
}

/** A number with few digits and a true minus. @param {number} value @param {number} [digits] significant ones */
export function short(value, digits = 3) {
  return Number(value.toPrecision(digits)).toString().replace("-", "\u2212");
}

/** A share as "12.3 %". @param {number} share */
export function percent(share) {
  if (!Number.isFinite(share)) return "\u2013";
  const value = 100 * share;
  return `${value === 0 || value === 100 ? value : value < 1 ? value.toPrecision(2) : value.toFixed(1)} %`;
}

/** A count with separated thousands. @param {number} value */
export function count(value) {
  return value.toLocaleString("en");
}

/**
 * The line under a plot with its numbers and, on the right below, its title.
 * @param {Frame} f @param {Scale} x @param {number[]} at @param {string} title @param {(value: number) => string} [show]
 */
export function axisBelow(f, x, at, title, show = (value) => short(value)) {
  const foot = f.height - f.bottom;
  return s(
    "g",
    { class: "fr-axis" },
    s("line", { x1: f.left, x2: f.width - f.right, y1: foot, y2: foot }),
    ...at.map((value) => s("text", { x: x(value), y: foot + 15, "text-anchor": "middle" }, show(value))),
    s("text", { x: f.width - f.right, y: foot + 31, "text-anchor": "end" }, title),
  );
}

/** Faint lines across a plot with their numbers to the left. @param {Frame} f @param {Scale} y @param {number[]} at @param {(value: number) => string} show */
export function axisLeft(f, y, at, show) {
  return s(
    "g",
    { class: "fr-axis" },
    ...at.flatMap((value) => [
      s("line", { x1: f.left, x2: f.width - f.right, y1: y(value), y2: y(value), class: "fr-rule" }),
      s("text", { x: f.left - 6, y: y(value) + 4, "text-anchor": "end" }, show(value)),
    ]),
  );
}

/**
 * An SVG as wide as its place, so that letters keep their size; drawn anew when that changes.
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
    /** @param {string} text what the picture says */
    describe(text) {
      svg.setAttribute("aria-label", text);
    },
  };
}
