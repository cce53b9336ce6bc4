// A plot of the past values of E along a slider, with the closed form and the null.

import { div, h, section } from "../shared/dom.js";
import { axisLeft, createPlot, linear, linePath } from "../shared/plot.js";
import { circle, line, s, text } from "../shared/svg.js";

/** @typedef {import("./types").Spec} Spec */
/** @typedef {{name: string, run: number, x: number, energy: number}} Past `run`: settings other than the slider's changed between runs */
/** @typedef {{spec: Spec, past: Past[], closed: [number, number][], random: number, now: Past}} Shown */

const HEIGHT = 132;
const [LEFT, RIGHT, TOP, BOTTOM] = [28, 8, 10, 24];
const KEEP = 300;

/**
 * Add a value to the past: one for each position of the slider in a run, the latest.
 * @param {Past[]} past
 * @param {Past} now
 * @returns {Past[]}
 */
export function remember(past, now) {
  const rest = past.filter((p) => !(p.name === now.name && p.run === now.run && p.x === now.x));
  return [...rest, now].slice(-KEEP);
}

/** The top of the axis. @param {number[]} values */
export function top(values) {
  return Math.max(...values.filter(Number.isFinite), 1) > 1.2 ? 2.1 : 1.25;
}

/** @param {AbortSignal} signal */
export function createTrace(signal) {
  const title = h("h3");
  const legend = h("span", { class: "fr-sub", text: "dots: past values; line: closed form" });
  const plot = createPlot(signal, "fr-trace-plot", () => HEIGHT, draw);
  const root = section("fr-trace", "Past values", div("fr-head", title, legend), plot.root);
  /** @type {Shown | null} */
  let shown = null;

  /** @param {number} width */
  function draw(width) {
    if (!shown) return [];
    const { spec, past, closed, random, now } = shown;
    const own = past.filter((p) => p.name === spec.name && !Number.isNaN(p.energy));
    const high = top([...own.map((p) => p.energy), ...closed.map((p) => p[1])]);
    const right = width - RIGHT;
    const x = linear(spec.low, spec.high, LEFT, right);
    const y = linear(0, high, HEIGHT - BOTTOM, TOP);
    const f = { width, height: HEIGHT, left: LEFT, right: RIGHT, top: TOP, bottom: BOTTOM };
    const whole = [0, 1, 2].filter((v) => v < high);
    const parts = [axisLeft(f, y, whole, String), line([LEFT, y(0)], [right, y(0)], "fr-axis")];
    if (!Number.isNaN(random)) {
      parts.push(line([LEFT, y(random)], [right, y(random)], "fr-null"));
      parts.push(text(right, y(random) - 5, "random", "end"));
    }
    const [xs, ys] = [closed.map((p) => p[0]), closed.map((p) => p[1])];
    parts.push(s("path", { d: linePath(xs, ys, x, y), class: "fr-pen fr-ink fr-thin" }));
    for (const p of own) {
      parts.push(circle(x(p.x), y(p.energy), 2.5, `fr-dot fr-past ${p.run === now.run ? "" : "fr-old"}`));
    }
    if (!Number.isNaN(now.energy)) parts.push(circle(x(now.x), y(now.energy), 5, "fr-knob"));
    const ends = spec.ends ?? [String(spec.low), String(spec.high)];
    return [
      ...parts,
      text(LEFT, HEIGHT - 7, ends[0]),
      text((LEFT + right) / 2, HEIGHT - 7, spec.label.toLowerCase(), "middle"),
      text(right, HEIGHT - 7, ends[1], "end"),
    ];
  }

  return {
    root,
    /** @param {Shown} what */
    show(what) {
      shown = what;
      const { spec, past, now } = what;
      const count = past.filter((p) => p.name === spec.name && !Number.isNaN(p.energy)).length;
      title.textContent = `E as ${spec.label.toLowerCase()} changed`;
      plot.show(`E against ${spec.label.toLowerCase()}: ${count} so far, now ${now.energy.toFixed(2)}`);
    },
  };
}
