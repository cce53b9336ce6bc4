import { describe, expect, test } from "vitest";
import { arrows, ordered, place, uniform } from "../../fr_explore_widgets/energy/arrows.js";
import { partial } from "../../fr_explore_widgets/energy/formula.js";
import {
  allPairs,
  closedForm,
  cosines,
  distances,
  drift,
  energies,
  graph,
  meanDistance,
  nullOf,
  order,
  survival,
} from "../../fr_explore_widgets/energy/math.js";
import { reach, walk } from "../../fr_explore_widgets/energy/stage.js";
import {
  checked,
  closedFormAlong,
  compute,
  DEFAULTS,
  preset,
  presetOf,
  spelled,
} from "../../fr_explore_widgets/energy/state.js";
import { remember, top } from "../../fr_explore_widgets/energy/trace.js";
import { angle, caption, covered, sentence } from "../../fr_explore_widgets/energy/words.js";
import { figure } from "../../fr_explore_widgets/shared/plot.js";

const BALL = { rule: "ball", radius: 0.6, k: 4, include_self: false };
const KNN = { ...BALL, rule: "knn" };
const ALL = { ...BALL, rule: "all" };
const RULES = [BALL, KNN, ALL, { ...ALL, rule: "all_weighted" }];

/** A ring, n arrows. */
function ring(pattern, n = 24) {
  const points = place("ring", 0, n);
  return { d: distances(points), cos: cosines(ordered(pattern, points)) };
}

function noise(n, dim, seed) {
  return arrows(
    Array.from({ length: n }, () => [0, 0]),
    0,
    dim,
    seed,
  );
}

describe("the energy", () => {
  test.each(RULES)("of parallel arrows is 0, of random ones near 1: $rule", (rule) => {
    const points = place("random", 3);
    const g = graph(distances(points), rule);
    expect(energies(cosines(ordered("parallel", points)), g).energy).toBeCloseTo(0, 14);
    const { mean, sd } = nullOf(g, 16);
    expect(mean).toBe(1);
    expect(Math.abs(energies(cosines(noise(36, 16, 3)), g).energy - 1)).toBeLessThan(4 * sd);
  });

  test.each([2, 3, 50])("of all pairs follows from the mean arrow, in %i dimensions", (dim) => {
    const units = arrows(ordered("parallel", place("ring", 0, 12)), 0.4, dim, 7);
    const d = distances(place("ring", 0, 12));
    const m = order(units);
    for (const self of [true, false]) {
      const { energy } = energies(cosines(units), graph(d, { ...ALL, include_self: self }));
      expect(energy).toBeCloseTo(allPairs(m, 12, self), 12);
    }
    expect(allPairs(m, 12, false)).toBeCloseTo((12 / 11) * (1 - m * m), 12);
  });

  test.each(["tangential", "radial"])("of a %s ring is 1 minus the mean cosine of the turns", (pattern) => {
    const { d, cos } = ring(pattern);
    for (const half of [1, 2, 5]) {
      const turns = Array.from({ length: half }, (_, i) => 1 - Math.cos((2 * Math.PI * (i + 1)) / 24));
      const wanted = turns.reduce((a, b) => a + b, 0) / half;
      expect(energies(cos, graph(d, { ...KNN, k: 2 * half })).energy).toBeCloseTo(wanted, 12);
    }
    expect(energies(cos, graph(d, ALL)).energy).toBeCloseTo(24 / 23, 12);
  });

  test("of opposed arrows is 2 for the two next ones on a ring", () => {
    const { d, cos } = ring("opposed");
    expect(energies(cos, graph(d, { ...KNN, k: 2 })).energy).toBe(2);
    expect(energies(cos, graph(d, { ...ALL, include_self: true })).energy).toBeCloseTo(1, 12);
  });

  test("of a wide ball is that of all pairs", () => {
    const points = place("random", 1);
    const cos = cosines(noise(36, 3, 1));
    const wide = energies(cos, graph(distances(points), { ...BALL, radius: 9 })).energy;
    expect(wide).toBeCloseTo(energies(cos, graph(distances(points), ALL)).energy, 13);
  });
});

