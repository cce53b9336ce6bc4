// Finds the faces in a picture, as fr_explore/faces/photographs/detect.py does: YuNet proposes faces on a small copy,
// O-Net finds their landmarks in the picture and decides what is a face. Pure functions, and a finder of two networks.

import { createNetwork } from "./network.js";

/** @typedef {import("./types").FinderParts} FinderParts */
/** @typedef {import("./types").Found} Found */
/** @typedef {import("./types").Picture} Picture */

/** Where an upright face has its landmarks in a portrait, as shares of its side; `FRAME` of portrait_crop.py. */
const FRAME = [
  [0.38, 0.42],
  [0.62, 0.42],
  [0.5, 0.56],
  [0.4, 0.68],
  [0.6, 0.68],
];
const NUMBERS = 16; // of a proposal: two scores before their sigmoid, the box's middle and size, five points

/**
 * The pixels from which each of `size` pixels between `start` and `end` is made, and their weights: a triangle as wide
 * as a pixel of the copy or of the picture, whichever is wider, as Pillow's bilinear filter has it. Pixel i has `taps`
 * weights from place i taps on, those behind its last one are 0; none of its pixels is outside the picture.
 * @param {number} start @param {number} end @param {number} size @param {number} length of the picture
 */
function filter(start, end, size, length) {
  const scale = (end - start) / size;
  const reach = Math.max(scale, 1);
  const taps = Math.min(Math.ceil(2 * reach) + 1, length);
  const firsts = new Int32Array(size);
  const weights = new Float64Array(size * taps);
  for (let i = 0; i < size; i++) {
    // a centre outside the picture moves to the outermost pixel
    const centre = Math.min(Math.max(start + (i + 0.5) * scale, 0.5), length - 0.5);
    const first = Math.min(Math.max(Math.ceil(centre - reach - 0.5), 0), length - taps);
    firsts[i] = first;
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      weights[i * taps + k] = Math.max(1 - Math.abs(first + k + 0.5 - centre) / reach, 0);
      sum += weights[i * taps + k];
    }
    for (let k = 0; k < taps; k++) weights[i * taps + k] /= sum;
  }
  return { firsts, weights, taps };
}

/**
 * A box of the picture in `height` x `width` pixels, float RGB from 0 to 255; see `box_crops` of
 * fr_explore/faces/detector_crop.py. Outside the picture, its edge pixels are repeated.
 * @param {Picture} picture @param {number[]} box left, top, right, bottom @param {number} height @param {number} width
 */
export function resampled(picture, [left, top, right, bottom], height, width) {
  const { data, channels } = picture;
  const columns = filter(left, right, width, picture.width);
  const rows = filter(top, bottom, height, picture.height);
  const from = rows.firsts[0];
  const unit = data instanceof Float32Array ? 255 : 1;
  const stride = width * 3;
  // each row of the picture, with the copy's columns; no array is made in these loops
  const lines = new Float32Array((rows.firsts[height - 1] + rows.taps - from) * stride);
  for (let y = 0, at = 0; at < lines.length; y++) {
    const start = (from + y) * picture.width;
    for (let x = 0, w = 0; x < width; x++, at += 3) {
      let p = (start + columns.firsts[x]) * channels;
      let r = 0;
      let g = 0;
      let b = 0;
      for (let k = 0; k < columns.taps; k++, w++, p += channels) {
        const weight = columns.weights[w];
        r += data[p] * weight;
        g += data[p + 1] * weight;
        b += data[p + 2] * weight;
      }
      lines[at] = r * unit;
      lines[at + 1] = g * unit;
      lines[at + 2] = b * unit;
    }
  }
  const out = new Float32Array(height * stride);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < rows.taps; k++) {
      const weight = rows.weights[y * rows.taps + k];
      const line = (rows.firsts[y] + k - from) * stride;
      for (let x = 0, at = y * stride; x < stride; x++, at++) out[at] += weight * lines[line + x];
    }
  }
  return out;
}

/**
 * The faces that YuNet proposes; one face has several proposals. See `decoded` of fr_explore/faces/photographs/yunet.py.
 * @param {{data: ArrayLike<number>, columns: number, step: number}[]} grids @param {number} least
 * @returns {{score: number, box: number[]}[]}
 */
export function decoded(grids, least) {
  const found = [];
  for (const { data, columns, step } of grids) {
    for (let at = 0, i = 0; at < data.length; at += NUMBERS, i++) {
      const score = 1 / Math.sqrt((1 + Math.exp(-data[at])) * (1 + Math.exp(-data[at + 1])));
      if (!(score >= least)) continue;
      const [x, y] = [((i % columns) + data[at + 2]) * step, (Math.floor(i / columns) + data[at + 3]) * step];
      const [w, h] = [Math.exp(data[at + 4]) * (step / 2), Math.exp(data[at + 5]) * (step / 2)];
      found.push({ score, box: [x - w, y - h, x + w, y + h] });
    }
  }
  return found;
}

/** @param {number[]} box */
const areaOf = ([left, top, right, bottom]) => (right - left) * (bottom - top);

/** The largest first. @param {Found[]} faces */
const bySize = (faces) => faces.sort((a, b) => areaOf(b.box) - areaOf(a.box));

/** Intersection over union of two boxes. @param {number[]} a @param {number[]} b */
function overlapOf(a, b) {
  const side = (/** @type {number} */ i) => Math.max(0, Math.min(a[i + 2], b[i + 2]) - Math.max(a[i], b[i]));
  const common = side(0) * side(1);
  return common / (areaOf(a) + areaOf(b) - common);
}

/**
 * The faces to keep, the most certain first: none overlaps a better one by more than `overlap`.
 * @template {{score: number, box: number[]}} T @param {T[]} found @param {number} overlap
 */
