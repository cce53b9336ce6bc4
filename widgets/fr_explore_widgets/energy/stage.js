// The arrows: pointer and keys choose one, and its neighbourhood is highlighted on a translucent disc.

import { h, uid } from "../shared/dom.js";
import { circle, s } from "../shared/svg.js";
import { spokenArrow } from "./words.js";

/** @typedef {import("./types").Scene} Scene */

const SCALE = 100;
const REACH_PX = 32;

/** An arrow of length 22 along x, centred at the origin. */
function arrow() {
  return s(
    "g",
    { class: "fr-shaft" },
    s("path", { d: "M-11 0H5", class: "fr-line fr-pen" }),
    s("path", { d: "M11 0L3.2 3.8V-3.8Z", class: "fr-dot" }),
  );
}

/**
 * A small picture of arrows on their points, for a button.
 * @param {[number, number][]} points from -1 to 1
 * @param {ArrayLike<number>[]} units
 */
export function thumbnail(points, units) {
  const picture = s("svg", { viewBox: "-50 -50 100 100", "aria-hidden": "true", class: "fr-thumb" });
  points.forEach(([x, y], i) => {
    const turn = (-Math.atan2(units[i][1], units[i][0]) * 180) / Math.PI;
    const one = arrow();
    one.setAttribute("transform", `translate(${44 * x} ${-44 * y}) rotate(${turn})`);
    picture.append(one);
  });
  return picture;
}

/**
 * The arrow that a key leads to, or null for any other key.
 * @param {string} key
 * @param {number} at
 * @param {number} n
 * @param {number} columns of a grid, else 1
 */
export function walk(key, at, n, columns) {
  /** @type {Record<string, number>} */
  const to = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    PageDown: at + 6,
    PageUp: at - 6,
    Home: 0,
    End: n - 1,
  };
  return key in to ? (to[key] + n) % n : null;
}

/** The radius of the disc around arrow i, in the units of the points; 0 for no disc. @param {Scene} scene @param {number} i */
export function reach({ settings, graph, d, meanDistance }, i) {
  if (settings.rule === "ball") return settings.radius * meanDistance;
  if (settings.rule === "knn") return Math.max(0, ...graph.neighbors[i].map((j) => d[i][j])) * 1.02;
  return 0;
}

/**
 * @param {{choose: (i: number) => void, hover: (i: number | null) => void}} actions
 */
export function createStage({ choose, hover }) {
  const disc = s("circle", { class: "fr-disc fr-dot" });
  const field = s("g", { role: "presentation" });
  const labels = [s("text", { class: "fr-name" }, "i"), s("text", { class: "fr-name" }, "j")];
  const picture = s("svg", { viewBox: "-100 -100 200 200", role: "presentation" }, disc, field, ...labels);
  const stem = uid("arrow");
  const root = h(
    "div",
    {
      class: "fr-arrows",
      role: "listbox",
      tabindex: 0,
      "aria-label": "Arrows; the arrow keys choose one",
      "data-lm-suppress-shortcuts": "true",
    },
    picture,
  );
  /** @type {{group: SVGElement, shaft: SVGElement, turn: number}[]} */
  let items = [];
  /** @type {Scene | null} */
  let shown = null;

  /** @param {Scene} scene */
  function build(scene) {
    items = scene.points.map((_, i) => {
      const shaft = arrow();
      const group = s("g", { class: "fr-arrow", role: "option", id: `${stem}-${i}` });
      group.append(circle(0, 0, 1.6, "fr-dot"), shaft);
      return { group, shaft, turn: 0 };
    });
    field.replaceChildren(...items.map(({ group }) => group));
  }

  /**
   * @param {Scene} scene
   * @param {number} chosen
   * @param {{glide: boolean, step: number | null}} how `step`: the neighbour of the formula's current term
   */
  function draw(scene, chosen, { glide, step }) {
    shown = scene;
    if (items.length !== scene.points.length) build(scene);
    const near = new Set(scene.graph.neighbors[chosen]);
    root.classList.toggle("fr-glide", glide);
    items.forEach((item, i) => {
      const [x, y] = scene.points[i];
      const [u, v] = scene.units[i];
      const turn = (-Math.atan2(v, u) * 180) / Math.PI;
      item.turn += ((((turn - item.turn) % 360) + 540) % 360) - 180; // the shorter way round
      item.group.setAttribute("transform", `translate(${SCALE * x} ${-SCALE * y})`);
      item.shaft.style.transform = `rotate(${item.turn}deg) scale(${Math.max(Math.hypot(u, v), 0.02)})`;
      item.group.setAttribute("aria-selected", String(i === chosen));
      item.group.setAttribute("aria-label", spokenArrow(scene, i));
      item.group.classList.toggle("fr-chosen", i === chosen);
      item.group.classList.toggle("fr-near", i !== chosen && near.has(i));
      item.group.classList.toggle("fr-current-arrow", i === step);
      item.group.classList.toggle("fr-alone", scene.graph.neighbors[i].length === 0);
    });
    root.setAttribute("aria-activedescendant", `${stem}-${chosen}`);
    const [x, y] = scene.points[chosen];
    disc.setAttribute("cx", String(SCALE * x));
    disc.setAttribute("cy", String(-SCALE * y));
    disc.setAttribute("r", String(SCALE * reach(scene, chosen)));
    name(labels[0], scene, chosen);
    name(labels[1], scene, step);
  }

  /** Put a name beside its arrow. @param {SVGElement} label @param {Scene} scene @param {number | null} i */
  function name(label, scene, i) {
    label.style.display = i === null ? "none" : "";
    if (i === null) return;
    const [x, y] = scene.points[i];
    const [u, v] = scene.units[i];
    const length = Math.hypot(u, v) || 1;
    const side = (-v * x + u * y) / length >= 0 ? 1 : -1; // on the outer side
    label.setAttribute("x", String(SCALE * x - (side * 10 * v) / length));
    label.setAttribute("y", String(-SCALE * y - (side * 10 * u) / length + 3));
  }

  /** The arrow under the pointer. @param {MouseEvent} event */
  function under(event) {
    const box = picture.getBoundingClientRect();
    if (!shown || !box.width) return null;
    const scale = box.width / 2;
    let best = null;
    let least = REACH_PX;
    shown.points.forEach(([x, y], i) => {
      const d = Math.hypot(
        event.clientX - box.left - scale * (1 + x),
        event.clientY - box.top - scale * (1 - y),
      );
      if (d < least) [least, best] = [d, i];
    });
    return best;
  }

  picture.addEventListener("pointermove", (event) => hover(under(event)));
  picture.addEventListener("pointerleave", () => hover(null));
  picture.addEventListener("click", (event) => choose(under(event) ?? shown?.settings.selected ?? 0));
  root.addEventListener("keydown", (event) => {
    if (!shown || event.ctrlKey || event.metaKey || event.altKey) return;
    const n = shown.points.length;
    const columns = shown.settings.layout === "grid" ? Math.round(Math.sqrt(n)) : 1;
    const to = walk(event.key, shown.settings.selected, n, columns);
    if (to === null) return;
    event.preventDefault();
    choose(to);
  });
  return { root, draw };
}