describe("neighbours", () => {
  test("a point is not its own, unless that is requested", () => {
    for (const rule of RULES) {
      const d = distances(place("random", 2));
      expect(graph(d, rule).neighbors.every((js, i) => !js.includes(i))).toBe(true);
      const own = graph(d, { ...rule, include_self: true }).neighbors.every((js, i) => js[0] === i);
      expect(own).toBe(rule.rule !== "all_weighted");
    }
  });

  test("a point counts as one of its own k", () => {
    const g = graph(distances(place("random", 2)), { ...KNN, include_self: true });
    expect(g.neighbors.every((js) => js.length === 4)).toBe(true);
  });

  test("at the same place are neighbours, but carry no weight 1/distance", () => {
    const d = distances([
      [0, 0],
      [0, 0],
      [1, 0],
    ]);
    expect(graph(d, { ...KNN, k: 1 }).neighbors).toEqual([[1], [0], [0]]);
    expect([...graph(d, { ...ALL, rule: "all_weighted" }).weights[0]]).toEqual([0, 0, 1]);
  });

  test("isolated points are left out of E and counted", () => {
    const points = [
      [0, 0],
      [0.1, 0],
      [5, 0],
      [9, 0],
    ];
    const units = [
      [1, 0],
      [0, 1],
      [1, 0],
      [-1, 0],
    ];
    const found = energies(cosines(units), graph(distances(points), { ...BALL, radius: 0.1 }));
    expect(found.energy).toBe(1);
    expect(found.coverage).toBe(0.5);
    expect(found.isolated).toEqual([2, 3]);
    expect(found.points.slice(2)).toEqual([Number.NaN, Number.NaN]);
  });

  test("without any, E is not a number and coverage 0", () => {
    const { d, cos } = ring("parallel");
    const found = energies(cos, graph(d, { ...BALL, radius: 0 }));
    expect(found.energy).toBeNaN();
    expect(found.coverage).toBe(0);
    expect(nullOf(graph(d, { ...BALL, radius: 0 }), 2).mean).toBeNaN();
  });

  test("an arrow without a direction is nobody's neighbour", () => {
    const d = distances(place("ring", 0, 6));
    const known = [true, false, true, true, true, true];
    const g = graph(d, ALL, known);
    expect(g.neighbors[1]).toEqual([]);
    expect(g.neighbors[0]).not.toContain(1);
    expect(energies(ring("parallel", 6).cos, g, known).isolated).toEqual([]);
  });
});

describe("closed forms", () => {
  // from the confluent hypergeometric function 1F1(1/2, dim/2 + 1, -dim s^2/2) of SciPy
  test.each([
    [0, 2, 0],
    [Number.POSITIVE_INFINITY, 2, 1],
    [1, 2, 0.5044862458293103],
    [0.3, 2, 0.06760944204827575],
    [1, 3, 0.5097158572594558],
    [2, 128, 0.8008767310917372],
  ])("drift %f times the noise in %i dimensions", (s, dim, squared) => {
    expect(survival(s, dim) ** 2).toBeCloseTo(squared, 10);
  });

  test("in many dimensions E is 1/(1 + s^2)", () => {
    const g = graph(distances(place("ring", 0)), BALL);
    const base = ring("parallel").cos;
    for (const s of [0.2, 1, 4]) {
      expect(Math.abs(closedForm(base, g)(survival(s, 100000)) - 1 / (1 + s * s))).toBeLessThan(1e-5);
    }
  });

  test("the series meets its limit for a strong drift", () => {
    const short = 1 - survival(990, 2); // below the switch to the limit
    expect(short * 4 * 990 ** 2).toBeCloseTo(1, 2);
    expect(survival(1100, 2)).toBeCloseTo(1 - 1 / (4 * 1100 ** 2), 14);
    expect(survival(20000, 2)).toBeCloseTo(1, 8);
  });

  test.each([
    ["parallel", BALL, 2],
    ["tangential", KNN, 3],
    ["opposed", { ...KNN, include_self: true }, 2],
    ["radial", { ...ALL, rule: "all_weighted" }, 10],
  ])("are the mean over noise: %s", (pattern, rule, dim) => {
    const points = place("grid", 0);
    const bases = ordered(pattern, points);
    const g = graph(distances(points), rule);
    const draws = Array.from(
      { length: 300 },
      (_, seed) => energies(cosines(arrows(bases, 0.5, dim, seed)), g).energy,
    );
    const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
    const error = Math.sqrt(draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length / draws.length);
    const wanted = closedForm(cosines(bases), g)(survival(drift(0.5), dim));
    expect(Math.abs(mean - wanted)).toBeLessThan(4 * error);
    expect(error).toBeLessThan(0.01);
  });

  test.each([BALL, { ...KNN, include_self: true }, { ...ALL, rule: "all_weighted" }])(
    "of the null: mean and spread",
    (rule) => {
      const g = graph(distances(place("random", 4)), rule);
      const draws = Array.from({ length: 400 }, (_, seed) => energies(cosines(noise(36, 3, seed)), g).energy);
      const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
      const sd = Math.sqrt(draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length);
      const wanted = nullOf(g, 3);
      expect(Math.abs(mean - wanted.mean)).toBeLessThan((4 * wanted.sd) / 20);
      expect(sd / wanted.sd).toBeGreaterThan(0.88);
      expect(sd / wanted.sd).toBeLessThan(1.12);
    },
  );

  test("along a slider agree with the scene at each place", () => {
    for (const [name, values] of Object.entries({ order: [0, 0.5, 1], radius: [0, 0.4, 2], dim: [2, 40] })) {
      const line = closedFormAlong(DEFAULTS, name, values);
      values.forEach((value, i) => {
        const { expected } = compute({ ...DEFAULTS, [name]: value });
        if (Number.isNaN(expected)) expect(line[i]).toBeNaN();
        else expect(line[i]).toBeCloseTo(expected, 13);
      });
    }
  });
});

