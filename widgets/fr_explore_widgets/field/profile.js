// E as a function of the scale, coverage below it on the same axis, and the cursor, which is the slider.

import { div, h, uid } from "../shared/dom.js";
import { createPlot, figure, linear, linePath } from "../shared/plot.js";
import { circle, line, s, text } from "../shared/svg.js";
import { percent, scaleText } from "./words.js";

/** @typedef {import("./types").Kind} Kind */
/** @typedef {import("./types").NullSamples} NullSamples */
/** @typedef {{kind: Kind, words: string, grid: number[], energy: (number | null)[], coverage: number[], random: NullSamples,
 *   color: string, label: string, place: number}} Shown */

const [LEFT, RIGHT, TOP] = [46, 14, 12];
const [HIGH, GAP, LOW, BELOW] = [128, 14, 34, 34];
const FLOOR = TOP + HIGH + GAP + LOW;
const THUMB = 8;

/**
 * The indices of an axis that get a number: round values, at some distance from each other.
 * @param {number[]} grid @param {Kind} kind @param {number} room the least number of indices between two
 */
export function ticks(grid, kind, room) {
  if (grid.length < 2) return [];
  const rounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
  const isRound = (/** @type {number} */ value) =>
    kind === "knn" ? rounds.includes(value) : Math.abs(value * 4 - Math.round(value * 4)) < 1e-9;
  const wanted = grid.flatMap((value, i) => (isRound(value) ? [i] : []));
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
  const input = h("input", {
    type: "range",
    id: uid("scale"),
    class: "fr-cursor",
    min: 0,
    step: 1,
    oninput: () => onMove(Math.round(input.valueAsNumber), "drag"),
    onchange: () => onMove(Math.round(input.valueAsNumber), "commit"),
  });
  input.style.left = `${LEFT - THUMB}px`;
  input.style.width = `calc(100% - ${LEFT + RIGHT - 2 * THUMB}px)`;
  input.style.height = `${FLOOR}px`;
  /** @type {Shown | null} */
  let shown = null;
  const plot = createPlot(signal, "fr-profile-plot", () => FLOOR + BELOW, draw);
  plot.svg.setAttribute("aria-hidden", "true");
  plot.root.append(input);

  /** @param {number} width */
  function draw(width) {
    if (!shown) return [];
    const { kind, words, grid, energy, coverage, random, place } = shown;
    const last = Math.max(grid.length - 1, 1);
    const right = width - RIGHT;
    const x = grid.length > 1 ? linear(0, last, LEFT, right) : () => (LEFT + right) / 2;
    const values = energy.map((e) => e ?? Number.NaN);
    const top = Math.max(...values.filter(Number.isFinite), 1) > 1.15 ? 2 : 1.2;
    const y = (/** @type {number} */ e) => TOP + HIGH * (1 - Math.min(e, top) / top);
    const c = linear(0, 1, FLOOR, FLOOR - LOW);
    const places = grid.map((_, i) => i);
    const late = place > 0.55 * last; // words keep away from the cursor
    return [
      line([LEFT, y(0)], [right, y(0)], "fr-axis"),
      ...[0, 1, 2].filter((e) => e <= top).map((e) => text(LEFT - 6, y(e) + 4, String(e), "end")),
      ...nullParts(random, x, y, right, late),
      s("path", { d: linePath(places, values, x, y), class: "fr-pen" }),
      s("path", { d: `${linePath(places, coverage, x, c)}V${FLOOR}H${x(0)}Z`, class: "fr-area fr-soft" }),
      line([LEFT, FLOOR], [right, FLOOR], "fr-axis"),
      text(LEFT - 6, TOP + 2, "E", "end"),
      text(LEFT - 6, c(1) + 8, "100 %", "end"),
      text(LEFT - 6, FLOOR, "0", "end"),
      late ? text(LEFT + 4, FLOOR - 5, "coverage") : text(right - 4, FLOOR - 5, "coverage", "end"),
      ...ticks(grid, kind, Math.ceil((26 * last) / width)).flatMap((i) => [
        line([x(i), FLOOR], [x(i), FLOOR + 4], "fr-axis"),
        text(x(i), FLOOR + 16, String(grid[i]), "middle"),
      ]),
      text((LEFT + right) / 2, FLOOR + 31, AXES[kind] ?? words, "middle"),
      line([x(place), TOP - 4], [x(place), FLOOR], "fr-pen fr-ink fr-thin fr-cursor-line"),
      circle(x(place), y(values[place] || 0), 6, "fr-knob"),
      circle(x(place), c(coverage[place] ?? 0), 3, "fr-dot fr-ink"),
    ];
  }

  return {
    root: div("fr-profile", plot.root),
    /** @param {Shown} what */
    show(what) {
      shown = what;
      const { kind, grid, energy, coverage, place, label, color } = what;
      plot.root.style.setProperty("--c", color);
      input.max = String(grid.length - 1);
      if (input.valueAsNumber !== place) input.valueAsNumber = place;
      const says = energy[place] === null ? "E is not defined" : `E ${figure(energy[place])} for ${label}`;
      const scale = scaleText(kind, grid[place], what.words);
      input.hidden = grid.length < 2;
      input.setAttribute("aria-label", kind === "knn" ? "Scale: number of neighbours" : "Scale: radius");
      input.setAttribute("aria-valuetext", `${scale}: ${says}, coverage ${percent(coverage[place])}`);
      plot.redraw();
    },
  };
}

/** @type {Record<Kind, string>} */
const AXES = { knn: "number of nearest neighbours", ball: "radius, in mean distances" };

/** The null: a dashed line with its name, and a band of two standard deviations. @param {NullSamples} random @param {(i: number) => number} x @param {(e: number) => number} y @param {number} right @param {boolean} left name at the left, where the cursor is not */
function nullParts(random, x, y, right, left) {
  // of the only scale, the null reaches over the whole width
  const known = random.length === 1 ? [random[0], random[0]] : random;
  const places = random.length === 1 ? [LEFT, right] : known.map(([at]) => x(at));
  const means = known.map(([, mean]) => y(mean));
  const first = known[0]?.[1] ?? 1;
  const edges = [
    ...known.map(([, mean, sd]) => y(mean + 2 * sd)),
    ...known.map(([, mean, sd]) => y(mean - 2 * sd)).reverse(),
  ];
  const band = known.length ? `${linePath([...places, ...[...places].reverse()], edges)}Z` : "";
  const whole = linePath([LEFT, ...places, right], [y(first), ...means, y(random.at(-1)?.[1] ?? 1)]);
  return [
    s("path", { d: band, class: "fr-area fr-soft" }),
    s("path", { d: whole, class: "fr-null" }),
    text(left ? LEFT + 4 : right, y(1) - 6, "random directions", left ? "start" : "end"),
  ];
}
