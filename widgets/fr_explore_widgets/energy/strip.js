// A strip of what E was as a slider moved, with the closed form along that slider and the null.

import { h } from "../shared/dom.js";
import { s } from "../shared/svg.js";

/** @typedef {import("./types").Spec} Spec */
/** @typedef {{name: string, run: number, x: number, energy: number}} Past */
/** @typedef {{spec: Spec, past: Past[], run: number, closed: [number, number][], random: number, now: Past}} Shown */

const HEIGHT = 132;
const LEFT = 28;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 24;
const KEEP = 300;

/**
 * Add a value to the past: one per place of the slider in a run, the latest wins.
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

/**
 * A polyline with gaps where a value is missing.
 * @param {[number, number][]} points
 */
export function path(points) {
  let pen = "M";
  let text = "";
  for (const [x, y] of points) {
    if (Number.isNaN(y)) pen = "M";
    else {
      text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
    }
  }
  return text;
}

/** @param {AbortSignal} signal */
export function createStrip(signal) {
  const title = h("h3");
  const legend = h("span", { class: "fr-sub", text: "dots: what it was; line: closed form" });
  const picture = s("svg", { class: "fr-strip-picture", role: "img" });
  const root = h(
    "section",
    { class: "fr-strip", "aria-label": "Past values" },
    h("div", { class: "fr-strip-head" }, title, legend),
    picture,
  );
  /** @type {Shown | null} */
  let shown = null;

  function draw() {
    if (!shown) return;
    const { spec, past, run, closed, random, now } = shown;
    const width = picture.clientWidth || 320;
    picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const own = past.filter((p) => p.name === spec.name && !Number.isNaN(p.energy));
    const high = top([...own.map((p) => p.energy), ...closed.map((p) => p[1])]);
    const x = (/** @type {number} */ v) =>
      LEFT + ((v - spec.low) / (spec.high - spec.low)) * (width - LEFT - RIGHT);
    const y = (/** @type {number} */ e) => HEIGHT - BOTTOM - (e / high) * (HEIGHT - TOP - BOTTOM);
    /** @type {SVGElement[]} */
    const parts = [0, 1, 2]
      .filter((v) => v < high)
      .flatMap((v) => [
        s("line", { x1: LEFT, x2: width - RIGHT, y1: y(v), y2: y(v), class: v ? "fr-rule-line" : "fr-axis" }),
        s("text", { x: LEFT - 8, y: y(v) + 4, class: "fr-tick-text", "text-anchor": "end" }, String(v)),
      ]);
    if (!Number.isNaN(random)) {
      parts.push(s("line", { x1: LEFT, x2: width - RIGHT, y1: y(random), y2: y(random), class: "fr-null" }));
      parts.push(
        s(
          "text",
          { x: width - RIGHT, y: y(random) - 5, class: "fr-tick-text", "text-anchor": "end" },
          "random",
        ),
      );
    }
    parts.push(s("path", { d: path(closed.map(([a, b]) => [x(a), y(b)])), class: "fr-closed" }));
    for (const p of own) {
      const old = p.run === run ? "" : " fr-old";
      parts.push(s("circle", { cx: x(p.x), cy: y(p.energy), r: 2.5, class: `fr-past${old}` }));
    }
    if (!Number.isNaN(now.energy)) {
      parts.push(s("circle", { cx: x(now.x), cy: y(now.energy), r: 5, class: "fr-present" }));
    }
    const ends = spec.ends ?? [String(spec.low), String(spec.high)];
    for (const [at, anchor, text] of /** @type {[number, string, string][]} */ ([
      [LEFT, "start", ends[0]],
      [(LEFT + width - RIGHT) / 2, "middle", spec.label.toLowerCase()],
      [width - RIGHT, "end", ends[1]],
    ])) {
      parts.push(s("text", { x: at, y: HEIGHT - 7, class: "fr-tick-text", "text-anchor": anchor }, text));
    }
    picture.replaceChildren(...parts);
    picture.setAttribute(
      "aria-label",
      `E against ${spec.label.toLowerCase()}: ${own.length} values so far, now ${now.energy.toFixed(2)}`,
    );
  }

  if (globalThis.ResizeObserver) {
    const observer = new ResizeObserver(draw);
    observer.observe(picture);
    signal.addEventListener("abort", () => observer.disconnect());
  }
  return {
    root,
    /** @param {Shown} what */
    show(what) {
      shown = what;
      title.textContent = `E as ${what.spec.label.toLowerCase()} moved`;
      draw();
    },
  };
}
