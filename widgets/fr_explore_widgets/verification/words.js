// Sentences and terms of VerificationExplorer: pure functions.

import { count, percent } from "../shared/densities.js";

/** @typedef {import("./types").Rate} Rate */
/** @typedef {import("./types").Setup} Setup */

/** @type {Record<string, string>} */
export const METRICS = {
  euclidean: "distance between two faces (Euclidean)",
  cosine: "distance between two faces (1 \u2212 cos)",
};

/** @type {Record<string, string>} */
export const TERMS = {
  fmr: "Share of the pairs of different people that the threshold accepts as one person. Also called false acceptance rate, FAR.",
  fnmr: "Share of the pairs of one person that the threshold rejects. Also called false rejection rate, FRR; 1 \u2212 FNMR is the true acceptance rate, TAR.",
  eer: "The error rate at the threshold where both kinds of error are equally frequent. One number for a model and these pairs; no use has to run there.",
  roc: "Every threshold is a point: how many impostor pairs it accepts (to the right) and how many genuine ones (upwards). A better model runs closer to the upper left corner.",
  calibrated:
    "The threshold that gives equal error rates on the pairs shown here, with the interval in which it falls when other people are drawn.",
  published:
    "The threshold that the model's card names. It was found on other pictures and need not fit these.",
  interval:
    "People are drawn anew with replacement, and all pairs follow them: pairs of one person are no independent repeats.",
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

/** Where the intervals come from. @param {Setup} setup */
export function source({ people, facts, level }) {
  const known = people[0];
  if (!facts.draws)
    return "95 % intervals after Wilson, as if the pairs were independent; give embeddings and identities for better ones.";
  const what = facts.resampled === "identities" && known ? `${count(known)} people` : "the pairs";
  return `${Math.round(100 * level)} % intervals by drawing ${what} anew, ${facts.draws} times.`;
}

/**
 * @param {{label: string, value: string, neutral: string, now: Rate, before: Rate, people: number, atNeutral: boolean}} facts
 */
export function shiftSentence({ label, value, neutral, now, before, people, atNeutral }) {
  const pairs = `${count(now.bad)} of ${count(now.among)} genuine pairs`;
  if (atNeutral)
    return `One neutral image of each of ${people} people against their others: ${pairs} are rejected. Move the slider.`;
  const change =
    now.bad === before.bad
      ? `as many as at ${neutral}`
      : `${now.bad > before.bad ? "more" : "fewer"} than the ${count(before.bad)} at ${neutral}`;
  return `With ${label} at ${value} in one image of each of ${people} people, ${pairs} are rejected, ${change}. The impostor pairs stay as they are.`;
}
