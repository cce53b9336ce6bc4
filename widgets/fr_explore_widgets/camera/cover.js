// Mask, sunglasses and light from the side, as fr_explore/faces/photographs/occlusion.py and edits.py draw them: pure
// functions of a portrait. Shapes are signed distances in units of the face, whose origin is between the eyes.

/** @typedef {import("../engine/types").Picture} Picture */
/** @typedef {import("../engine/types").Portrait} Portrait */
/** @typedef {(x: number, y: number, mouth: number) => {distance: number, color: number[]}} Shape */

export const COVERS = ["mask", "sunglasses", "side_light"];
const LENS = [0.05, 0.055, 0.07];
const CLOTH = [0.55, 0.72, 0.8];

/** The signed distance to a rectangle with rounded corners. @param {number} x @param {number} y @param {number} halfWidth @param {number} halfHeight @param {number} corner */
function boxAt(x, y, halfWidth, halfHeight, corner) {
  const dx = Math.abs(x) - halfWidth + corner;
  const dy = Math.abs(y) - halfHeight + corner;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - corner;
}

/** The distance to a line segment. @param {number} x @param {number} y @param {number[]} start @param {number[]} end */
function segmentAt(x, y, [left, top], [right, bottom]) {
  const [dx, dy] = [right - left, bottom - top];
  const along = Math.min(Math.max(((x - left) * dx + (y - top) * dy) / (dx * dx + dy * dy), 0), 1);
  return Math.hypot(x - left - along * dx, y - top - along * dy);
}

/** @type {Shape} */
function sunglasses(x, y) {
  const lens = boxAt(Math.abs(x) - 0.5, y - 0.06, 0.41, 0.3, 0.2);
  const bridge = boxAt(x, y + 0.08, 0.2, 0.04, 0.03);
  const temples = boxAt(Math.abs(x) - 1.05, y + 0.1, 0.25, 0.03, 0.03);
  return { distance: Math.min(lens, bridge, temples), color: LENS };
}

/** @type {Shape} */
function mask(side, y, mouth) {
  const x = Math.abs(side);
  const [top, bottom] = [0.36 * mouth, 1.9 * mouth];
  const [middle, half] = [(top + bottom) / 2, (bottom - top) / 2];
  const narrowing = 0.78 - 0.22 * Math.min(Math.max((y - middle) / half, -1), 1);
  const cloth = boxAt(x, y - middle, narrowing, half, 0.3);
  const upper = segmentAt(x, y, [0.9, top + 0.12], [1.25, 0.15]);
  const lower = segmentAt(x, y, [0.66, bottom - 0.35], [1.25, 0.45]);
  const pleat = 1 - 0.05 * (1 + Math.cos(((y - middle) / half) * 3 * Math.PI));
  return {
    distance: Math.min(cloth, upper - 0.018, lower - 0.018),
    color: CLOTH.map((one) => one * pleat),
  };
}

/** @param {number[][]} points */
const mean = (points) => [0, 1].map((k) => points.reduce((sum, one) => sum + one[k], 0) / points.length);

/** Lay a shape over a picture. @param {Float32Array} data @param {number} size @param {number[][]} landmarks @param {Shape} shape @param {number} opacity */
function lay(data, size, landmarks, shape, opacity) {
  const origin = mean(landmarks.slice(0, 2));
  const across = [landmarks[1][0] - landmarks[0][0], landmarks[1][1] - landmarks[0][1]];
  const eyes = Math.hypot(...across);
  const down = mean(landmarks.slice(3)).map((value, k) => value - origin[k]);
  // the eyes of a turned head are closer together: the distance to the mouth keeps the unit from shrinking
  const unit = Math.max(eyes, Math.hypot(...down) / 1.25, 1e-6);
  const [cosine, sine] = across.map((value) => value / Math.max(eyes, 1e-6));
  const mouth = Math.max(Math.hypot(...down) / unit, 0.5);
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++, at += 3) {
      const [u, v] = [(column + 0.5 - origin[0]) / unit, (row + 0.5 - origin[1]) / unit];
      const { distance, color } = shape(u * cosine + v * sine, v * cosine - u * sine, mouth);
      const cover = opacity * Math.min(Math.max(0.5 - distance * unit, 0), 1);
      if (!cover) continue;
      for (let k = 0; k < 3; k++) data[at + k] = data[at + k] * (1 - cover) + color[k] * cover;
    }
  }
}

/** Brighten one side of the face and darken the other. @param {Float32Array} data @param {number} size @param {number[][]} landmarks @param {number} strength */
function lightFromSide(data, size, landmarks, strength) {
  const [eyes, mouth] = [mean(landmarks.slice(0, 2)), mean(landmarks.slice(3))];
  const unit = Math.max(Math.hypot(mouth[0] - eyes[0], mouth[1] - eyes[1]), 1e-6);
  for (let column = 0; column < size; column++) {
    const x = (column + 0.5 - eyes[0]) / unit;
    const factor = Math.exp(0.8 * strength * Math.tanh(x) - 0.45 * strength ** 2);
    for (let row = 0; row < size; row++) {
      const at = 3 * (row * size + column);
      for (let k = at; k < at + 3; k++) data[k] = Math.min(data[k] * factor, 1);
    }
  }
}

/**
 * A portrait with what covers the face, in the order in which the kernel draws it.
 * @param {Portrait} portrait of a square picture @param {Record<string, number>} values
 * @returns {Portrait}
 */
export function covered(portrait, values) {
  if (COVERS.every((name) => !values[name])) return portrait;
  const { picture, landmarks } = portrait;
  const data = Float32Array.from(picture.data);
  if (values.mask) lay(data, picture.width, landmarks, mask, values.mask);
  if (values.sunglasses) lay(data, picture.width, landmarks, sunglasses, values.sunglasses);
  if (values.side_light) lightFromSide(data, picture.width, landmarks, values.side_light);
  return { ...portrait, picture: { ...picture, data } };
}
