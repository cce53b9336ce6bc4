// Sentences and explanations of EnergyPlayground: pure functions.

import { figure } from "../shared/plot.js";

/** @typedef {import("./types").Scene} Scene */
/** @typedef {import("./types").Settings} Settings */

export const GLOSSARY = {
  energy:
    "The mean of 1 minus the cosine between an arrow and its neighbours: 0 if they agree, 1 without order, 2 if they oppose each other.",
  "closed form":
    "The mean of E over all noise: 1 \u2212 R\u00b2 (1 \u2212 E\u2080). E\u2080 is the energy without noise; R is the part of an ordered arrow that survives the noise.",
  "random arrows":
    "The null model: independent random arrows on the same points. Mean and standard deviation are exact; more dimensions or more neighbours make it narrower.",
  coverage:
    "The share of the arrows that have a neighbour. An arrow without a neighbour says nothing about alignment and is excluded from E.",
  "mean arrow":
    "The length of the mean of all arrows, |mean u|: 1 if all are parallel, near 0 if they cancel.",
};

/** Which arrows the energy compares. @param {Settings} settings */
function comparedArrows({ rule, k }) {
  if (rule === "all") return "arrows anywhere";
  if (rule === "all_weighted") return "arrows, mostly near ones,";
  if (rule === "knn") return k === 1 ? "nearest neighbours" : `the ${k} nearest neighbours`;
  return "neighbours within the radius";
}

/** What E says, in a sentence. @param {Scene} scene */
export function sentence({ energy, random, settings, magnetisation }) {
  if (Number.isNaN(energy))
    return "No arrow has a neighbour at this radius, so E is not defined. Widen the radius.";
  const z = random.sd > 0 ? (energy - random.mean) / random.sd : 0;
  const start = `E = ${figure(energy)}: ${comparedArrows(settings)}`;
  if (energy < 0.005) return `${start} point exactly the same way.`;
  if (Math.abs(z) < 2) return `${start} agree no more than random arrows do.`;
  if (z > 0) return `${start} oppose each other more than random arrows would.`;
  const how = energy < 0.15 ? "almost" : energy < 0.5 ? "mostly" : "loosely";
  const local =
    magnetisation < 0.25 && settings.rule !== "all" ? ", though all of them together have no direction" : "";
  return `${start} point ${how} the same way${local}.`;
}

/** What the picture of the arrows hides or marks. @param {Scene} scene */
export function caption({ units, settings, isolated }) {
  const dashed = isolated.length ? "Dashed: arrows without a neighbour, excluded from E. " : "";
  if (settings.dim === 2) return dashed;
  const share = units.reduce((sum, u) => sum + u[0] * u[0] + u[1] * u[1], 0) / units.length;
  return `${dashed}Drawn: the projection of each arrow onto 2 of its ${settings.dim} dimensions, ${Math.round(100 * share)} % of its squared length. E is computed in all ${settings.dim}.`;
}

/** How many arrows E includes. @param {Scene} scene */
export function covered({ isolated, points }) {
  const n = points.length;
  return isolated.length ? `${n - isolated.length} of ${n} arrows` : `all ${n} arrows`;
}

/**
 * One arrow for a screen reader.
 * @param {Scene} scene
 * @param {number} i
 */
export function spokenArrow({ pointEnergies, graph }, i) {
  const others = graph.neighbors[i].filter((j) => j !== i).length;
  if (!graph.neighbors[i].length) return `Arrow ${i + 1}: no neighbour`;
  return `Arrow ${i + 1}: ${others} ${others === 1 ? "neighbour" : "neighbours"}, energy ${figure(pointEnergies[i])}`;
}

/** Degrees between two arrows. @param {number} cos */
export function angle(cos) {
  return Math.round((Math.acos(Math.min(1, Math.max(-1, cos))) * 180) / Math.PI);
}
