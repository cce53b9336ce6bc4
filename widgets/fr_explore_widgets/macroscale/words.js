// Terms and sentences of MacroscaleExplorer: pure functions.

/** @typedef {import("./types").Row} Row */
/** @typedef {import("./types").Correlation} Correlation */

/** @type {Record<string, string>} */
export const TERMS = {
  ks: "The Kolmogorov-Smirnov statistic: the widest vertical gap between two cumulative curves, from 0 (the same distribution) to 1 (no overlap).",
  null: "The same figure with the labels dealt at random among the people: what this number of people shows without any effect.",
  p: "The share of random labellings that give a KS at least as large. The corrected one (Holm) allows for having looked at several attributes.",
  intra:
    "How much the attribute changes within a person, in nats: 0 for one that never changes, 0.69 for one that is there half of the time.",
  probe: "Logistic regression on the embeddings, scored on people it has not seen. 50 % is chance.",
};

/** A p-value as people write it. @param {number | undefined} p */
export function probability(p) {
  if (p === undefined) return "\u2013";
  return p < 0.001 ? p.toExponential(0).replace("-", "\u2212") : p.toFixed(p < 0.1 ? 3 : 2);
}

/** @param {Correlation | undefined} found */
export function correlationWords(found) {
  if (found?.rho === undefined) return "Spearman's correlation needs at least three attributes that differ.";
  const sign = found.rho < 0 ? "\u2212" : "";
  return `Spearman's \u03c1 = ${sign}${Math.abs(found.rho).toFixed(2)} over ${found.attributes} attributes (p = ${probability(found.p_value)}, attributes permuted).`;
}

/** @param {Row} row */
export function probeWords({ probe }) {
  if (!probe) return "";
  if (probe.problem) return probe.problem;
  const [mean, sd] = [probe.balanced_accuracy ?? 0, probe.balanced_accuracy_sd ?? 0];
  return `A straight cut names it right in ${(100 * mean).toFixed(1)} \u00b1 ${(100 * sd).toFixed(1)} % (balanced over both answers, sd over folds; 50 % is chance) on people it has not seen; ${probe.images} images of ${probe.identities} people.`;
}
