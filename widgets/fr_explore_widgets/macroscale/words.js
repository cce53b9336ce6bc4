// Sentences and explanations of MacroscaleExplorer: pure functions.

/** @typedef {import("./types").Row} Row */
/** @typedef {import("./types").Correlation} Correlation */

/** @type {Record<string, string>} */
export const TERMS = {
  ks: "The Kolmogorov-Smirnov statistic: the largest vertical gap between two cumulative distributions, from 0 (the same distribution) to 1 (no overlap).",
  null: "The KS with the labels permuted among the people: the value expected for this number of people without any effect.",
  p: "The share of label permutations with a KS at least as large. The corrected value (Holm) accounts for testing several attributes.",
  intra:
    "How much the attribute varies within a person, in nats: 0 if it never changes, 0.69 if it is present in half of the images.",
  probe: "Logistic regression on the embeddings, scored on people not used in training. 50 % is chance.",
};

/** A p-value with few digits. @param {number | undefined} p */
export function probability(p) {
  if (p === undefined) return "\u2013";
  return p < 0.001 ? p.toExponential(0).replace("-", "\u2212") : p.toFixed(p < 0.1 ? 3 : 2);
}

/** @param {Correlation | undefined} found */
export function correlationWords(found) {
  if (found?.rho === undefined) return "Spearman's correlation needs at least three different attributes.";
  const sign = found.rho < 0 ? "\u2212" : "";
  return `Spearman's \u03c1 = ${sign}${Math.abs(found.rho).toFixed(2)} over ${found.attributes} attributes (p = ${probability(found.p_value)}, attributes permuted).`;
}

/** @param {Row} row */
export function probeWords({ probe }) {
  if (!probe) return "";
  if (probe.problem) return probe.problem;
  const [mean, sd] = [probe.balanced_accuracy ?? 0, probe.balanced_accuracy_sd ?? 0];
  return `A linear probe is right in ${(100 * mean).toFixed(1)} \u00b1 ${(100 * sd).toFixed(1)} % (balanced accuracy, sd over folds; 50 % is chance) on people not used in training; ${probe.images} images of ${probe.identities} people.`;
}