describe("arrows", () => {
  test("are of length 1 and do not depend on later dimensions", () => {
    const points = place("grid", 0);
    const few = arrows(ordered("radial", points), 0.5, 2, 9);
    const many = arrows(ordered("radial", points), 0.5, 7, 9);
    for (const u of [...few, ...many]) expect(Math.hypot(...u)).toBeCloseTo(1, 12);
    const noiseOf = (dim) => arrows([[0, 0]], 0, dim, 9)[0];
    expect(noiseOf(2)[1] / noiseOf(2)[0]).toBeCloseTo(noiseOf(7)[1] / noiseOf(7)[0], 12);
  });

  test("without noise are the pattern, whatever the seed", () => {
    const bases = ordered("tangential", place("ring", 0));
    for (const seed of [0, 1]) {
      arrows(bases, 1, 5, seed).forEach((u, i) => {
        expect(u[0]).toBeCloseTo(bases[i][0], 14);
      });
    }
  });

  test("come from numbers that fill the unit interval evenly", () => {
    const next = uniform(11);
    const bins = new Array(10).fill(0);
    for (let i = 0; i < 10000; i += 1) bins[Math.floor(10 * next())] += 1;
    expect(Math.max(...bins.map((b) => Math.abs(b - 1000)))).toBeLessThan(150);
  });

  test("on a grid oppose each of their four neighbours where they should", () => {
    const points = place("grid", 0);
    const signs = ordered("opposed", points).map(([x]) => x);
    expect(signs.every((sign, i) => (sign === ((i % 6) + Math.floor(i / 6)) % 2 ? -1 : 1))).toBe(true);
    expect(signs[0] * signs[1]).toBe(-1);
    expect(signs[0] * signs[6]).toBe(-1);
  });
});

describe("settings", () => {
  test("presets show again what they set", () => {
    for (const name of ["parallel", "tangential", "radial", "random", "opposed"]) {
      expect(presetOf({ ...DEFAULTS, ...preset(name) })).toBe(name);
    }
    expect(presetOf({ ...DEFAULTS, order: 0.5 })).toBeNull();
  });

  test("are refused in another version or with a gap", () => {
    expect(() => checked({ version: 2 })).toThrow("has version 2, this widget reads version 1");
    expect(() => checked({ order: Number.NaN })).toThrow("not a number");
    expect(checked({ dim: 5 })).toEqual({ ...DEFAULTS, dim: 5 });
  });

  test("are spelled as the library reads them", () => {
    expect(spelled(DEFAULTS)).toBe("ball:0.6");
    expect(spelled({ ...DEFAULTS, rule: "knn", include_self: true })).toBe("knn:4:self");
    expect(spelled({ ...DEFAULTS, rule: "all" })).toBe("all_pairs:0");
    expect(spelled({ ...DEFAULTS, rule: "all_weighted", include_self: true })).toBe("all_pairs");
  });
});

