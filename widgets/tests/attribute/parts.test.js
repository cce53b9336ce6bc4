// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { basis, createBars } from "../../fr_explore_widgets/attribute/bars.js";
import { createKey } from "../../fr_explore_widgets/attribute/key.js";
import { createTrailMap } from "../../fr_explore_widgets/attribute/map.js";
import { brief, createModels } from "../../fr_explore_widgets/attribute/models.js";
import {
  belongs,
  color,
  createPath,
  pathDistances,
  pathWords,
} from "../../fr_explore_widgets/attribute/path.js";
import {
  createStrip,
  retention,
  retentionWords,
  stretches,
} from "../../fr_explore_widgets/attribute/retention.js";
import { differences } from "../../fr_explore_widgets/attribute/snapshots.js";
import { createSweep, SLOW, STEPPED, stops } from "../../fr_explore_widgets/attribute/sweep.js";
import { extend } from "../../fr_explore_widgets/attribute/trail.js";
import { fakeCanvas } from "../fake_model.js";

const age = {
  name: "age",
  label: "age",
  unit: "years",
  low: 20,
  high: 70,
  neutral: 35,
  step: 5,
  color: "#c2571a",
};
const card = {
  name: "m",
  title: "Model",
  metric: "euclidean",
  threshold: 0.6,
  threshold_source: "paper",
  dim: 128,
  accuracy: "good",
  trained_on: "many",
  licence: "CC0",
  weaknesses: ["weak on hats"],
};

