// The guess of a curve, drawn with the pointer or set point by point with the keys; after the reveal, with the truth.

import { button, div, h } from "../shared/dom.js";
import { axisBelow, axisLeft, linear, linePath, short, ticks } from "../shared/plot.js";
import { circle, line, s, text } from "../shared/svg.js";

/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").Input} Input */
/** @typedef {(number | null)[]} Values */

const figure = (/** @type {number} */ value) => short(value, 4);
const HEIGHT = 220;
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 12, 14, 40];

/**
 * A curve without gaps: linear between the set points, constant beyond them; null if no point is set.
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
 * The values after a stroke from one position to another.
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
  let truth = null;
  const picture = s("svg", { class: "fr-plot fr-curve-picture" });
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
  const clear = button("Clear", "clear", () => {
    y = x.map(() => null);
    draw();
    changed();
    board.focus();
  });
  const foot = div("fr-foot fr-flow", hint, clear);
  const root = div("fr-curve", board, foot);

  const width = () => board.clientWidth || 360;
  const across = (/** @type {number} */ v) => linear(first, last, LEFT, width() - RIGHT)(v);
  const up = linear(low, high, HEIGHT - BOTTOM, TOP);
  const nearest = (/** @type {number} */ where) =>
    x.reduce((best, v, i) => (Math.abs(v - where) < Math.abs(x[best] - where) ? i : best), 0);

  function draw() {
    picture.setAttribute("viewBox", `0 0 ${width()} ${HEIGHT}`);
    const f = { width: width(), height: HEIGHT, left: LEFT, right: RIGHT, top: TOP, bottom: BOTTOM };
    const parts = [
      axisLeft(f, up, ticks(low, high, 5), figure),
      axisBelow(f, across, ticks(first, last, 6), setup.x_label, figure),
      text(LEFT, 10, setup.y_label),
    ];
    const full = filled(x, y);
    if (!full) {
      if (truth) parts.push(s("path", { d: linePath(x, truth, across, up), class: "fr-pen fr-truth-line" }));
      else parts.push(text((LEFT + width() - RIGHT) / 2, HEIGHT / 2, "Draw your curve here", "middle"));
    } else {
      if (truth) parts.push(...gaps(full, truth));
      parts.push(s("path", { d: linePath(x, full, across, up), class: "fr-pen fr-guess" }));
      for (const [i, v] of truth ? [] : y.entries()) {
        if (v !== null) parts.push(circle(across(x[i]), up(v), 3, "fr-dot fr-guess fr-guess-dot"));
      }
      if (truth)
        parts.push(
          s("path", { d: linePath(x, truth, across, up), class: "fr-pen fr-truth-line" }),
          ...names(full, truth),
        );
    }
    if (!locked)
      parts.push(
        line([across(x[at]), TOP], [across(x[at]), HEIGHT - BOTTOM], "fr-pen fr-soft fr-thin fr-cursor"),
      );
    picture.replaceChildren(...parts);
    describe(full);
  }

  /** @param {number[] | null} full */
  function describe(full) {
    const value = full ? figure(full[at]) : "not drawn yet";
    board.setAttribute("aria-valuenow", String(full ? full[at] : low));
    board.setAttribute("aria-valuetext", `${setup.x_label} ${figure(x[at])}: ${value}`);
    clear.disabled = locked || !full;
    foot.hidden = locked;
    hint.textContent = full
      ? `at ${setup.x_label} ${figure(x[at])}: ${value}`
      : "Draw with the pointer, or use the arrow keys.";
  }

  /** @param {number[]} guess @param {Values} truth */
  function gaps(guess, truth) {
    return guess.flatMap((g, i) => {
      const t = truth[i];
      return t === null ? [] : [line([across(x[i]), up(g)], [across(x[i]), up(t)], "fr-pen fr-guess fr-gap")];
    });
  }

  /** The names at the ends of the lines, apart from each other. @param {number[]} guess @param {Values} truth */
  function names(guess, truth) {
    const end = truth.reduce((/** @type {number} */ best, t, i) => (t === null ? best : i), 0);
    const [g, t] = [up(guess[end]), up(Number(truth[end]))];
    const name = (/** @type {number} */ to, /** @type {string} */ words, /** @type {string} */ kind) =>
      text(across(x[end]) - 4, Math.min(Math.max(to, 10), HEIGHT - BOTTOM - 4), words, "end", kind);
    return [
      name(g + (g <= t ? -8 : 16), "guess", "fr-key-text fr-guess"),
      name(t + (g <= t ? 16 : -8), "truth", "fr-key-text"),
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

  /** @param {Values} values @param {number} where */
  function put(values, where) {
    y = values;
    at = nearest(where);
    draw();
    changed();
  }

  // the observer is collected with its element
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
    reveal(_guess, given) {
      truth = given;
      draw();
    },
  };
}
