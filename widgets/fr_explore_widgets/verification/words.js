// Sentences and explanations of VerificationExplorer: pure functions.

import { percent } from "../shared/plot.js";
import { count } from "./counting.js";

/** @typedef {import("./types").Rate} Rate */
/** @typedef {import("./types").Setup} Setup */

/** @type {Record<string, string>} */
export const METRICS = {
  euclidean: "distance between two faces (Euclidean)",
  cosine: "distance between two faces (1 \u2212 cos)",
};

/** @type {Record<string, string>} */
export const TERMS = {
  fmr: "The share of the impostor pairs that are accepted as the same person. Also called false acceptance rate, FAR.",
  fnmr: "The share of the genuine pairs that are rejected. Also called false rejection rate, FRR; 1 \u2212 FNMR is the true acceptance rate, TAR.",
  eer: "The error rate at the threshold where both error rates are equal. It summarises a model on these pairs; an application need not use that threshold.",
  roc: "Each threshold is a point: the share of accepted impostor pairs (to the right) and of accepted genuine pairs (upwards). The curve of a better model is closer to the upper left corner.",
  calibrated:
    "The threshold with equal error rates on the pairs shown here, with its interval over resampled people (bootstrap).",
  published: "The threshold in the model's card. It was calibrated on other pictures and may not fit these.",
};

/** "52 to 73 %". @param {Rate} rate */
export function interval({ low, high }) {
  if (!Number.isFinite(low)) return "no interval";
  const both = [low, high].map((share) => percent(share).replace(" %", ""));
  return `${both[0]} to ${both[1]} %`;
}

/** @param {number} threshold @param {{far: Rate, frr: Rate}} rates */
export function handleWords(threshold, { far, frr }) {
  return `threshold ${threshold.toFixed(3)}: ${percent(far.share)} false match, ${percent(frr.share)} false non-match`;
}

/** @param {number} threshold @param {{far: Rate, frr: Rate}} rates */
export function sentence(threshold, { far, frr }) {
  return (
    `At ${threshold.toFixed(3)}, ${count(far.bad)} of ${count(far.among)} impostor pairs are accepted ` +
    `and ${count(frr.bad)} of ${count(frr.among)} genuine pairs are rejected.`
  );
}

/** How the intervals were computed. @param {Setup} setup */
export function intervalSource({ people, facts, level }) {
  const known = people[0];
  if (!facts.draws)
    return "In brackets: 95 % intervals (Wilson's), as if all pairs were independent. Embeddings and identities give better ones.";
  const what = facts.resampled === "identities" && known ? `${count(known)} people` : "pairs";
  return `${Math.round(100 * level)} % intervals from ${facts.draws} resamples of ${what}.`;
}

/**
 * @param {{label: string, value: string, neutral: string, now: Rate, before: Rate, people: number, atNeutral: boolean}} facts
 */
export function shiftSentence({ label, value, neutral, now, before, people, atNeutral }) {
  const pairs = `${count(now.bad)} of ${count(now.among)} genuine pairs`;
  if (atNeutral)
    return `One neutral image of each of ${people} people compared with their others: ${pairs} are rejected. Move the slider.`;
  const change =
    now.bad === before.bad
      ? `as many as at ${neutral}`
      : `${now.bad > before.bad ? "more" : "fewer"} than the ${count(before.bad)} at ${neutral}`;
  return `With ${label} at ${value} in one image of each of ${people} people, ${pairs} are rejected, ${change}. The impostor pairs do not change.`;
}
