// A guess that is a curve, drawn by hand or set point by point with the keys; afterwards the truth over it.

import { h } from "../shared/dom.js";
import { s } from "../shared/svg.js";
import { short } from "./number.js";

/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").Input} Input */
/** @typedef {(number | null)[]} Values */

const HEIGHT = 220;
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 12, 14, 40];

/**
 * A curve without gaps: straight between the points that were set, level beyond them; null if none was.
 * @param {number[]} x
 * @param {Values} y
 * @returns {number[] | null}
 */
export function filled(x, y) {
  const set = y.flatMap((v, i) => (v === null ? [] : [i]));
  if (!set.length) return null;
  return x.map((at, i) => {
    const before = set.filter((k) => k <= i).pop();
    const after = set.find((k) => k >= i);
    const a = Number(y[before ?? after ?? 0]);
    const b = Number(y[after ?? before ?? 0]);
    if (before === undefined || after === undefined || before === after) return before === undefined ? b : a;
    return a + ((at - x[before]) / (x[after] - x[before])) * (b - a);
  });
}

/**
 * The points that a stroke from one place to the next sets.
 * @param {number[]} x
 * @param {Values} y
 * @param {[number, number]} from
 * @param {[number, number]} to
 * @returns {Values}
 */
export function stroke(x, y, from, to) {
  const nearest = x.reduce((best, at, i) => (Math.abs(at - to[0]) < Math.abs(x[best] - to[0]) ? i : best), 0);
  const [left, right] = from[0] <= to[0] ? [from, to] : [to, from];
  return y.map((old, i) => {
    if (x[i] >= left[0] && x[i] <= right[0] && right[0] > left[0]) {
      return left[1] + ((x[i] - left[0]) / (right[0] - left[0])) * (right[1] - left[1]);
    }
    return i === nearest ? to[1] : old;
  });
}

