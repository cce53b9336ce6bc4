// The alignment energy of a few arrows, its closed forms and its null: pure functions.
// E_i = sum_j w_ij (1 - u_i.u_j) / sum_j w_ij and E = mean_i E_i, over the points that have a neighbour.

/** @typedef {import("./types").Rule} Rule */
/** @typedef {{weights: Float64Array[], neighbors: number[][], totals: number[]}} Graph */

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function dot(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) sum += a[k] * b[k];
  return sum;
}

/** u_i.u_j of all pairs. @param {ArrayLike<number>[]} units */
export function cosines(units) {
  const rows = units.map(() => new Float64Array(units.length));
  for (let i = 0; i < units.length; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const c = Math.min(1, Math.max(-1, dot(units[i], units[j])));
      rows[i][j] = c;
      rows[j][i] = c;
    }
  }
  return rows;
}

/** Euclidean distances of all pairs. @param {[number, number][]} points */
export function distances(points) {
  return points.map(([x, y]) => Float64Array.from(points, ([a, b]) => Math.hypot(x - a, y - b)));
}

/** Mean distance between two different points. @param {Float64Array[]} d */
export function meanDistance(d) {
  const n = d.length;
  return d.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0) / Math.max(n * (n - 1), 1);
}

/**
 * The neighbours of each point and their weights. A point is its own neighbour only with `include_self`, which
 * "all_weighted" (weight 1/distance) ignores; ties among the k nearest go to the lower index.
 * @param {Float64Array[]} d distances
 * @param {Rule} rule `radius` in mean distances
 * @param {boolean[]} [known] points that have a direction; the others are not neighbours
 * @returns {Graph}
 */
export function graph(d, rule, known = d.map(() => true)) {
  const own = rule.include_self && rule.rule !== "all_weighted";
  const inside = d.map((_, i) => i).filter((i) => known[i]);
  const reach = rule.radius * meanDistance(inside.map((i) => Float64Array.from(inside, (j) => d[i][j])));
  const weights = d.map((row, i) => {
    const w = new Float64Array(d.length);
    if (!known[i]) return w;
    const others = inside.filter((j) => j !== i);
    if (rule.rule === "knn") {
      const key = (/** @type {number} */ j) => Number(row[j].toPrecision(12));
      others.sort((a, b) => key(a) - key(b) || a - b);
      for (const j of others.slice(0, rule.k - Number(own))) w[j] = 1;
    } else if (rule.rule === "ball") {
      for (const j of others) w[j] = Number(row[j] <= reach * (1 + 1e-12));
    } else {
      for (const j of others) w[j] = rule.rule === "all" ? 1 : row[j] > 0 ? 1 / row[j] : 0;
    }
    if (own) w[i] = 1;
    return w;
  });
  // nearest first, so that stepping through a neighbourhood goes outwards
  const neighbors = weights.map((w, i) =>
    inside.filter((j) => w[j] > 0).sort((a, b) => d[i][a] - d[i][b] || a - b),
  );
  return { weights, neighbors, totals: weights.map((w) => w.reduce((a, b) => a + b, 0)) };
}

/**
 * @param {Float64Array[]} cos of all pairs
 * @param {Graph} g
 * @param {boolean[]} [known]
 * @returns {{energy: number, points: number[], coverage: number, isolated: number[]}} NaN for a point without a
 *     neighbour; coverage is the share of points with a neighbour among those with a direction
 */
export function energies(cos, { weights, neighbors, totals }, known = cos.map(() => true)) {
  const points = neighbors.map((js, i) =>
    js.length ? js.reduce((sum, j) => sum + weights[i][j] * (1 - cos[i][j]), 0) / totals[i] : Number.NaN,
  );
  const there = points.filter((e) => !Number.isNaN(e));
  const isolated = points.map((_, i) => i).filter((i) => known[i] && Number.isNaN(points[i]));
  return {
    energy: there.length ? there.reduce((a, b) => a + b, 0) / there.length : Number.NaN,
    points,
    coverage: there.length / Math.max(there.length + isolated.length, 1),
    isolated,
  };
}

/** |mean u|, from 0 (no common direction) to 1 (parallel). @param {ArrayLike<number>[]} units */
export function order(units) {
  const mean = Array.from(units[0], (_, k) => units.reduce((sum, u) => sum + u[k], 0) / units.length);
  return Math.sqrt(dot(mean, mean));
}

