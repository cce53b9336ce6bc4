// The two densities, the errors on either side of the threshold, and the threshold as a handle.

import { div, h, uid } from "../shared/dom.js";
import { axisBelow, createPlot, linear, percent, ticks } from "../shared/plot.js";
import { line, s, text } from "../shared/svg.js";
import { binsFor, histogram, stepPath } from "./counting.js";
import { handleWords, METRICS } from "./words.js";

/** @typedef {import("./types").Part} Part */
/** @typedef {import("./types").Mark} Mark */
/** @typedef {import("./types").Rate} Rate */
/** @typedef {import("../shared/plot.js").Frame} Frame */
/** @typedef {import("../shared/plot.js").Scale} Scale */
/**
 * @typedef {{part: Part, moved: Float64Array | null, all: (Float64Array | null)[], threshold: number, marks: Mark[],
 *   top: number, rates: {far: Rate, frr: Rate}}} Scene `moved`: the genuine distances with an attribute; `all`: at each of its strengths
 */

const THUMB = 9; // half of the handle's width; as in the style sheet

/** The right end of the axis: beyond all distances and marks. @param {Part} part @param {Mark[]} marks @param {number} [more] */
export function topOf({ genuine, impostor }, marks, more = 0) {
  const most = Math.max(genuine[genuine.length - 1] ?? 0, impostor[impostor.length - 1] ?? 0, more);
  return Math.max(most * 1.02, ...marks.map((mark) => mark.at * 1.1)) || 1;
}

/** A step of the handle: a round number, about 1/400 of the axis. @param {number} top */
export function stepOf(top) {
  return Number((10 ** Math.round(Math.log10(top / 400))).toPrecision(1));
}

/** Filled histograms of both kinds, darker where the decision is wrong. @param {{genuine: ArrayLike<number>, impostor: ArrayLike<number>}} kinds @param {number} top @param {Scale} x @param {Scale} y @param {number} bins @param {number} threshold @param {Frame} f */
export function twoKinds(kinds, top, x, y, bins, threshold, f) {
  const at = x(threshold);
  const [left, right] = [uid("left"), uid("right")];
  const clip = (/** @type {string} */ id, /** @type {number} */ from, /** @type {number} */ to) =>
    s("clipPath", { id }, s("rect", { x: from, y: 0, width: Math.max(to - from, 0), height: f.height }));
  const nodes = [clip(left, 0, at), clip(right, at, f.width)];
  for (const [kind, wrong] of /** @type {["genuine" | "impostor", string][]} */ ([
    ["impostor", left],
    ["genuine", right],
  ])) {
    const path = stepPath(histogram(kinds[kind], bins, top), top, x, y);
    nodes.push(s("path", { d: path, class: `fr-${kind} fr-area` }));
    nodes.push(s("path", { d: path, class: `fr-${kind} fr-area fr-wrong`, "clip-path": `url(#${wrong})` }));
    nodes.push(s("path", { d: path, class: `fr-${kind} fr-pen fr-outline` }));
  }
  return nodes;
}

/**
 * @param {AbortSignal} signal
 * @param {(threshold: number, phase: "drag" | "commit", reach: number) => void} onMove `reach`: half a bar
 * @param {(distance: number) => void} onPoint the pointer is there, without a button
 */