/** Round places for ticks. @param {number} low @param {number} high @param {number} most */
export function ticks(low, high, most) {
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const step = [1, 2, 5, 10].map((m) => m * power).find((d) => (high - low) / d <= most) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** @param {Setup} setup @param {(spoken?: string) => void} changed @returns {Input} */
export function createCurve(setup, changed) {
  const { x } = setup;
  const [low, high] = [Number(setup.low), Number(setup.high)];
  const [first, last] = [x[0], x[x.length - 1]];
  const grain = (high - low) / 50;
  /** @type {Values} */
  let y = x.map(() => null);
  let at = 0;
  let locked = false;
  /** @type {Values | null} */
  let shown = null;
  const picture = s("svg", { class: "fr-curve-picture" });
  const board = h("div", {
    class: "fr-board",
    role: "slider",
    tabindex: 0,
    "aria-label": `${setup.y_label || "curve"}: left and right choose a place, up and down set its value`,
    "aria-valuemin": low,
    "aria-valuemax": high,
    "data-lm-suppress-shortcuts": "true",
  });
  board.append(picture);
  const hint = h("p", { class: "fr-sub fr-hint" });
  const clear = h("button", { type: "button", class: "fr-button", "data-action": "clear", text: "Clear" });
  const foot = h("div", { class: "fr-foot" }, hint, clear);
  const root = h("div", { class: "fr-curve" }, board, foot);

  const width = () => board.clientWidth || 360;
  const across = (/** @type {number} */ v) =>
    LEFT + ((v - first) / (last - first)) * (width() - LEFT - RIGHT);
  const up = (/** @type {number} */ v) =>
    HEIGHT - BOTTOM - ((v - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);

  /** @param {Values} values */
  function line(values) {
    let pen = "M";
    let text = "";
    values.forEach((v, i) => {
      if (v === null) pen = "M";
      else {
        text += `${pen}${across(x[i]).toFixed(1)} ${up(v).toFixed(1)}`;
        pen = "L";
      }
    });
    return text;
  }

  function axes() {
    const right = width() - RIGHT;
    const parts = ticks(low, high, 5).flatMap((v) => [
      s("line", { x1: LEFT, x2: right, y1: up(v), y2: up(v), class: "fr-rule-line" }),
      s("text", { x: LEFT - 8, y: up(v) + 4, "text-anchor": "end", class: "fr-tick-text" }, short(v)),
    ]);
    for (const v of ticks(first, last, 6)) {
      parts.push(
        s("text", { x: across(v), y: HEIGHT - 22, "text-anchor": "middle", class: "fr-tick-text" }, short(v)),
      );
    }
    const middle = (LEFT + right) / 2;
    parts.push(
      s("text", { x: middle, y: HEIGHT - 5, "text-anchor": "middle", class: "fr-tick-text" }, setup.x_label),
    );
    parts.push(s("text", { x: LEFT, y: 10, class: "fr-tick-text" }, setup.y_label));
    return parts;
  }

  function draw() {
    picture.setAttribute("viewBox", `0 0 ${width()} ${HEIGHT}`);
    const parts = axes();
    const full = filled(x, y);
    if (full) {
      if (shown) parts.push(...gaps(full, shown));
      parts.push(s("path", { d: line(full), class: "fr-guess-line" }));
      for (const [i, v] of shown ? [] : y.entries()) {
        if (v !== null) parts.push(s("circle", { cx: across(x[i]), cy: up(v), r: 3, class: "fr-guess-dot" }));
      }
      if (shown) parts.push(s("path", { d: line(shown), class: "fr-truth-line" }), ...names(full, shown));
    } else {
      const middle = (LEFT + width() - RIGHT) / 2;
      parts.push(
        s(
          "text",
          { x: middle, y: HEIGHT / 2, "text-anchor": "middle", class: "fr-tick-text" },
          "Draw your curve here",
        ),
      );
    }
    if (!locked)
      parts.push(
        s("line", { x1: across(x[at]), x2: across(x[at]), y1: TOP, y2: HEIGHT - BOTTOM, class: "fr-cursor" }),
      );
    picture.replaceChildren(...parts);
    tell(full);
  }

  /** @param {number[] | null} full */
  function tell(full) {
    const value = full ? short(full[at]) : "not drawn yet";
    board.setAttribute("aria-valuenow", String(full ? full[at] : low));
    board.setAttribute("aria-valuetext", `${setup.x_label} ${short(x[at])}: ${value}`);
    clear.disabled = locked || !full;
    foot.hidden = locked;
    hint.textContent = full
      ? `at ${setup.x_label} ${short(x[at])}: ${value}`
      : "By hand, or with the arrow keys.";
  }

  /** @param {number[]} guess @param {Values} truth */
  function gaps(guess, truth) {
    return guess.flatMap((g, i) => {
      const t = truth[i];
      return t === null
        ? []
        : [s("line", { x1: across(x[i]), x2: across(x[i]), y1: up(g), y2: up(t), class: "fr-gap" })];
    });
  }

  /** The words at the lines' ends, apart from each other. @param {number[]} guess @param {Values} truth */
  function names(guess, truth) {
    const end = truth.reduce((/** @type {number} */ best, t, i) => (t === null ? best : i), 0);
    const [g, t] = [up(guess[end]), up(Number(truth[end]))];
    const above = g <= t ? -1 : 1;
    const name = (/** @type {number} */ to, /** @type {string} */ text, /** @type {string} */ kind) =>
      s(
        "text",
        {
          x: across(x[end]) - 4,
          y: Math.min(Math.max(to, 10), HEIGHT - BOTTOM - 4),
          "text-anchor": "end",
          class: kind,
        },
        text,
      );
    return [
      name(g + (above < 0 ? -8 : 16), "guess", "fr-mark-text fr-guess-text"),
      name(t + (above < 0 ? 16 : -8), "truth", "fr-mark-text"),
    ];
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  function under(event) {
    const box = picture.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * width();
    const py = ((event.clientY - box.top) / box.height) * HEIGHT;
    const vx = first + ((px - LEFT) / (width() - LEFT - RIGHT)) * (last - first);
    const vy = low + ((HEIGHT - BOTTOM - py) / (HEIGHT - TOP - BOTTOM)) * (high - low);
    return [Math.min(Math.max(vx, first), last), Math.min(Math.max(vy, low), high)];
  }

  /** @type {[number, number] | null} */
  let pen = null;
  board.addEventListener("pointerdown", (event) => {
    if (locked || event.button !== 0) return;
    board.setPointerCapture(event.pointerId);
    pen = under(event);
    put(stroke(x, y, pen, pen), pen[0]);
  });
  board.addEventListener("pointermove", (event) => {
    if (!pen) return;
    const to = under(event);
    put(stroke(x, y, pen, to), to[0]);
    pen = to;
  });
  for (const event of ["pointerup", "pointercancel"]) {
    board.addEventListener(event, () => {
      pen = null;
    });
  }
  board.addEventListener("keydown", (event) => {
    if (locked || event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, number>} */
    const aside = { ArrowLeft: -1, ArrowRight: 1 };
    /** @type {Record<string, number>} */
    const height = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -1e9, End: 1e9 };
    if (event.key in aside) at = Math.min(Math.max(at + aside[event.key], 0), x.length - 1);
    else if (event.key in height) {
      const now = filled(x, y)?.[at] ?? (low + high) / 2;
      const next = Math.min(Math.max(now + height[event.key] * grain, low), high);
      y = y.map((v, i) => (i === at ? next : v));
    } else return;
    event.preventDefault();
    draw();
    changed();
  });
  clear.addEventListener("click", () => {
    y = x.map(() => null);
    draw();
    changed();
    board.focus();
  });

  /** @param {Values} values @param {number} where */
  function put(values, where) {
    y = values;
    at = x.reduce((best, v, i) => (Math.abs(v - where) < Math.abs(x[best] - where) ? i : best), 0);
    draw();
    changed();
  }

  // the observer goes with its element
  if (globalThis.ResizeObserver) new ResizeObserver(draw).observe(board);
  draw();
  return {
    root,
    value: () => filled(x, y),
    set(guess) {
      y = guess ? [...guess] : x.map(() => null);
      draw();
    },
    lock(now) {
      locked = now;
      board.setAttribute("aria-disabled", String(now));
      board.classList.toggle("fr-locked", now);
      draw();
    },
    reveal(_guess, truth) {
      shown = truth;
      draw();
    },
  };
}