/** E of all pairs with equal weights, exactly: 1 - m^2 including the point itself, n/(n-1) times that without. @param {number} m @param {number} n @param {boolean} self */
export function allPairs(m, n, self) {
  return (1 - m * m) * (self ? 1 : n / (n - 1));
}

/** log Gamma(x) for x > 0, by Stirling's series. @param {number} x */
function logGamma(x) {
  let shift = 0;
  let z = x;
  for (; z < 12; z += 1) shift += Math.log(z);
  const i = 1 / (z * z);
  const series = (1 / 12 - i * (1 / 360 - i * (1 / 1260 - i / 1680))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/**
 * R, the part of a drift that survives noise. For v = s b + z with |b| = 1 and z normal with variance 1/dim in each of
 * `dim` dimensions, the mean of v/|v| is R b, with
 *     R = sqrt(x) e^-x sum_k x^k/k! g(dim/2 + k),  g(a) = Gamma(a + 1/2)/Gamma(a + 1),  x = dim s^2/2,
 * the mean of a projected normal distribution. In many dimensions R^2 tends to s^2/(1 + s^2).
 * @param {number} s drift relative to the noise, may be infinite
 * @param {number} dim
 */
export function survival(s, dim) {
  const x = (dim * s * s) / 2;
  if (x === 0) return 0;
  if (x > 1e6) return 1 - (dim - 1) / (4 * x);
  const top = Math.floor(x);
  const g = Math.exp(logGamma(dim / 2 + top + 0.5) - logGamma(dim / 2 + top + 1));
  let weight = 1;
  let part = g;
  let total = 1;
  let sum = g;
  // from the largest Poisson weight up and down, until the terms vanish
  for (let k = top + 1, a = dim / 2 + top; weight > 1e-17; k += 1, a += 1) {
    weight *= x / k;
    part *= (a + 0.5) / (a + 1);
    total += weight;
    sum += weight * part;
  }
  weight = 1;
  part = g;
  for (let k = top, a = dim / 2 + top; k > 0 && weight > 1e-17; k -= 1, a -= 1) {
    weight *= k / x;
    part *= a / (a - 0.5);
    total += weight;
    sum += weight * part;
  }
  return Math.min(1, (Math.sqrt(x) * sum) / total);
}

/** s, the drift relative to the noise, at an order from 0 to 1. @param {number} amount */
export function drift(amount) {
  return amount >= 1 ? Number.POSITIVE_INFINITY : amount / (1 - amount);
}

/**
 * Independent random arrows on the same points: the mean of E (1, or less if a point counts itself) and its standard
 * deviation, sqrt(sum_{i<j} (p_ij + p_ji)^2 / dim) / n with p_ij = w_ij / sum_j w_ij.
 * @param {Graph} g
 * @param {number} dim
 */
export function nullOf({ weights, totals }, dim) {
  const rows = totals.map((_, i) => i).filter((i) => totals[i] > 0);
  const n = rows.length;
  let own = 0;
  let squares = 0;
  for (const i of rows) {
    own += weights[i][i] / totals[i];
    for (let j = 0; j < totals.length; j += 1) {
      if (j === i || (j < i && totals[j] > 0)) continue;
      squares += (weights[i][j] / totals[i] + (totals[j] > 0 ? weights[j][i] / totals[j] : 0)) ** 2;
    }
  }
  return n ? { mean: 1 - own / n, sd: Math.sqrt(squares / dim) / n } : { mean: Number.NaN, sd: Number.NaN };
}

/**
 * The closed form for independent noise of equal strength: two different arrows have u_i.u_j = R^2 b_i.b_j on average,
 * so E = N + R^2 (E_0 - N), with E_0 the energy of the ordered arrows b and N that of random arrows. N = 1 if a point
 * does not count itself, hence E = 1 - R^2 (1 - E_0).
 * @param {Float64Array[]} base cosines of the ordered arrows
 * @param {Graph} g
 * @returns {(r: number) => number}
 */
export function closedForm(base, g) {
  const noiseless = energies(base, g).energy;
  const random = nullOf(g, 1).mean;
  return (r) => random + r * r * (noiseless - random);
}
