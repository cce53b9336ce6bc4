// The pairs from the kernel, and the error rates at a threshold: counting and looking up.

import { below, wilson } from "./counting.js";

/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").Part} Part */
/** @typedef {import("./types").Rate} Rate */
/** @typedef {import("./types").ShiftRecord} ShiftRecord */

const FEW_PAIRS = 30;
const FEW_PEOPLE = 10;

/**
 * The kernel's bytes: genuine and impostor distances, then for each part threshold, far_low, far_high, frr_low and
 * frr_high, all float64; then the group of each genuine and impostor pair, uint8.
 * @param {DataView} view
 * @param {Setup} setup
 * @returns {Part[]} all pairs first, then the groups
 */
export function decode(view, setup) {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  let at = 0;
  const numbers = (/** @type {number} */ length) => {
    at += 8 * length;
    return new Float64Array(bytes, at - 8 * length, length);
  };
  const kinds = [numbers(setup.genuine), numbers(setup.impostor)];
  const curves = setup.curves.map((length) => {
    const [threshold, farLow, farHigh, frrLow, frrHigh] = [1, 2, 3, 4, 5].map(() => numbers(length));
    return { threshold, farLow, farHigh, frrLow, frrHigh };
  });
  const codes = kinds.map((kind) => {
    at += kind.length;
    return setup.groups.length ? new Uint8Array(bytes, at - kind.length, kind.length) : new Uint8Array(0);
  });
  return curves.map((curve, i) => {
    const own = (/** @type {number} */ k) =>
      i ? kinds[k].filter((_, pair) => codes[k][pair] === i - 1) : kinds[k];
    const name = i ? setup.groups[i - 1] : "all pairs";
    return { name, genuine: own(0), impostor: own(1), curve, people: setup.people[i] };
  });
}

/**
 * A share with its interval: the bootstrap's, or Wilson's without an error and without resampling.
 * @param {Part} part @param {"far" | "frr"} rate @param {number} bad @param {number} among @param {number} threshold
 * @returns {Rate}
 */
function rateOf(part, rate, bad, among, threshold) {
  const share = among ? bad / among : Number.NaN;
  const place = below(part.curve.threshold, threshold) - 1;
  if (bad > 0 && bad < among && place >= 0) {
    const [low, high] = [part.curve[`${rate}Low`][place], part.curve[`${rate}High`][place]];
    if (Number.isFinite(low)) return { bad, among, share, low, high };
  }
  const [low, high] = wilson(share, Math.min(among, part.people ?? among));
  return { bad, among, share, low, high };
}

/** Both error rates of a part; a pair is accepted if its distance is at most the threshold, as `samePerson` has it. @param {Part} part @param {number} threshold */
export function ratesAt(part, threshold) {
  const { genuine, impostor, people } = part;
  return {
    far: rateOf(part, "far", below(impostor, threshold), impostor.length, threshold),
    frr: rateOf(part, "frr", genuine.length - below(genuine, threshold), genuine.length, threshold),
    // a kind without any pair, as among pairs across groups, is not a warning
    few:
      [genuine, impostor].some((kind) => kind.length > 0 && kind.length < FEW_PAIRS) ||
      (people ?? FEW_PEOPLE) < FEW_PEOPLE,
  };
}

/** The ROC at the curve's thresholds, or at each distance where there is none. @param {Part} part */
export function rocOf(part) {
  const { curve, genuine, impostor } = part;
  const cuts = curve.threshold.length ? curve.threshold : genuine;
  const far = Array.from(cuts, (cut) => below(impostor, cut) / impostor.length);
  const tar = Array.from(cuts, (cut) => below(genuine, cut) / genuine.length);
  return { far, tar, low: curve.frrHigh, high: curve.frrLow };
}

/** The ascending genuine distances with an attribute at each strength; null where not computed yet. @param {DataView} view @param {ShiftRecord} record */
export function decodeShift(view, { place, done, pairs }) {
  const size = 8 * pairs;
  const start = view.byteOffset + place * done.length * size;
  return done.map((ready, k) =>
    ready ? new Float64Array(view.buffer.slice(start + k * size, start + (k + 1) * size)) : null,
  );
}
