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
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++, at += 3) {
      let [red, green, blue] = [0, 0, 0];
      for (let sample = 0; sample < samples * samples; sample++) {
        const u = column + ((sample % samples) + 0.5) / samples;
        const v = row + (Math.floor(sample / samples) + 0.5) / samples;
        // pixel centres are at +0.5
        const x = Math.min(Math.max(a * u + b * v + left - 0.5, 0), width - 1);
        const y = Math.min(Math.max(c * u + d * v + top - 0.5, 0), height - 1);
        const [x0, y0] = [Math.floor(x), Math.floor(y)];
        const right = x0 < width - 1 ? channels : 0;
        const below = y0 < height - 1 ? channels * width : 0;
        const [p, fx, fy] = [(y0 * width + x0) * channels, x - x0, y - y0];
        const [w00, w10, w01, w11] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
        const [q, r, s] = [p + right, p + below, p + right + below];
        red += data[p] * w00 + data[q] * w10 + data[r] * w01 + data[s] * w11;
        green += data[p + 1] * w00 + data[q + 1] * w10 + data[r + 1] * w01 + data[s + 1] * w11;
        blue += data[p + 2] * w00 + data[q + 2] * w10 + data[r + 2] * w01 + data[s + 2] * w11;
      }
      crop[at] = red * share;
      crop[at + 1] = green * share;
      crop[at + 2] = blue * share;
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
