// What a model depends on, estimated in a page: the lattice, magnitude and energy of `estimate` in samples.py.

import { distance } from "../engine/measure.js";

/** @typedef {"euclidean" | "cosine"} Metric */
/** @typedef {import("./types").EnergyRow} EnergyRow */
/** @typedef {ArrayLike<number>} Vector */
/**
 * @typedef {object} Lattice
 * @property {string[]} attributes the varied ones, each along its own curves
 * @property {number[]} steps one step of each of them, in its unit
 * @property {number[]} people their places
 * @property {string[]} names of the strengths in `base`
 * @property {number[][][]} base (person, curve, name)
 * @property {number} first the curves of each person after which a first estimate is shown
 */
/** @typedef {{middle: Vector, ends: [low: Vector, high: Vector][]}} Point a base face, and its moves along each attribute */

// directions of faces that do not move are rounding noise, as in geometry/field.py
const NOISE = 4 * 2 ** -23;

/** @param {Vector} v */
const norm = (v) => Math.sqrt(Array.from(v, (x) => x * x).reduce((a, b) => a + b, 0));
/** @param {Vector} a @param {Vector} b */
const minus = (a, b) => Float64Array.from(a, (x, i) => x - b[i]);
/** @param {number[]} values */
const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : Number.NaN);

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The energy of all pairs, weighted by 1/distance: `all_pairs()` of geometry/neighbors.py.
 * @param {Float64Array[]} units @param {Vector[]} points @param {Metric} metric */
function energyOf(units, points, metric) {
  const energies = units.map((u, i) => {
    let [sum, total] = [0, 0];
    for (const [j, v] of units.entries()) {
      const far = j === i ? 0 : distance(points[i], points[j], metric);
      if (!(far > 0)) continue;
      sum += (1 - u.reduce((dot, x, k) => dot + x * v[k], 0)) / far;
      total += 1 / far;
    }
    return total ? sum / total : Number.NaN;
  });
  return mean(energies.filter(Number.isFinite));
}

/** One person's magnitude and energy of each attribute. @param {Point[]} points @param {Metric} metric */
function ofPerson(points, metric) {
  const pairs = points.flatMap(({ middle }, i) =>
    points.slice(i + 1).map((other) => distance(middle, other.middle, "euclidean")),
  );
  const apart = mean(pairs);
  return points[0].ends.map((_, a) => {
    const moves = points.map(({ ends }) => minus(ends[a][1], ends[a][0]));
    const lengths = moves.map(norm);
    const moved = points
      .map((_, i) => i)
      .filter((i) => lengths[i] > NOISE * Math.max(...points[i].ends[a].map(norm)));
    const units = moved.map((i) => moves[i].map((x) => x / lengths[i]));
    const energy = energyOf(
      units,
      moved.map((i) => points[i].middle),
      metric,
    );
    return { magnitude: median(lengths) / apart, energy };
  });
}

/** The rows of the bars: means over people. @param {string[]} attributes @param {Point[][]} people @param {Metric} metric @returns {EnergyRow[]} */
export function rowsOf(attributes, people, metric) {
  const found = people.map((points) => ofPerson(points, metric));
  const plain = (/** @type {number} */ value) => (Number.isFinite(value) ? value : null);
  return attributes.map((name, a) => {
    const energies = found.map((one) => one[a].energy).filter(Number.isFinite);
    const middle = mean(energies);
    const spread = Math.sqrt(energies.reduce((sum, e) => sum + (e - middle) ** 2, 0) / (energies.length - 1));
    const magnitude = mean(found.map((one) => one[a].magnitude));
    // independent random directions have energy 1 on average
    return { name, energy: plain(middle), spread: plain(spread), magnitude: plain(magnitude), null: 1 };
  });
}

/**
 * Yields {done, all} after each face, with rows when enough curves are complete.
 * @param {Lattice} lattice
 * @param {(place: number, strengths: Record<string, number>) => Promise<Vector>} embed
 * @param {Metric} metric of the model
 */
export async function* estimate({ attributes, steps, people, names, base, first }, embed, metric) {
  /** @type {Point[][]} */
  const points = people.map(() => []);
  const curves = base[0].length;
  const all = people.length * curves * (1 + 2 * attributes.length);
  let done = 0;
  for (let curve = 0; curve < curves; curve++) {
    for (const [i, place] of people.entries()) {
      const strengths = Object.fromEntries(names.map((name, k) => [name, base[i][curve][k]]));
      const middle = await embed(place, strengths);
      done += 1;
      /** @type {[Vector, Vector][]} */
      const ends = [];
      for (const [a, name] of attributes.entries()) {
        const at = (/** @type {number} */ sign) =>
          embed(place, { ...strengths, [name]: strengths[name] + sign * steps[a] });
        ends.push([await at(-1), await at(1)]);
        done += 2;
        yield { done, all };
      }
      points[i].push({ middle, ends });
    }
    if (curve + 1 === first || curve + 1 === curves) {
      const facts = {
        source: "estimate",
        curves: curve + 1,
        identities: people.length,
        neighborhood: "all_pairs()",
      };
      yield { ...facts, rows: rowsOf(attributes, points, metric), done, all };
    }
  }
}
