// Counting in sorted distances: shares with their intervals, and histograms.

/** @typedef {import("../shared/plot.js").Scale} Scale */

/** The number of ascending values that are at most `limit`. @param {ArrayLike<number>} sorted @param {number} limit */
export function below(sorted, limit) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Wilson's 95 % interval of a share of `count` independent observations.
 * @param {number} share
 * @param {number} count
 * @returns {[number, number]}
 */
export function wilson(share, count) {
  if (!count) return [Number.NaN, Number.NaN];
  const z2 = 1.959964 ** 2;
  const middle = (share + z2 / (2 * count)) / (1 + z2 / count);
  const half =
    (Math.sqrt(z2) / (1 + z2 / count)) * Math.sqrt((share * (1 - share)) / count + z2 / (4 * count ** 2));
  // exactly 0 or 1 where the share is, without rounding errors
  return [share === 0 ? 0 : middle - half, share === 1 ? 1 : middle + half];
}

/**
 * The number of bins from 0 to `top` for the smaller sample: width 2 IQR / n^(1/3) (Freedman and Diaconis 1981), 20 to 80.
 * @param {ArrayLike<number>[]} samples ascending
 * @param {number} top
 */
export function binsFor(samples, top) {
  const few = samples.reduce((a, b) => (b.length < a.length ? b : a));
  const at = (/** @type {number} */ share) => few[Math.round(share * (few.length - 1))];
  const width = (2 * (at(0.75) - at(0.25))) / Math.cbrt(few.length);
  return width > 0 ? Math.min(Math.max(Math.ceil(top / width), 20), 80) : 80;
}

/** Density of ascending values in equal bins from 0 to `top`. @param {ArrayLike<number>} sorted @param {number} bins @param {number} top */
export function histogram(sorted, bins, top) {
  const heights = new Array(bins);
  let before = 0;
  for (let i = 0; i < bins; i += 1) {
    const upTo = i === bins - 1 ? sorted.length : below(sorted, ((i + 1) / bins) * top);
    heights[i] = ((upTo - before) * bins) / top / Math.max(sorted.length, 1);
    before = upTo;
  }
  return /** @type {number[]} */ (heights);
}

/** The outline of a histogram, closed along the baseline. @param {number[]} heights @param {number} top @param {Scale} x @param {Scale} y */
export function stepPath(heights, top, x, y) {
  const foot = y(0).toFixed(1);
  let path = `M${x(0).toFixed(1)} ${foot}`;
  heights.forEach((height, i) => {
    path += `V${y(height).toFixed(1)}H${x(((i + 1) / heights.length) * top).toFixed(1)}`;
  });
  return `${path}V${foot}`;
}

/** A count with thousands separators. @param {number} value */
export function count(value) {
  return value.toLocaleString("en");
}
