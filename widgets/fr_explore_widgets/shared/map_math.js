// Positions of points on a map and the search for the nearest one: pure functions.

/** @typedef {{k: number, x: number, y: number}} View pixels per unit, and the position of the origin */

const MARGIN = 20;

/**
 * The view that shows all points, with the same scale in both directions. Points with NaN are ignored.
 * @param {Float32Array} xy x, y, x, y, ...
 * @param {number} width
 * @param {number} height
 * @param {number} [margin]
 * @returns {View}
 */
export function fitView(xy, width, height, margin = MARGIN) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    if (Number.isNaN(xy[i]) || Number.isNaN(xy[i + 1])) continue;
    left = Math.min(left, xy[i]);
    right = Math.max(right, xy[i]);
    low = Math.min(low, xy[i + 1]);
    high = Math.max(high, xy[i + 1]);
  }
  if (left > right) [left, right, low, high] = [0, 0, 0, 0];
  const room = (/** @type {number} */ size) => Math.max(size - 2 * margin, 1);
  const spans = [(right - left) / room(width), (high - low) / room(height)];
  const k = 1 / (Math.max(...spans) || 1);
  return { k, x: width / 2 - (k * (left + right)) / 2, y: height / 2 + (k * (low + high)) / 2 };
}

/**
 * Enlarge by `factor` around the fixed point (x, y).
 * @param {View} view
 * @param {number} factor
 * @param {number} x
 * @param {number} y
 * @returns {View}
 */
export function zoomAt(view, factor, x, y) {
  return { k: view.k * factor, x: x - (x - view.x) * factor, y: y - (y - view.y) * factor };
}

/**
 * Points sorted into grid cells, so that the nearest one is found without visiting all.
 * @param {Float32Array} xy
 */
export function createGrid(xy) {
  const n = xy.length / 2;
  const side = Math.max(1, Math.ceil(Math.sqrt(n / 2)));
  const fit = fitView(xy, side, side, 0);
  const cell = (/** @type {number} */ at) => Math.min(Math.max(Math.floor(at), 0), side - 1);
  const column = (/** @type {number} */ x) => cell(fit.x + x * fit.k);
  const row = (/** @type {number} */ y) => cell(fit.y - y * fit.k);
  const start = new Int32Array(side * side + 1);
  const home = new Int32Array(n);
  for (let i = 0; i < n; i += 1) {
    const nowhere = Number.isNaN(xy[2 * i]) || Number.isNaN(xy[2 * i + 1]);
    home[i] = nowhere ? -1 : row(xy[2 * i + 1]) * side + column(xy[2 * i]);
    if (!nowhere) start[home[i] + 1] += 1;
  }
  for (let c = 0; c < side * side; c += 1) start[c + 1] += start[c];
  const next = start.slice();
  const members = new Int32Array(start[side * side]);
  for (let i = 0; i < n; i += 1) if (home[i] >= 0) members[next[home[i]]++] = i;
  return {
    /** The point nearest to (x, y), or -1 if none is within `reach`. @param {number} x @param {number} y @param {number} reach */
    near(x, y, reach) {
      let best = -1;
      let least = reach * reach;
      for (let r = row(y + reach); r <= row(y - reach); r += 1) {
        const [from, to] = [r * side + column(x - reach), r * side + column(x + reach)];
        for (let m = start[from]; m < start[to + 1]; m += 1) {
          const i = members[m];
          const d = (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2;
          if (d > least || (d === least && best >= 0)) continue;
          least = d;
          best = i;
        }
      }
      return best;
    },
  };
}

/**
 * The next point in a direction, for the arrow keys: near points first, points far off the direction last; -1 for none.
 * @param {Float32Array} xy
 * @param {number} from
 * @param {number} dx
 * @param {number} dy
 */
export function towards(xy, from, dx, dy) {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < xy.length / 2; i += 1) {
    const [x, y] = [xy[2 * i] - xy[2 * from], xy[2 * i + 1] - xy[2 * from + 1]];
    const ahead = x * dx + y * dy;
    const cost = ahead + 3 * Math.abs(x * dy - y * dx);
    if (ahead <= 0 || !(cost < least)) continue;
    least = cost;
    best = i;
  }
  return best;
}