describe("one neighbourhood, step by step", () => {
  const scene = compute({ ...DEFAULTS, rule: "knn" });

  test("the whole sum is the point's energy", () => {
    const { mean, all } = partial(scene, 3, null);
    expect(all).toHaveLength(4);
    expect(mean).toBeCloseTo(scene.pointEnergies[3], 13);
  });

  test("each step takes one neighbour more, the nearest first", () => {
    const terms = partial(scene, 3, null).all;
    expect(partial(scene, 3, 1).mean).toBeCloseTo(1 - terms[0].cos, 13);
    expect(partial(scene, 3, 2).sum).toBeCloseTo(2 - terms[0].cos - terms[1].cos, 13);
    expect(scene.d[3][terms[0].j]).toBeLessThanOrEqual(scene.d[3][terms[3].j]);
  });

  test("weights count", () => {
    const weighted = compute({ ...DEFAULTS, rule: "all_weighted" });
    expect(partial(weighted, 3, null).mean).toBeCloseTo(weighted.pointEnergies[3], 13);
    expect(partial(weighted, 3, 1).weight).toBeCloseTo(
      1 / weighted.d[3][partial(weighted, 3, 1).taken[0].j],
      13,
    );
  });

  test("the disc reaches the radius or the last of the k", () => {
    const ball = compute(DEFAULTS);
    expect(reach(ball, 0)).toBeCloseTo(0.6 * meanDistance(ball.d), 13);
    const inside = ball.graph.neighbors[0].every((j) => ball.d[0][j] <= reach(ball, 0));
    expect(inside).toBe(true);
    expect(reach(scene, 3)).toBeGreaterThan(Math.max(...scene.graph.neighbors[3].map((j) => scene.d[3][j])));
    expect(reach(compute({ ...DEFAULTS, rule: "all" }), 0)).toBe(0);
  });
});

describe("words", () => {
  test.each([
    [{ pattern: "parallel", order: 1 }, "E = 0.00: neighbours within the radius point exactly the same way."],
    [
      { pattern: "tangential", order: 1, radius: 0.3 },
      "almost the same way, though all of them together have no direction.",
    ],
    [
      { pattern: "opposed", order: 1, rule: "knn", k: 2 },
      "E = 2.00: the 2 nearest neighbours oppose each other",
    ],
    [{ order: 0, rule: "all" }, "arrows anywhere agree no more than random arrows do."],
    [{ radius: 0 }, "No arrow has a neighbour at this radius, so E is not defined. Widen the radius."],
  ])("for %o", (given, words) => {
    expect(sentence(compute({ ...DEFAULTS, ...given }))).toContain(words);
  });

  test("say how much of the arrows a picture shows", () => {
    expect(caption(compute(DEFAULTS))).toBe("");
    expect(caption(compute({ ...DEFAULTS, radius: 0 }))).toContain("Dashed: arrows without a neighbour");
    const text = caption(compute({ ...DEFAULTS, order: 0, dim: 100, layout: "grid" }));
    const share = Number(text.match(/dimensions, (\d+) %/)[1]);
    expect(Math.abs(share - 2)).toBeLessThanOrEqual(1);
    expect(text).toContain("in all 100");
  });

  test("count the arrows that are left out", () => {
    const scene = compute({ ...DEFAULTS, layout: "random", radius: 0.2 });
    expect(scene.isolated.length).toBeGreaterThan(2);
    expect(covered(scene)).toBe(`${36 - scene.isolated.length} of 36 arrows`);
    expect(covered(compute(DEFAULTS))).toBe("all 24 arrows");
  });

  test("write numbers", () => {
    expect([figure(-0.5), figure(-0.001), figure(Number.NaN), angle(0), angle(-1)]).toEqual([
      "\u22120.50",
      "0.00",
      "\u2013",
      90,
      180,
    ]);
  });
});

describe("the trace", () => {
  test("keeps the latest value at each place of a run", () => {
    let past = remember([], { name: "order", run: 0, x: 0.5, energy: 1 });
    past = remember(past, { name: "order", run: 0, x: 0.5, energy: 2 });
    past = remember(past, { name: "order", run: 1, x: 0.5, energy: 3 });
    expect(past.map((p) => p.energy)).toEqual([2, 3]);
  });

  test("has room for the largest energy", () => {
    expect([top([0.5, Number.NaN]), top([1.9])]).toEqual([1.25, 2.1]);
  });
});

test("keys walk along the ring and across the grid, around the ends", () => {
  expect(walk("ArrowRight", 23, 24, 1)).toBe(0);
  expect(walk("ArrowUp", 2, 36, 6)).toBe(32);
  expect(walk("End", 2, 36, 6)).toBe(35);
  expect(walk("x", 2, 36, 6)).toBeNull();
});
