// The settings of the playground, their presets, and the scene that follows from them.

import { arrows, COUNTS, ordered, place } from "./arrows.js";
import {
  closedForm,
  cosines,
  distances,
  drift,
  energies,
  graph,
  meanDistance,
  nullOf,
  order,
  survival,
} from "./math.js";

/** @typedef {import("./types").Settings} Settings */
/** @typedef {import("./types").Scene} Scene */

const VERSION = 1;
export const MAX_DIM = 128;
export const MAX_K = 20;
export const MAX_RADIUS = 2;

/** @type {Settings} */
export const DEFAULTS = {
  version: VERSION,
  layout: "ring",
  pattern: "tangential",
  order: 0.8,
  rule: "ball",
  radius: 0.6,
  k: 4,
  include_self: false,
  dim: 2,
  seed: 0,
  selected: 3,
};

/** Patterns without noise; "random" is only noise. */
export const PRESETS = /** @type {const} */ (["parallel", "tangential", "radial", "random", "opposed"]);

/** @typedef {typeof PRESETS[number]} Preset */

/** The settings of a preset. @param {Preset} name @returns {Partial<Settings>} */
export function preset(name) {
  return name === "random" ? { order: 0 } : { pattern: name, order: 1 };
}

/** The preset that the settings show, if any. @param {Settings} settings @returns {Preset | null} */
export function presetOf({ order: amount, pattern }) {
  return amount === 0 ? "random" : amount === 1 ? pattern : null;
}

/**
 * Complete and valid settings: k at least 1, or 2 if it counts the point itself, `selected` one of the arrows. Throws an
 * Error for another version and for something that is not a number.
 * @param {Partial<Settings>} given
 * @returns {Settings}
 */
export function checked(given) {
  const settings = { ...DEFAULTS, ...given };
  if (settings.version !== VERSION)
    throw new Error(`The state has version ${settings.version}, this widget reads version ${VERSION}.`);
  const { order: amount, radius, k, dim, seed, selected } = settings;
  if (![amount, radius, k, dim, seed, selected].every(Number.isFinite))
    throw new Error("The state holds something that is not a number.");
  settings.k = Math.max(k, 1 + Number(settings.include_self));
  settings.selected = selected % COUNTS[settings.layout];
  return settings;
}

/**
 * The neighbourhood as `fr.alignment_energy` takes it.
 * @param {Settings} settings
 */
export function spelled({ rule, radius, k, include_self }) {
  const name = { ball: `ball:${Number(radius.toFixed(4))}`, knn: `knn:${k}`, all: "all_pairs:0" };
  if (rule === "all_weighted") return "all_pairs";
  return name[rule] + (include_self ? ":self" : "");
}

/** @param {Settings} settings @returns {Scene} */
export function compute(settings) {
  const points = place(settings.layout, settings.seed);
  const d = distances(points);
  const bases = ordered(settings.pattern, points);
  const units = arrows(bases, settings.order, settings.dim, settings.seed);
  const known = units.map((u) => u.some((x) => x !== 0));
  const g = graph(d, settings, known);
  const cos = cosines(units);
  const { energy, points: pointEnergies, coverage, isolated } = energies(cos, g, known);
  return {
    settings,
    points,
    units,
    d,
    cos,
    graph: g,
    energy,
    pointEnergies,
    coverage,
    isolated,
    expected: closedForm(cosines(bases), g)(survival(drift(settings.order), settings.dim)),
    random: nullOf(g, settings.dim),
    magnetisation: order(units),
    meanDistance: meanDistance(d),
  };
}

/** The closed form along a slider, all other settings fixed. @param {Settings} settings @param {"order" | "radius" | "k" | "dim"} name @param {number[]} values */
export function closedFormAlong(settings, name, values) {
  const points = place(settings.layout, settings.seed);
  const d = distances(points);
  const base = cosines(ordered(settings.pattern, points));
  const fixed = name === "order" || name === "dim" ? closedForm(base, graph(d, settings)) : null;
  return values.map((value) => {
    const now = { ...settings, [name]: value };
    return (fixed ?? closedForm(base, graph(d, now)))(survival(drift(now.order), now.dim));
  });
}
