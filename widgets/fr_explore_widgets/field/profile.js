// E over the scale, coverage beneath it on the same axis, and the cursor that is the slider.

import { h, uid } from "../shared/dom.js";
import { s } from "../shared/svg.js";
import { figure, percent, scaleText } from "./words.js";

/** @typedef {import("./types").Kind} Kind */
/** @typedef {{kind: Kind, grid: number[], energy: (number | null)[], coverage: number[], none: import("./types").Null,
 *   color: string, label: string, place: number}} Shown */

const [LEFT, RIGHT, TOP] = [46, 14, 12];
const [HIGH, GAP, LOW] = [128, 14, 34];
const FOOT = 34;
const THUMB = 8;

/**
 * The places of an axis that get a number: round ones, and never two too close.
 * @param {number[]} grid @param {Kind} kind @param {number} room how many places need to lie between two
 */
export function ticks(grid, kind, room) {
  const rounds = kind === "knn" ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] : [];
  const wanted = grid.flatMap((value, i) => {
    if (kind === "knn") return rounds.includes(value) ? [i] : [];
    return Math.abs(value * 4 - Math.round(value * 4)) < 1e-9 ? [i] : [];
  });
  const kept = wanted.length > 1 ? wanted : [0, grid.length - 1];
  let last = Number.NEGATIVE_INFINITY;
  return kept.filter((i) => {
    if (i - last < room) return false;
    last = i;
    return true;
  });
}

/** @param {{signal: AbortSignal, onMove: (place: number, phase: "drag" | "commit") => void}} options */
export function createProfile({ signal, onMove }) {
  const picture = s("svg", { class: "fr-profile-picture", "aria-hidden": "true" });
  const input = h("input", { type: "range", id: uid("scale"), class: "fr-cursor", min: 0, step: 1 });
  const root = h("div", { class: "fr-profile" }, picture, input);
  /** @type {Shown | null} */
  let shown = null;
  let width = 0;

  function draw() {
    if (!shown) return;
    const { kind, grid, energy, coverage, none, place, color } = shown;
    width = root.clientWidth || 340;
    const last = Math.max(grid.length - 1, 1);
    const x = (/** @type {number} */ i) => LEFT + (i / last) * (width - LEFT - RIGHT);
    const values = energy.map((e) => e ?? Number.NaN);
    const top = Math.max(...values.filter(Number.isFinite), 1) > 1.15 ? 2 : 1.2;
    const y = (/** @type {number} */ e) => TOP + HIGH * (1 - Math.min(e, top) / top);
    const floor = TOP + HIGH + GAP + LOW;
    const c = (/** @type {number} */ share) => floor - LOW * share;
    const text = (
      /** @type {number} */ at,
      /** @type {number} */ up,
      /** @type {string} */ words,
      /** @type {string} */ anchor = "end",
    ) => s("text", { x: at, y: up, "text-anchor": anchor }, words);
    const level = (/** @type {number} */ up, /** @type {string} */ cls) =>
      s("line", { x1: LEFT, x2: width - RIGHT, y1: up, y2: up, class: cls });
    const parts = [level(y(0), "fr-axis"), text(LEFT - 6, y(0) + 4, "0"), text(LEFT - 6, y(1) + 4, "1")];
    if (top === 2) parts.push(text(LEFT - 6, y(2) + 4, "2"));
    parts.push(...null_(none, x, y, width, place > 0.55 * last));
    parts.push(s("path", { d: line(values.map((e, i) => [x(i), y(e)])), class: "fr-line", stroke: color }));
    const area = [[x(0), c(0)], ...coverage.map((v, i) => [x(i), c(v)]), [x(last), c(0)]];
    parts.push(s("path", { d: line(area), class: "fr-covered" }), level(c(0), "fr-axis"));
    parts.push(text(LEFT - 6, TOP + 2, "E"), text(LEFT - 6, c(1) + 8, "100 %"), text(LEFT - 6, c(0), "0"));
    // where the curve leaves room for the word
    parts.push(text(width - RIGHT - 4, c(0) - 5, "coverage"));
    for (const i of ticks(grid, kind, Math.ceil((26 * last) / width))) {
      parts.push(s("line", { x1: x(i), x2: x(i), y1: floor, y2: floor + 4, class: "fr-axis" }));
      parts.push(text(x(i), floor + 16, String(grid[i]), "middle"));
    }
    const axis = kind === "knn" ? "how many of the nearest are neighbours" : "radius, in mean distances";
    parts.push(text((LEFT + width - RIGHT) / 2, floor + 31, axis, "middle"));
    parts.push(s("line", { x1: x(place), x2: x(place), y1: TOP - 4, y2: floor, class: "fr-cursor-line" }));
    const at = Number.isFinite(values[place]) ? y(values[place]) : y(0);
    parts.push(s("circle", { cx: x(place), cy: at, r: 6, class: "fr-handle", fill: color }));
    parts.push(s("circle", { cx: x(place), cy: c(coverage[place] ?? 0), r: 3, class: "fr-dot" }));
    picture.setAttribute("viewBox", `0 0 ${width} ${floor + FOOT}`);
    picture.setAttribute("height", String(floor + FOOT));
    picture.replaceChildren(...parts);
    input.style.left = `${LEFT - THUMB}px`;
    input.style.width = `calc(100% - ${LEFT + RIGHT - 2 * THUMB}px)`;
    input.style.height = `${floor}px`;
    speak();
  }

  function speak() {
    if (!shown) return;
    const { kind, grid, energy, coverage, place, label } = shown;
    const e = energy[place];
    input.setAttribute("aria-label", kind === "knn" ? "Scale: how many neighbours" : "Scale: radius");
    const says = e === null ? "E is not defined" : `E ${figure(e)} for ${label}`;
    input.setAttribute(
      "aria-valuetext",
      `${scaleText(kind, grid[place])}: ${says}, coverage ${percent(coverage[place])}`,
    );
  }

  for (const [event, phase] of /** @type {["input" | "change", "drag" | "commit"][]} */ ([
    ["input", "drag"],
    ["change", "commit"],
  ])) {
    input.addEventListener(event, () => onMove(Math.round(input.valueAsNumber), phase));
  }
  if (globalThis.ResizeObserver) {
    const observer = new ResizeObserver(() => root.clientWidth !== width && draw());
    observer.observe(root);
    signal.addEventListener("abort", () => observer.disconnect());
  }
  return {
    root,
    input,
    /** @param {Shown} what */
    show(what) {
      shown = what;
      input.max = String(what.grid.length - 1);
      if (input.valueAsNumber !== what.place) input.valueAsNumber = what.place;
      draw();
    },
  };
}

