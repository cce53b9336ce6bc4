import { expect, test } from "vitest";
import { estimate, rowsOf } from "../../fr_explore_widgets/attribute/estimate.js";
import { after, checkState, referenceOf } from "../../fr_explore_widgets/attribute/session.js";
import { fromHash, toHash } from "../../fr_explore_widgets/shared/page.js";

const attributes = [
  { name: "age", label: "age", low: 18, high: 75, neutral: 35 },
  { name: "hue", label: "hue", low: -45, high: 45, neutral: 0 },
];
const known = { attributes, identities: [3, "b"], models: ["m", "n"] };
const start = checkState({ identity: 3, strengths: {} }, known);

test("an action makes a complete state, in which neutral strengths are left out", () => {
  const moved = after(start, { action: "set", values: { age: 60, hue: 0 } }, known);
  expect(moved).toEqual({ ...start, strengths: { age: 60 }, model: "m", compare: null, version: 1 });
  const pinned = after(after(moved, { action: "pin" }, known), { action: "identity", place: 1 }, known);
  expect([pinned.identity, referenceOf(pinned)]).toEqual(["b", { identity: 3, strengths: { age: 60 } }]);
  expect(referenceOf(after(pinned, { action: "unpin" }, known))).toEqual({ identity: "b", strengths: {} });
  const stored = after(moved, { action: "store", snapshot: "A" }, known);
  const back = after(after(stored, { action: "reset" }, known), { action: "recall", snapshot: "A" }, known);
  expect(back.strengths).toEqual({ age: 60 });
  expect(after(back, { action: "forget" }, known).snapshots).toEqual({});
  expect(after(moved, { action: "models", model: "n", compare: "m" }, known)).toMatchObject({
    model: "n",
    compare: "m",
  });
  expect(after(pinned, { action: "restore", state: start }, known)).toEqual(start);
});

test("what does not fit the page is refused in words", () => {
  const set = (values) => () => after(start, { action: "set", values }, known);
  expect(set({ age: 80 })).toThrow("age = 80 is out of range: it goes from 18 to 75.");
  expect(set({ age: Number.NaN })).toThrow("out of range");
  expect(set({ cheer: 1 })).toThrow("cheer is not an attribute of this page.");
  expect(() => checkState({ identity: 9, strengths: {} }, known)).toThrow("identity 9 is not in this page.");
  expect(() => checkState({ ...start, version: 2 }, known)).toThrow("the state has version 2");
  expect(() => checkState({ ...start, model: "x" }, known)).toThrow("x is not a model of this page.");
  expect(() => checkState({ ...start, compare: "m" }, known)).toThrow("m cannot be compared with itself.");
  expect(() => after(start, { action: "dance" }, known)).toThrow("unknown action dance.");
});

test("energies by hand: parallel arrows, opposed arrows, and a face that does not move", () => {
  const point = (x, ...moves) => ({ middle: [x, 0], ends: moves.map(([a, b]) => [[x, 0], [x + a, b]]) }); // biome-ignore format: short
  const points = [
    point(0, [1, 0], [0, 1], [0, 0]),
    point(1, [2, 0], [0, -1], [0, 0]),
    point(3, [3, 0], [0, 1], [0, 0]),
  ];
  const rows = rowsOf(["along", "across", "still"], [points, points], "euclidean");
  expect(rows[0]).toMatchObject({ name: "along", energy: 0, spread: 0, null: 1 });
  expect(rows[0].magnitude).toBeCloseTo(2 / 2); // distances 1, 2 and 3 have the mean 2
  // weights 1/distance: point 0 has 1 (opposed, 2) and 1/3 (alike, 0), point 1 has 1 and 1/2 (both opposed), point 2 has 1/3 and 1/2
  expect(rows[1].energy).toBeCloseTo((2 / (4 / 3) + 2 + 1 / (5 / 6)) / 3);
  expect(rows[2]).toMatchObject({ energy: null, magnitude: 0 });
});

test("the estimate visits every face once and reports on its way", async () => {
  const lattice = { attributes: ["age"], steps: [2], people: [1, 0], names: ["age", "hue"], first: 2,
    base: [[[30, 1], [40, 2], [50, 3]], [[31, 4], [41, 5], [51, 6]]] }; // biome-ignore format: a table
  const seen = [];
  const embed = async (place, { age, hue }) => {
    seen.push([place, age, hue]);
    return [age + 100 * place, hue];
  };
  const steps = [];
  for await (const step of estimate(lattice, embed, "euclidean")) steps.push(step);
  expect(seen.length).toBe(2 * 3 * 3);
  expect(seen.slice(0, 3)).toEqual([[1, 30, 1], [1, 28, 1], [1, 32, 1]]); // biome-ignore format: a table
  expect(steps.at(-1)).toMatchObject({ done: 18, all: 18, curves: 3, identities: 2, source: "estimate" });
  expect(steps.filter(({ rows }) => rows).map(({ curves }) => curves)).toEqual([2, 3]);
  expect(steps.at(-1).rows[0].energy).toBeCloseTo(0); // age always moves the first number
});

test("a link holds the state, whatever letters are in it", () => {
  const state = { identity: "Ä ÿ >?~", strengths: { age: 61.5 } };
  expect(toHash(state)).toMatch(/^#state=[\w-]+$/);
  expect(fromHash(`file:///tmp/x.html${toHash(state)}`)).toEqual(state);
  expect(fromHash(`#${encodeURIComponent(JSON.stringify(state))}`)).toEqual(state); // a notebook's bookmark
  expect([fromHash(""), fromHash("#top"), fromHash("#state=%")]).toEqual([null, null, null]);
});