export function createDensity(signal, onMove, onPoint) {
  /** @type {Scene | null} */
  let scene = null;
  let held = false;
  let reach = 0;
  /** @type {Frame} */
  let frame = { width: 480, height: 300, left: THUMB, right: THUMB, top: 62, bottom: 66 };
  const input = h("input", {
    type: "range",
    class: "fr-handle",
    min: 0,
    step: "any",
    "aria-label": "threshold",
    "data-control": "threshold",
  });
  const plot = createPlot(signal, "fr-density", (width) => (width > 560 ? 460 : 300), draw);
  plot.root.append(input);
  const caption = h("p", { class: "fr-sub" });
  const root = div("fr-density-box", plot.root, caption);

  const scaleX = () => linear(0, scene?.top ?? 1, frame.left, frame.width - frame.right);

  /** @param {number} width @param {number} height */
  function draw(width, height) {
    frame = { ...frame, width, height };
    if (!scene) return [];
    const { part, moved, all, threshold, top, rates } = scene;
    const genuine = moved ?? part.genuine;
    const bins = binsFor([genuine, part.impostor], top);
    reach = top / bins / 2;
    const heights = [part.genuine, part.impostor, ...all].map((one) =>
      one ? Math.max(...histogram(one, bins, top)) : 0,
    );
    const foot = height - frame.bottom;
    const x = scaleX();
    const y = linear(0, Math.max(...heights) * 1.12, foot, frame.top);
    const nodes = twoKinds({ genuine, impostor: part.impostor }, top, x, y, bins, threshold, frame);
    if (moved) {
      const before = stepPath(histogram(part.genuine, bins, top), top, x, y);
      nodes.push(s("path", { d: before, class: "fr-pen fr-soft fr-thin fr-before" }));
    }
    for (const [values, kind, words] of /** @type {[Float64Array, string, string][]} */ ([
      [genuine, "genuine", "same person"],
      [part.impostor, "impostor", "different people"],
    ])) {
      const own = histogram(values, bins, top);
      const peak = own.indexOf(Math.max(...own));
      const half = 4 * words.length;
      const at = Math.min(Math.max(x(((peak + 0.5) / bins) * top), half), width - half);
      nodes.push(text(at, y(own[peak]) - 7, words, "middle", `fr-key-text fr-halo fr-${kind}`));
    }
    nodes.push(
      ...thresholdLine(x(threshold), width, foot, rates, threshold),
      ...namedThresholds(x, width, foot),
    );
    nodes.push(axisBelow(frame, x, ticks(0, top, width / 80), ""));
    return nodes;
  }

  /** The threshold's line with both error rates: false matches at the left, false non-matches at the right. @param {number} at @param {number} width @param {number} foot @param {{far: Rate, frr: Rate}} rates @param {number} threshold */
  function thresholdLine(at, width, foot, { far, frr }, threshold) {
    const [match, miss] = [`false match ${percent(far.share)}`, `false non-match ${percent(frr.share)}`];
    const own = `threshold ${threshold.toFixed(3)}`;
    const name = (/** @type {string} */ words, /** @type {boolean} */ before, /** @type {string} */ kind) => {
      const room = 6.6 * words.length + 8;
      const fits = before ? at > room : width - at > room;
      // without room on its side, the name is at the edge, one line lower
      const side = fits ? (before ? at - 8 : at + 8) : before ? 0 : width;
      const anchor = before === fits ? "end" : "start";
      return text(side, fits ? 32 : 50, words, anchor, `fr-key-text fr-halo fr-${kind}`);
    };
    const half = 4 * own.length;
    return [
      line([at, 18], [at, foot], "fr-pen fr-ink fr-threshold"),
      text(Math.min(Math.max(at, half), width - half), 13, own, "middle", "fr-key-text"),
      name(match, true, "impostor"),
      name(miss, false, "genuine"),
    ];
  }

  /** Named thresholds below the axis, the calibrated one with its interval. @param {Scale} x @param {number} width @param {number} foot */
  function namedThresholds(x, width, foot) {
    let before = -Infinity;
    const marks = [...(scene?.marks ?? [])].sort((a, b) => a.at - b.at);
    return marks.flatMap(({ name, at, low, high }) => {
      const words = `${name} ${at.toFixed(3)}`;
      const half = 3.4 * words.length;
      const middle = Math.min(Math.max(x(at), half), width - half);
      const row = middle - half < before + 8 ? 1 : 0;
      before = middle + half;
      const nodes = [s("path", { d: `M${x(at)} ${foot + 20}l4 8h-8Z`, class: "fr-dot fr-soft" })];
      if (low !== undefined && high !== undefined) {
        const path = `M${x(low)} ${foot + 20}v6m0-3H${x(high)}m0-3v6`;
        nodes.unshift(s("path", { d: path, class: "fr-pen fr-soft fr-thin" }));
      }
      return [...nodes, text(middle, foot + 43 + 15 * row, words, "middle")];
    });
  }

  /** @param {number} value @param {"drag" | "commit"} phase */
  function move(value, phase) {
    if (scene) onMove(Math.min(Math.max(value, 0), scene.top), phase, reach);
  }

  /** The threshold under the pointer. @param {PointerEvent} event */
  function under(event) {
    const box = plot.svg.getBoundingClientRect();
    const px = ((event.clientX - box.left) / (box.width || 1)) * frame.width;
    const span = frame.width - frame.left - frame.right;
    const step = stepOf(scene?.top ?? 1);
    // a pixel is coarser than a step: use a round number
    return Math.round((((px - frame.left) / span) * (scene?.top ?? 1)) / step) * step;
  }
  plot.svg.addEventListener("pointerdown", (event) => {
    if (!scene) return;
    held = true;
    plot.svg.setPointerCapture?.(event.pointerId);
    move(under(event), "drag");
  });
  plot.svg.addEventListener("pointermove", (event) => {
    if (held) move(under(event), "drag");
    else if (scene) onPoint(Math.min(Math.max(under(event), 0), scene.top));
  });
  plot.svg.addEventListener("pointerup", (event) => {
    if (!held) return;
    held = false;
    move(under(event), "commit");
    input.focus({ preventScroll: true });
  });
  plot.svg.addEventListener("pointercancel", () => {
    held = false;
  });
  input.addEventListener("input", () => move(input.valueAsNumber, "drag"));
  input.addEventListener("change", () => move(input.valueAsNumber, "commit"));
  input.addEventListener("keydown", (event) => {
    if (!scene || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = stepOf(scene.top);
    /** @type {Record<string, number>} */
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    /** @type {Record<string, number>} */
    const to = { Home: 0, End: scene.top };
    const far = event.shiftKey ? 10 : 1;
    const value = event.key in by ? scene.threshold + by[event.key] * step * far : to[event.key];
    if (value === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    // from a value between two steps, the first key moves to a round number
    move(event.key in by ? Math.round(value / step) * step : value, "commit");
  });

  return {
    root,
    input,
    /** @param {Scene} next @param {string} metric */
    show(next, metric) {
      scene = next;
      input.max = String(next.top);
      input.value = String(next.threshold);
      input.setAttribute("aria-valuetext", handleWords(next.threshold, next.rates));
      caption.textContent = METRICS[metric] ?? "distance between two faces";
      plot.show(
        `Densities of the distances of genuine and impostor pairs. ${handleWords(next.threshold, next.rates)}`,
      );
    },
  };
}
