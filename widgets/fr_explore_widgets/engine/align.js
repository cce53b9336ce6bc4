// From a picture to a network's input, as fr_explore/models/align.py and base.py do it: pure functions.

/** @typedef {import("./types").PageCard} PageCard */
/** @typedef {import("./types").Picture} Picture */

const MAX_SAMPLES = 4;

/**
 * The rotation, uniform scale and shift that map `source` to `target` with the least squared error, as
 * [a, -b, x, b, a, y], the rows of a matrix [A | t]. With complex numbers it is w = a z + b; see `similarity_fit`.
 * @param {number[][]} source @param {number[][]} target
 */
export function similarityFit(source, target) {
  const mean = (/** @type {number[][]} */ points, /** @type {number} */ axis) =>
    points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [zx, zy, wx, wy] = [mean(source, 0), mean(source, 1), mean(target, 0), mean(target, 1)];
  let [re, im, spread] = [0, 0, 0];
  source.forEach(([px, py], i) => {
    const [x, y, u, v] = [px - zx, py - zy, target[i][0] - wx, target[i][1] - wy];
    re += x * u + y * v;
    im += x * v - y * u;
    spread += x * x + y * y;
  });
  if (!(spread > 0))
    throw new Error("landmarks coincide or are not finite: five distinct points are needed to align a face.");
  const [a, b] = [re / spread, im / spread];
  return [a, -b, wx - (a * zx - b * zy), b, a, wy - (b * zx + a * zy)];
}

/**
 * The crop of `size` x `size` pixels with the landmarks at the template's positions: float RGB in [0, 1]. Outside the
 * picture, its edge pixels are repeated. A crop with fewer pixels than the region that it shows averages up to 4 x 4
 * samples for each of its pixels.
 * @param {Picture} picture @param {number[][]} landmarks @param {number[][]} template @param {number} size
 */
export function alignedCrop(picture, landmarks, template, size) {
  const { data, width, height, channels } = picture;
  const [a, b, left, c, d, top] = similarityFit(template, landmarks);
  const samples = Math.min(MAX_SAMPLES, Math.max(1, Math.ceil(Math.hypot(a, c) - 0.05)));
  const share = (data instanceof Float32Array ? 1 : 1 / 255) / samples ** 2;
  const crop = new Float32Array(size * size * 3);
  const sums = new Float64Array(3);
  // no array is made in these loops: for some browsers that costs more than the arithmetic
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++, at += 3) {
      for (let sample = 0; sample < samples * samples; sample++) {
        const u = column + ((sample % samples) + 0.5) / samples;
        const v = row + (Math.floor(sample / samples) + 0.5) / samples;
        // pixel centres are at +0.5
        const x = Math.min(Math.max(a * u + b * v + left - 0.5, 0), width - 1);
        const y = Math.min(Math.max(c * u + d * v + top - 0.5, 0), height - 1);
        const fx = x - Math.floor(x);
        const fy = y - Math.floor(y);
        const p = (Math.floor(y) * width + Math.floor(x)) * channels;
        const q = fx > 0 ? p + channels : p;
        const down = fy > 0 ? width * channels : 0;
        for (let k = 0; k < 3; k++) {
          const above = data[p + k] + (data[q + k] - data[p + k]) * fx;
          const below = data[p + down + k] + (data[q + down + k] - data[p + down + k]) * fx;
          sums[k] += above + (below - above) * fy;
        }
      }
      for (let k = 0; k < 3; k++) {
        crop[at + k] = sums[k] * share;
        sums[k] = 0;
      }
    }
  }
  return crop;
}

/**
 * What the network is given: (255 crop - mean) / std, per channel in the network's own colour order.
 * @param {Float32Array} crop @param {PageCard} card
 */
export function normalisedInput(crop, { mean, std, color_order }) {
  const order = color_order === "BGR" ? [2, 1, 0] : [0, 1, 2];
  const input = new Float32Array(crop.length);
  for (let at = 0; at < crop.length; at += 3) {
    for (let k = 0; k < 3; k++) input[at + k] = (255 * crop[at + order[k]] - mean[k]) / std[k];
  }
  return input;
}
