// Where along an attribute the model still judges the same person: pure functions, and the strip under a slider.

import { h } from "../shared/dom.js";
import { share } from "../shared/slider.js";
import { formatValue, samePerson } from "../shared/words.js";

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("./types").Sample} Sample */

/**
 * The range divided into stretches of one verdict; the distance is interpolated linearly between samples.
 * @param {Sample[]} samples strengths ascending
 * @param {number | null} threshold
 * @returns {{from: number, to: number, same: boolean}[]}
 */
export function stretches(samples, threshold) {
  /** @type {{from: number, to: number, same: boolean}[]} */
  const found = [];
  if (threshold === null) return found;
  const add = (/** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ same) => {
    const last = found[found.length - 1];
    if (last?.same === same) last.to = to;
    else if (to > from) found.push({ from, to, same });
  };
  for (let i = 1; i < samples.length; i += 1) {
    const [[x0, d0], [x1, d1]] = [samples[i - 1], samples[i]];
    const [first, second] = [samePerson(d0, threshold), samePerson(d1, threshold)];
    const cross = first === second ? x1 : x0 + ((threshold - d0) / (d1 - d0)) * (x1 - x0);
    add(x0, cross, first);
    if (first !== second) add(cross, x1, second);
  }
  return found;
}

/** The share of the sampled range in which the model judges the same person, or null. @param {Sample[]} samples @param {number | null} threshold */
export function retention(samples, threshold) {
  const all = stretches(samples, threshold);
  const span = samples.length > 1 ? samples[samples.length - 1][0] - samples[0][0] : 0;
  if (!all.length || !span) return null;
  return all.filter((s) => s.same).reduce((sum, s) => sum + s.to - s.from, 0) / span;
}

/** "Identity kept over 82 % of the range of age: 18 years to 64 years." @param {Attribute} attribute @param {Sample[]} samples @param {number | null} threshold */
export function retentionWords(attribute, samples, threshold) {
  const kept = retention(samples, threshold);
  if (kept === null) return "";
  const parts = stretches(samples, threshold).filter((s) => s.same);
  const value = (/** @type {number} */ x) => formatValue(attribute, x);
  const where = parts.map(({ from, to }) => `${value(from)} to ${value(to)}`).join(", ");
  if (kept >= 1) return `Identity kept over the whole range of ${attribute.label}.`;
  if (kept <= 0) return `Identity kept nowhere in the range of ${attribute.label}.`;
  return `Identity kept over ${(100 * kept).toFixed(0)} % of the range of ${attribute.label}: ${where}.`;
}

/** The strip under one slider. @param {Attribute} attribute */
export function createStrip(attribute) {
  const root = h("div", { class: "fr-strip", role: "img", hidden: true });
  return {
    root,
    /** @param {Sample[]} samples empty to hide the strip @param {number | null} threshold */
    show(samples, threshold) {
      const parts = stretches(samples, threshold);
      root.hidden = !parts.length;
      root.setAttribute("aria-label", retentionWords(attribute, samples, threshold));
      root.replaceChildren(
        ...parts.map(({ from, to, same }) => {
          const part = h("i", { class: same ? "fr-same" : "fr-different" });
          part.style.setProperty("--from", String(share(attribute, from)));
          part.style.setProperty("--to", String(share(attribute, to)));
          return part;
        }),
      );
    },
  };
}