/** The null: a dashed line with its word, and a band of two standard deviations where it was drawn.
 * @param {import("./types").Null} none @param {(i: number) => number} x @param {(e: number) => number} y @param {number} width @param {boolean} left where its word does not meet the cursor */
function null_(none, x, y, width, left) {
  const parts = [];
  if (none.length > 1) {
    const edge = (/** @type {number} */ side) =>
      none.map(([at, mean, sd]) => [x(at), y(mean + 2 * side * sd)]);
    parts.push(s("path", { d: `${line([...edge(1), ...edge(-1).reverse()])}Z`, class: "fr-null-band" }));
  }
  const drawn = none.length > 1 ? none.map(([at, mean]) => [x(at), y(mean)]) : [];
  const whole = [
    [LEFT, y(drawn.length ? none[0][1] : 1)],
    ...drawn,
    [width - RIGHT, y(none.at(-1)?.[1] ?? 1)],
  ];
  parts.push(s("path", { d: line(whole), class: "fr-null" }));
  const side = left ? { x: LEFT + 4, "text-anchor": "start" } : { x: width - RIGHT, "text-anchor": "end" };
  parts.push(s("text", { ...side, y: y(1) - 6 }, "random directions"));
  return parts;
}

/** A line with gaps where a value is missing. @param {number[][]} points */
export function line(points) {
  let pen = "M";
  let path = "";
  for (const [x, y] of points) {
    if (Number.isNaN(y)) pen = "M";
    else {
      path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
    }
  }
  return path;
}