export function suppressed(found, overlap) {
  /** @type {T[]} */
  const kept = [];
  for (const one of [...found].sort((a, b) => b.score - a.score))
    if (kept.every((better) => overlapOf(better.box, one.box) <= overlap)) kept.push(one);
  return kept;
}

/** @param {number[][]} points @returns {[number, number]} */
function middleOf(points) {
  return /** @type {[number, number]} */ (
    [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length)
  );
}

/** The spread of points around their mean. @param {number[][]} points */
function spreadOf(points) {
  const [x, y] = middleOf(points);
  return Math.sqrt(points.reduce((sum, point) => sum + (point[0] - x) ** 2 + (point[1] - y) ** 2, 0));
}

/**
 * The portrait of a face, framed as in fr_explore/faces/photographs/portrait_crop.py, float RGB in [0, 1].
 * @param {Picture} picture @param {number[][]} landmarks @param {number} size
 */
export function portraitOf(picture, landmarks, size) {
  const side = spreadOf(landmarks) / spreadOf(FRAME);
  const [middle, own] = [middleOf(landmarks), middleOf(FRAME)];
  const [left, top] = middle.map((value, axis) => value - own[axis] * side);
  const data = resampled(picture, [left, top, left + side, top + side], size, size).map(
    (value) => value / 255,
  );
  return {
    landmarks: landmarks.map(([x, y]) => [((x - left) * size) / side, ((y - top) * size) / side]),
    picture: { data, width: size, height: size, channels: /** @type {const} */ (3) },
  };
}

/** The square around a box, as wide as its longer side. @param {number[]} box */
function squareAround([left, top, right, bottom]) {
  const [x, y, half] = [(left + right) / 2, (top + bottom) / 2, Math.max(right - left, bottom - top) / 2];
  return [x - half, y - half, x + half, y + half];
}

/**
 * A small copy of the picture in BGR on a black square of `side` px: `room` adds edge pixels on each side. `toPicture`
 * maps a box of the square to the picture.
 * @param {Picture} picture @param {number} side @param {number} room
 */
function smallCopy(picture, side, room) {
  const scale = side / Math.max(picture.height, picture.width) / (1 + 2 * room);
  const [height, width] = [picture.height, picture.width].map((n) => Math.max(1, Math.round(n * scale)));
  const small = resampled(picture, [0, 0, picture.width, picture.height], height, width);
  const edge = Math.min(
    Math.round(room * Math.max(height, width)),
    Math.floor((side - Math.max(height, width)) / 2),
  );
  const square = new Float32Array(side * side * 3);
  for (let y = 0; y < height + 2 * edge; y++) {
    const row = Math.min(Math.max(y - edge, 0), height - 1);
    for (let x = 0; x < width + 2 * edge; x++) {
      const from = (row * width + Math.min(Math.max(x - edge, 0), width - 1)) * 3;
      // in whole numbers, as the copy in Python is
      for (let k = 0; k < 3; k++) square[(y * side + x) * 3 + k] = Math.round(small[from + 2 - k]);
    }
  }
  const [across, down] = [picture.width / width, picture.height / height];
  const toPicture = (/** @type {number[]} */ box) =>
    box.map((value, i) => (value - edge) * (i % 2 ? down : across));
  return { square, toPicture };
}

/**
 * A finder of faces. `find(picture)` gives the faces, the largest first.
 * @param {WebAssembly.Module} module network.wasm @param {FinderParts} parts
 */
export async function createFinder(module, parts) {
  const { side, steps, proposed, certain, overlap, room, passes, mean, std } = parts;
  const yunet = await createNetwork(module, parts.yunet, "YuNet");
  const onet = await createNetwork(module, parts.onet, "O-Net");
  const [size] = onet.size;

  /** O-Net's face in a box. @param {Picture} picture @param {number[]} box @returns {Found} */
  function refined(picture, box) {
    /** @type {Found} */
    let found = { score: 0, box, landmarks: [] };
    for (let pass = 0; pass < passes; pass++) {
      const square = squareAround(found.box);
      const crop = resampled(picture, square, size, size).map((value) => (value - mean) / std);
      const [[score], numbers] = onet.run(crop, 2);
      const wide = square[2] - square[0];
      found = {
        score,
        box: square.map((value, i) => value + numbers[i] * wide),
        // five x, then five y, as shares of the square
        landmarks: [0, 1, 2, 3, 4].map((i) => [
          square[0] + numbers[4 + i] * wide,
          square[1] + numbers[9 + i] * wide,
        ]),
      };
    }
    return found;
  }

  /** @param {Picture} picture @param {number} around */
  function look(picture, around) {
    const { square, toPicture } = smallCopy(picture, side, around);
    const grids = yunet.run(square, steps.length).map((data, i) => ({
      data,
      columns: yunet.shape(i)[1],
      step: steps[i],
    }));
    const found = suppressed(decoded(grids, proposed), overlap).map(({ box }) =>
      refined(picture, toPicture(box)),
    );
    return suppressed(
      found.filter(({ score }) => score >= certain),
      overlap,
    );
  }

  return {
    /** @param {Picture} picture @returns {Found[]} */
    find(picture) {
      const found = look(picture, 0);
      return bySize(found.length ? found : look(picture, room));
    },
    /** O-Net alone, from the boxes of the last picture: for faces that move little. Null if one of them is lost, or two
     * became one. @param {Picture} picture @param {number[][]} boxes */
    follow(picture, boxes) {
      const found = boxes.map((box) => refined(picture, box)).filter(({ score }) => score >= certain);
      const apart = suppressed(found, overlap);
      return apart.length === boxes.length ? bySize(apart) : null;
    },
  };
}