beforeEach(() => {
  vi.useFakeTimers();
  fakeCanvas(vi);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("the range is divided where the interpolated distance crosses the threshold", () => {
  /** @type {[number, number][]} */
  const samples = [[20, 0.8], [40, 0.4], [50, 0.5], [70, 0.7]]; // biome-ignore format: one line
  expect(stretches(samples, 0.6)).toEqual([
    { from: 20, to: 30, same: false },
    { from: 30, to: 60, same: true },
    { from: 60, to: 70, same: false },
  ]);
  expect(retention(samples, 0.6)).toBeCloseTo(0.6);
  expect(retentionWords(age, samples, 0.6)).toBe(
    "Identity kept over 60 % of the range of age: 30 years to 60 years.",
  );
  expect(retentionWords(age, samples, 0.9)).toContain("over the whole range of age");
  expect(retentionWords(age, samples, 0.1)).toContain("nowhere");
  expect(retention([[20, 0.6], [70, 0.6]], 0.6)).toBe(1); // biome-ignore format: exactly at the threshold
  expect(stretches([[20, 0.5], [45, 0.6], [70, 0.7]], 0.6)).toEqual([{ from: 20, to: 45, same: true }, { from: 45, to: 70, same: false }]); // biome-ignore format: as above
  expect(retention(samples, null)).toBe(null);
  expect(retention([[20, 0.1]], 0.6)).toBe(null);
  expect(stretches([], 0.6)).toEqual([]);
});

test("the strip draws each stretch in its place and describes it in words", () => {
  const strip = createStrip(age);
  strip.show([[20, 0], [70, 1]], 0.5); // biome-ignore format: one line
  const parts = [...strip.root.children];
  expect(parts.map((part) => part.className)).toEqual(["fr-same", "fr-different"]);
  expect(parts[1].style.getPropertyValue("--from")).toBe("0.5");
  expect(strip.root.getAttribute("aria-label")).toContain("50 %");
  strip.show([], 0.5);
  expect(strip.root.hidden).toBe(true);
});

const step = { color: "#123456", shape: "circle", label: "age", name: "age" };

test("an exact step replaces the rough one of the drag, and the oldest steps after the first go", () => {
  const at = (x, more = {}) => ({ x, y: 0, ...step, ...more });
  const rough = extend([at(0)], at(1, { rough: true }));
  expect(extend(rough, at(2, { rough: true }))).toHaveLength(3);
  expect(extend(rough, at(1.1)).map(({ x }) => x)).toEqual([0, 1.1]);
  expect(extend([at(0), at(1)], at(1))).toHaveLength(2);
  let long = [];
  for (let x = 0; x < 700; x += 1) long = extend(long, at(x));
  expect([long.length, long[0].x, long[1].x, long[599].x]).toEqual([600, 0, 101, 699]);
});

/** A trail map of two identities, each with its neutral face and a varied one; `frame` draws it and gives the dots. */
function trailMap() {
  const calls = fakeCanvas(vi);
  const frames = [];
  vi.stubGlobal("requestAnimationFrame", (callback) => frames.push(callback));
  const stop = new AbortController();
  const map = createTrailMap({ signal: stop.signal, nameOf: (place) => ["anna", "ben"][place] });
  Object.defineProperties(map.canvas, { clientWidth: { value: 456 }, clientHeight: { value: 484 } });
  map.setGallery([[0, 0, 0, 1], [0.1, 0.1, 0, 0], [1, 1, 1, 1], [0.9, 1, 1, 0]], []); // biome-ignore format: a table
  const frame = () => {
    calls.length = 0;
    for (const callback of frames.splice(0)) callback();
    const arcs = calls.filter(([name]) => name === "arc");
    return {
      dots: arcs.filter(([, , , r]) => r < 4).map((arc) => arc.slice(1, 3).map(Math.round)),
      words: calls.filter(([name]) => name === "fillText").map(([, text]) => text),
    };
  };
  const move = (point, more = {}) =>
    map.move(point, { who: 0, fresh: false, reference: [0, 0], step, ...more });
  return { map, move, frame };
}

test("the trail grows with each new point and restarts with another face", () => {
  const { map, move } = trailMap();
  move([0, 0]);
  move([1, 0]);
  move([1, 0]); // the same point is not a step
  move([1, 1]);
  expect(map.root.dataset.trail).toBe("3");
  expect(map.root.dataset.point).toBe("1,1");
  move([5, 5], { who: 1 });
  expect(map.root.dataset.trail).toBe("1");
  move([6, 5], { who: 1 });
  move([7, 5], { who: 1, fresh: true });
  expect(map.root.dataset.trail).toBe("1");
});

test("the map shows gallery and trail with names; a close-up shows the current identity only", () => {
  const { map, move, frame } = trailMap();
  move([0.2, 0], { nearest: [0, 1] });
  const whole = frame();
  // the current identity's faces are drawn last, all between the margins, y upwards
  expect(whole.dots).toHaveLength(4);
  expect(whole.dots).toContainEqual([28, 428]);
  expect(whole.dots).toContainEqual([428, 28]);
  expect(whole.words).toEqual(["reference", "ben", "age"]); // the reference is anna: one name for a face
  map.zoom(true);
  expect(frame().dots).toHaveLength(2);
  map.zoom(false);
  expect(frame().dots).toEqual(whole.dots);
  move([4, 4]);
  expect(frame().dots).toContainEqual([128, 328]); // the whole map contains the trail
});

test("a step of a drag is painted over what is there, until it leaves the map", () => {
  const { map, move, frame } = trailMap();
  move([0.2, 0], { nearest: [0, 1] });
  frame();
  const rough = { step: { ...step, rough: true } };
  move([0.4, 0.2], rough);
  expect(frame()).toEqual({ dots: [], words: ["age"] }); // neither the gallery nor its names
  move([4, 4], rough);
  expect(frame().dots).toContainEqual([128, 328]);
  move([0.4, 0.3]);
  expect(frame()).toEqual({ dots: expect.objectContaining({ length: 4 }), words: ["reference", "age"] });
  expect(map.root.dataset.trail).toBe("3");
});

test("keys go from face to face, and the card says which one it is", () => {
  const { map } = trailMap();
  const card = map.root.querySelector(".fr-map-card");
  const press = (key) => map.canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  press("Home");
  expect(card.textContent).toBe("identity anna");
  press("End");
  expect(card.textContent).toBe("identity ben, varied");
  press("Escape");
  expect(card.textContent).toBe("");
});

/** A sweep whose kernel answers on demand. */
function sweeping({ reduced = false } = {}) {
  const sent = [];
  const seen = { stops: [], ends: [] };
  const stop = new AbortController();
  const sweep = createSweep({
    signal: stop.signal,
    send: (command) => sent.push(command),
    reduced: () => reduced,
    onStop: (_, value) => seen.stops.push(value),
    onSample: () => {},
    onEnd: (attribute, samples, whole) =>
      seen.ends.push({ name: attribute.name, count: samples.length, whole }),
  });
  return { sweep, sent, seen, stop };
}

test("a sweep plays the whole range, each step after the kernel's answer, and returns to its start", () => {
  const { sweep, sent, seen } = sweeping();
  sweep.play(age, 35);
  expect(sent).toEqual([{ action: "set", values: { age: 20 }, moved: "age", phase: "step" }]);
  vi.advanceTimersByTime(5000);
  expect(sent).toHaveLength(1);
  for (let i = 0; i < SLOW.count; i += 1) {
    sweep.answered(0.1, seen.stops.at(-1));
    vi.advanceTimersByTime(SLOW.pace - 1);
    vi.advanceTimersByTime(2);
  }
  expect(seen.stops.slice(0, SLOW.count)).toEqual(stops(age, SLOW.count));
  expect(sent.at(-1)).toEqual({ action: "set", values: { age: 35 }, moved: "age", phase: "commit" });
  expect(seen.ends).toEqual([{ name: "age", count: SLOW.count, whole: true }]);
  expect(sweep.name).toBe("");
  sweep.answered(0.1, 35); // the answer to the commit is not part of the sweep
  expect(vi.getTimerCount()).toBe(0);
});

test("a stopped sweep stays where it is, and a dropped one sends no more requests", () => {
  const { sweep, sent, seen, stop } = sweeping();
  sweep.play(age, 35);
  sweep.answered(0.1, 20);
  vi.advanceTimersByTime(SLOW.pace);
  sweep.answered(0.1, sent.at(-1).values.age);
  sweep.stop();
  expect(sent.at(-1)).toMatchObject({ phase: "commit", values: { age: stops(age, SLOW.count)[1] } });
  expect(seen.ends).toEqual([{ name: "age", count: 2, whole: false }]);
  sweep.play(age, 35);
  const count = sent.length;
  sweep.drop();
  vi.advanceTimersByTime(5000);
  expect(sent).toHaveLength(count);
  sweep.play(age, 35);
  sweep.answered(0.1, 20);
  stop.abort();
  expect(vi.getTimerCount()).toBe(0);
});

test("with reduced motion a sweep has few steps and pauses at each", () => {
  const { sweep, sent } = sweeping({ reduced: true });
  sweep.play(age, 35);
  sweep.answered(0.1, 20);
  vi.advanceTimersByTime(STEPPED.pace - 1);
  expect(sent).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(sent).toHaveLength(2);
  expect(STEPPED.count).toBeLessThan(SLOW.count / 3);
});

test("a page without a kernel records each of its strengths once", () => {
  const { sweep, seen } = sweeping();
  sweep.play(age, 35);
  for (let i = 0; i < SLOW.count; i += 1) {
    sweep.answered(0.1, i < 20 ? 20 : 70);
    vi.advanceTimersByTime(SLOW.pace);
  }
  expect(seen.ends).toEqual([{ name: "age", count: 2, whole: true }]);
});

test("the key figure of a drag is marked as approximate", () => {
  const key = createKey(card);
  const facts = { distance: 0.2512, gallery: { natural: { 0: 0.1 } }, place: 0, sameIdentity: true };
  key.show({ ...facts, rough: true });
  expect(key.root.querySelector(".fr-figure").textContent).toBe("~\u20090.25");
  key.show(facts);
  expect(key.root.querySelector(".fr-figure").textContent).toBe("0.251");
  expect(key.root.querySelector(".fr-legend").textContent).toContain("2.5 \u00d7natural variation");
});

test("the bars name their data, and draw the null if there is one", () => {
  const bars = createBars([age], () => {});
  const row = { name: "age", energy: 0.4, spread: 0.1, magnitude: 0.3, null: 1 };
  bars.show(
    { source: "estimate", rows: [row, { ...row, name: "gone" }], curves: 4, identities: 3, done: 9, all: 20 },
    "age",
  );
  const rows = [...bars.root.querySelectorAll("tbody tr")];
  expect(rows.map((one) => one.textContent)).toEqual(["age0.300.40"]);
  expect(rows[0].className).toBe("fr-moved");
  expect(rows[0].querySelectorAll(".fr-null:not([hidden])")).toHaveLength(1);
  expect(bars.root.querySelector(".fr-bars-note").textContent).toBe(
    "Quick estimate: 4 curves each of 3 identities, all pairs; it may be off by a tenth or more. Refining: 9 of 20 faces.",
  );
  expect(bars.root.querySelector("progress").hidden).toBe(false);
  const offline = createBars([age], () => {}, true);
  offline.show({ done: 3, all: 20 }, "");
  expect(offline.root.querySelector("button.fr-button").hidden).toBe(true);
  expect(offline.root.textContent).toContain("Run w.estimate() in the notebook, then w.to_html().");
  bars.show({ failed: "ValueError: no" }, "");
  expect(bars.root.textContent).toContain("No estimate: ValueError: no");
  expect(bars.root.querySelector("button.fr-button").hidden).toBe(false);
  bars.show(
    { source: "table", rows: [{ ...row, energy: null, null: null }], curves: null, identities: 2 },
    "",
  );
  expect(bars.root.querySelector("tbody").textContent).toBe("age0.30\u2013");
  expect(bars.root.querySelectorAll(".fr-null:not([hidden])")).toHaveLength(0);
  expect(basis({ source: "table", curves: 200, identities: 1, neighborhood: "knn(10)" })).toBe(
    "From the given table: 200 curves each of 1 identity, knn(10).",
  );
});

test("choosing a model shows its licence, and a model is never compared with itself", () => {
  const asked = [];
  const models = createModels([card, { ...card, name: "n", title: "Other", licence: "own" }], (...both) =>
    asked.push(both),
  );
  document.body.append(models.root);
  models.set("m", null);
  expect(models.root.querySelector(".fr-facts").textContent).toContain("LicenceCC0");
  expect(models.root.querySelector(".fr-facts").textContent).toContain("weak on hats");
  const [first, select] = models.root.querySelectorAll("select");
  expect([...select.options].map((one) => one.value)).toEqual(["", "n"]);
  select.value = "n";
  select.dispatchEvent(new Event("change"));
  first.value = "n";
  first.dispatchEvent(new Event("change"));
  expect(asked).toEqual([["m", "n"], ["n", null]]); // biome-ignore format: one line
  models.set("n", null);
  expect(models.root.querySelector(".fr-facts").textContent).toContain("Licenceown");
  expect(brief(card)).toBe("128 dimensions, euclidean, threshold 0.6");
  models.root.remove();
});

test("the differences between two snapshots", () => {
  const at = (years) => ({ place: 0, strengths: { age: years }, shape: [2, 2] });
  expect(differences([age], at(35), at(60))).toEqual([{ label: "age", from: "35 years", to: "60 years" }]);
  expect(differences([age], at(35), at(35))).toEqual([]);
});

test("a straight path, an arc and a path that comes back, by their closed forms", () => {
  const straight = pathDistances([[0, 0], [1, 0], [3, 0]], "euclidean"); // biome-ignore format: points
  expect(straight).toEqual({ distances: [[0, 1, 3], [1, 0, 2], [3, 2, 0]], bend: 1, reach: 1 }); // biome-ignore format: a matrix
  const arc = Array.from({ length: 181 }, (_, i) => [
    5 * Math.cos((i * Math.PI) / 180),
    5 * Math.sin((i * Math.PI) / 180),
  ]);
  const half = pathDistances(arc, "cosine");
  expect(half.distances[0][180]).toBeCloseTo(2); // 1 - cos of opposite vectors
  expect(half.bend).toBeCloseTo(Math.PI / 2, 3); // the arc over its chord, whatever the metric
  const back = pathDistances([[0, 0], [4, 0], [1, 0]], "euclidean"); // biome-ignore format: points
  expect(back).toMatchObject({ bend: 7, reach: 0.25 });
  expect(pathWords(age, back)).toBe(
    "The path along age is 7.00 times as long as the distance between its ends. It comes back: some steps are farther apart than its ends.",
  );
  const ring = pathDistances([[0, 0], [4, 0], [0, 0]], "euclidean"); // biome-ignore format: points
  expect([ring.bend, ring.reach]).toEqual([null, 0]);
  expect(pathWords(age, ring)).toContain("ends where it starts");
  const still = pathDistances([[1, 1], [1, 1], [1, 1]], "euclidean"); // biome-ignore format: points
  expect(pathWords(age, still)).toBe("The embedding does not move along age.");
});

test("a path belongs to one face and one model, whatever the strength of its own attribute", () => {
  const path = { name: "age", model: "m", place: 1, at: { age: 35, hue: 10 } };
  const face = { place: 1, strengths: { age: 60, hue: 10 } };
  expect(belongs(path, "age", "m", face)).toBe(true);
  expect(belongs(path, "hue", "m", face)).toBe(false);
  expect(belongs(path, "age", "n", face)).toBe(false);
  expect(belongs(path, "age", "m", { ...face, place: 0 })).toBe(false);
  expect(belongs(path, "age", "m", { ...face, strengths: { age: 35, hue: 11 } })).toBe(false);
  expect(belongs({}, "age", "m", face)).toBe(false);
});

test("the map of a path: its colours are the distances, low strengths are at the lower left", () => {
  const asked = [];
  const { root, offer, show, disable } = createPath((name) => asked.push(name));
  expect(root.hidden).toBe(true);
  offer(age);
  expect([root.hidden, asked]).toEqual([false, []]); // nothing is computed before somebody looks
  root.open = true;
  root.dispatchEvent(new Event("toggle"));
  expect(asked).toEqual(["age"]);
  show(age, { name: "age", done: 4, all: 15 });
  expect(root.textContent).toContain("Computing: 4 of 15 faces.");
  const strengths = [20, 40, 70];
  show(age, { name: "age", strengths, distances: [[0, 1, 2], [1, 0, 1], [2, 1, 0]], bend: 1, reach: 1 }); // biome-ignore format: a matrix
  const squares = [...root.querySelectorAll("rect")];
  const at = (/** @type {number} */ x, /** @type {number} */ y) =>
    squares.find((one) => Number(one.getAttribute("x")) === x && Number(one.getAttribute("y")) === y);
  expect(at(0, 2)?.getAttribute("fill")).toBe(color(0)); // 20 to 20 years
  expect(at(2, 2)?.getAttribute("fill")).toBe(color(1)); // 20 to 70 years
  expect(at(1, 0)?.getAttribute("fill")).toBe(color(0.5)); // 70 to 40 years
  at(1, 0)?.dispatchEvent(new Event("pointerenter"));
  expect(root.textContent).toContain("70 years to 40 years: distance 1.000");
  expect(root.querySelector("svg")?.getAttribute("aria-label")).toContain("1.00 times as long");
  disable(true);
  expect(root.hidden).toBe(false); // what is known stays
  offer(age);
  expect(asked).toEqual(["age", "age"]); // open: a new sweep shows its path at once
  disable(true);
  expect(root.hidden).toBe(true);
  show(age, { failed: "ValueError: no face" });
  expect(root.textContent).toContain("No path: ValueError: no face");
});
