// Distances and the map: pure functions, in double precision. `samePerson` is in shared/words.js.

/** @typedef {import("./types").Projection} Projection */

/** At length 1; a vector of zeros stays as it is. @param {ArrayLike<number>} vector */
export function unit(vector) {
  const values = Float64Array.from(vector);
  const length = Math.hypot(...values);
  return length > 0 ? values.map((value) => value / length) : values;
}

/**
 * The distance between two embeddings, as in base/distance.py: |x - y|, or for "cosine" 1 - cos, computed as half the
 * squared distance of the unit vectors, which keeps its digits for nearly parallel ones.
 * @param {ArrayLike<number>} first @param {ArrayLike<number>} second @param {"euclidean" | "cosine"} metric
 */
export function distance(first, second, metric) {
  const cosine = metric === "cosine";
  const [a, b] = cosine ? [unit(first), unit(second)] : [first, second];
  let [square, hasFirst, hasSecond] = [0, false, false];
  for (let i = 0; i < a.length; i++) {
    square += (a[i] - b[i]) ** 2;
    hasFirst ||= a[i] !== 0;
    hasSecond ||= b[i] !== 0;
  }
  if (!cosine) return Math.sqrt(square);
  return hasFirst && hasSecond ? square / 2 : 1; // a vector of length 0 has cos = 0 with every other
}

/** Coordinates of a point on the axes, as `Projection.transform`. @param {ArrayLike<number>} point
 * @param {Projection} projection */
export function project(point, { mean, axes }) {
  return axes.map((axis) => {
    let sum = 0;
    for (let i = 0; i < axis.length; i++) sum += (point[i] - mean[i]) * axis[i];
    return sum;
  });
}
