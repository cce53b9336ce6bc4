// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { percent, ticks } from "../../fr_explore_widgets/shared/plot.js";
import { samePerson } from "../../fr_explore_widgets/shared/words.js";
import { below, binsFor, histogram, wilson } from "../../fr_explore_widgets/verification/counting.js";
import { decode, decodeShift, ratesAt } from "../../fr_explore_widgets/verification/data.js";
import widget from "../../fr_explore_widgets/verification/index.js";
import { pairWords } from "../../fr_explore_widgets/verification/pair_faces.js";
import { stepOf } from "../../fr_explore_widgets/verification/plot.js";
import { decades } from "../../fr_explore_widgets/verification/roc.js";
import { rejected } from "../../fr_explore_widgets/verification/shift.js";
import { intervalSource, shiftSentence } from "../../fr_explore_widgets/verification/words.js";
import { fakeModel } from "../fake_model.js";

const AGE = {
  name: "age",
  label: "age",
  unit: "years",
  low: 20,
  high: 100,
  neutral: 60,
  step: 5,
  group: "face",
  color: "#c2571a",
  shape: "square",
  help: "",
  grid: [20, 30, 40, 50, 60, 70, 80, 90, 100],
};
const genuine = [0.1, 0.2, 0.3, 0.4];
const impostor = [0.3, 0.5, 0.6, 0.7, 0.8];

function bytesOf(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer), at);
    at += part.byteLength;
  }
  return new DataView(bytes.buffer);
}

function traits(more = {}) {
  const cuts = [...new Set([...genuine, ...impostor])].sort((a, b) => a - b);
  const curve = [cuts, cuts.map(() => 0.01), cuts.map(() => 0.9), cuts.map(() => 0.02), cuts.map(() => 0.8)];
  const floats = [genuine, impostor, ...curve, [], [], [], [], [], [], [], [], [], []].map((v) =>
    Float64Array.from(v),
  );
  const data = bytesOf([...floats, Uint8Array.from([0, 0, 1, 1]), Uint8Array.from([0, 1, 1, 1, 1])]);
  const setup = {
    title: "dlib",
    metric: "euclidean",
    genuine: 4,
    impostor: 5,
    groups: ["a", "b"],
    people: [6, 3, 3],
    level: 0.95,
    marks: [
      { name: "calibrated", at: 0.35, low: 0.3, high: 0.42 },
      { name: "published", at: 0.6 },
    ],
    eer: { rate: 0.25, at: 0.35, low: 0.1, high: 0.4 },
    curves: [cuts.length, 0, 0],
    start: 0.6,
    facts: { draws: 100, resampled: "identities" },
    attributes: [],
  };
  const state = { version: 1, threshold: 0.6, attribute: null, strength: null };
  return {
    setup,
    data,
    state,
    shifts: {},
    shift_data: new DataView(new ArrayBuffer(0)),
    progress: {},
    error: {},
    ...more,
  };
}

let el;
let model;
let stop;
const find = (selector) => el.querySelector(selector);
const handle = () => find("[data-control=threshold]");

function open(more) {
  model = fakeModel(traits(more));
  el = document.createElement("div");
  document.body.append(el);
  stop = widget.render({ model, el });
}

function press(target, key, more = {}) {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
}

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
});

afterEach(() => {
  stop?.();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("counting in sorted values", () => {
  expect([-1, 0.1, 0.25, 0.4, 9].map((t) => below(genuine, t))).toEqual([0, 1, 2, 4, 4]);
  expect(below([], 1)).toBe(0);
  expect(below([2, 2, 2], 2)).toBe(3);
});

test("a histogram is a density: its bars and their width make 1", () => {
  const heights = histogram(impostor, 7, 0.9);
  expect((heights.reduce((a, b) => a + b) * 0.9) / 7).toBeCloseTo(1, 12);
  expect(binsFor([genuine, impostor], 1)).toBeGreaterThanOrEqual(20);
  expect(
    binsFor(
      [
        [1, 1],
        [1, 1, 1],
      ],
      1,
    ),
  ).toBe(80);
});

test("Wilson's interval", () => {
  // Newcombe 1998: 15 of 148
  const [low, high] = wilson(15 / 148, 148);
  expect([low, high].map((v) => v.toFixed(4))).toEqual(["0.0624", "0.1605"]);
  expect([wilson(0, 8400)[0], wilson(1, 8400)[1]]).toEqual([0, 1]);
  expect(wilson(0.5, 0)[0]).toBeNaN();
});

test("round numbers", () => {
  expect(ticks(0, 0.7, 7)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
  expect(ticks(3, 3, 4)).toEqual([3]);
  expect([0, 1, 0.5, 0.0012, Number.NaN].map(percent)).toEqual(["0 %", "100 %", "50.0 %", "0.12 %", "–"]);
  expect(stepOf(0.8)).toBe(0.001);
  expect(decades(4416)).toEqual([-4, -3, -2, -1, 0]);
});

test("shows counts, rates, intervals and named thresholds at once", () => {
  open();
  expect(find(".fr-sentence").textContent).toBe(
    "At 0.600, 3 of 5 impostor pairs are accepted and 0 of 4 genuine pairs are rejected.",
  );
  expect(find(".fr-rate.fr-impostor").textContent).toContain("60.0 %");
  expect(find(".fr-rate.fr-impostor").textContent).toContain("1.0 to 90.0 %");
  expect(find(".fr-rate.fr-genuine").textContent).toContain("0 to 49.0 %");
  expect([...el.querySelectorAll(".fr-key [data-action]")].map((node) => node.textContent)).toEqual([
    "published 0.600",
    "calibrated 0.350 (0.30 to 0.42)",
  ]);
  expect(find("[data-action=published]").getAttribute("aria-pressed")).toBe("true");
  expect(find(".fr-key").textContent).toContain("95 % intervals from 100 resamples of 6 people.");
  expect(handle().getAttribute("aria-valuetext")).toBe(
    "threshold 0.600: 60.0 % false match, 0 % false non-match",
  );
  expect(el.querySelectorAll(".fr-group-panel")).toHaveLength(2);
  expect(el.querySelectorAll(".fr-few:not([hidden])")).toHaveLength(2);
  expect(model.sent).toHaveLength(0);
});

test("a distance equal to the threshold is accepted, as the decision rule has it", () => {
  const [part] = decode(traits().data, traits().setup);
  for (const distance of [...genuine, ...impostor]) {
    const below = distance * (1 - Number.EPSILON);
    const [at, under] = [ratesAt(part, distance), ratesAt(part, below)];
    const accepted = (values, cut) => values.filter((one) => samePerson(one, cut)).length;
    expect(at.far.bad).toBe(accepted(impostor, distance));
    expect(at.frr.bad).toBe(genuine.length - accepted(genuine, distance));
    expect(under.far.bad + genuine.length - under.frr.bad).toBe(
      accepted(impostor, below) + accepted(genuine, below),
    );
    expect(under.far.bad - under.frr.bad).toBeLessThan(at.far.bad - at.frr.bad);
  }
  expect(rejected(Float64Array.from([0.5, 0.6]), 0.6, 2).bad).toBe(0);
  open({ state: { version: 1, threshold: 0.4, attribute: null, strength: null } });
  expect(find(".fr-rate.fr-genuine").textContent).toContain("0 of 4 genuine pairs rejected");
});

test("keys move the threshold by round steps, and say so to the kernel", () => {
  open();
  press(handle(), "ArrowRight");
  expect(model.get("state").threshold).toBeCloseTo(0.601, 9);
  press(handle(), "PageDown");
  expect(model.get("state").threshold).toBeCloseTo(0.591, 9);
  press(handle(), "Home");
  expect(model.get("state").threshold).toBe(0);
  expect(find(".fr-rate.fr-genuine").textContent).toContain("4 of 4 genuine pairs rejected");
  press(handle(), "End");
  expect(find(".fr-rate.fr-impostor").textContent).toContain("5 of 5");
});

test("a drag moves the page at once and is kept on release", () => {
  open();
  const drag = (value, event) => {
    handle().value = String(value);
    handle().dispatchEvent(new Event(event, { bubbles: true }));
  };
  drag(0.32, "input");
  expect(find(".fr-verify").dataset.far).toBe("0.2");
  expect(model.sent).toHaveLength(0);
  model.receive({ state: { version: 1, threshold: 0.7, attribute: null, strength: null } });
  expect(find(".fr-verify").dataset.threshold).toBe("0.32"); // a drag is not overruled
  drag(0.32, "change");
  expect(model.sent.at(-1).state.threshold).toBe(0.32);
});

test("undo, redo, reset, and a threshold from the kernel", () => {
  open();
  find("[data-action=calibrated]").click();
  expect(find(".fr-verify").dataset.threshold).toBe("0.35");
  expect(find("[role=status].fr-hidden").textContent).toContain("At 0.350");
  press(find(".fr-verify"), "z", { ctrlKey: true });
  expect(model.get("state").threshold).toBe(0.6);
  press(find(".fr-verify"), "Z", { ctrlKey: true, shiftKey: true });
  expect(model.get("state").threshold).toBe(0.35);
  model.receive({ state: { version: 1, threshold: 0.5, attribute: null, strength: null } });
  expect(find(".fr-verify").dataset.threshold).toBe("0.5");
  find("[data-action=reset]").click();
  expect(model.get("state").threshold).toBe(0.6);
});

test("an attribute changes the genuine pairs, as far as it is computed", () => {
  const own = traits().setup;
  open({ setup: { ...own, attributes: [AGE] } });
  const select = find("[data-control=attribute]");
  select.value = "age";
  select.dispatchEvent(new Event("change"));
  expect(model.get("state")).toMatchObject({ attribute: "age", strength: 60 });
  expect(find(".fr-shift-words").textContent).toContain("still being computed");
  const done = AGE.grid.map((_, k) => k === 4 || k === 8);
  const values = Float64Array.from(
    AGE.grid.flatMap((_, k) => (k === 8 ? [0.65, 0.7] : k === 4 ? [0.1, 0.2] : [NaN, NaN])),
  );
  model.receive({
    shift_data: new DataView(values.buffer),
    shifts: { age: { place: 0, done, pairs: 2, people: 2 } },
  });
  const slider = find("[data-control=strength]");
  slider.value = "8";
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  expect(find(".fr-shift-words").textContent).toContain(
    "With age at 100 years in one image of each of 2 people, 2 of 2",
  );
  expect(find(".fr-shift-words").textContent).toContain("more than the 0 at 60 years");
  expect(find(".fr-rate.fr-genuine").textContent).toContain("2 of 2 genuine pairs rejected");
  expect(slider.getAttribute("aria-valuetext")).toBe("100 years");
  expect(find(".fr-before")).not.toBeNull();
});

test("while the faces are rendered, their progress is shown", () => {
  open({ setup: {}, progress: { what: "Rendering faces", done: 3, all: 48 } });
  expect(find(".fr-progress").textContent).toBe("Rendering faces: 3 of 48 faces");
  expect(find(".fr-stage").hidden).toBe(true);
  model.receive({ ...traits(), progress: {} });
  expect(find(".fr-stage").hidden).toBe(false);
  expect(find(".fr-progress").hidden).toBe(true);
});

test("an error of the kernel is shown with what to do", () => {
  open();
  model.receive({
    error: { what: "The faces could not be rendered.", why: "RuntimeError: x", todo: "Try again." },
  });
  expect(find("[role=alert]").textContent).toContain("RuntimeError: x");
});

test("shifted pairs: the interval counts each person once", () => {
  const values = Float64Array.from([0.1, 0.5, 0.6, 0.9]);
  expect(rejected(values, 0.55, 2)).toMatchObject({ bad: 2, among: 4, share: 0.5 });
  expect(rejected(values, 0.55, 2).low).toBeCloseTo(wilson(0.5, 2)[0], 9);
  const view = new DataView(values.buffer);
  expect(decodeShift(view, { place: 0, done: [true, false], pairs: 2, people: 2 })[1]).toBeNull();
});

test("words", () => {
  const rate = (bad) => ({ bad, among: 10, share: bad / 10, low: 0, high: 1 });
  const facts = { label: "age", value: "70 years", neutral: "35 years", people: 5, atNeutral: false };
  expect(shiftSentence({ ...facts, now: rate(1), before: rate(3) })).toContain(
    "fewer than the 3 at 35 years",
  );
  expect(shiftSentence({ ...facts, now: rate(3), before: rate(3) })).toContain("as many as at 35 years");
  expect(intervalSource({ people: [null], facts: { draws: 0 }, level: 0.95 })).toContain(
    "95 % intervals (Wilson's)",
  );
  const part = {
    genuine: Float64Array.from(genuine),
    impostor: new Float64Array(0),
    people: 20,
    curve: { threshold: [] },
  };
  expect(ratesAt(part, 0.2).far.share).toBeNaN();
});

test("a pair is judged at the threshold", () => {
  const pair = { distance: 0.5, images: [0, 3], people: ["Ann", "Ben"], same: true };
  const other = { ...pair, same: false };
  expect(pairWords(pair, 0.5)).toBe("same person (Ann), 0.500: matched");
  expect(pairWords(pair, 0.4)).toBe("same person (Ann), 0.500: a false non-match");
  expect(pairWords(other, 0.5)).toBe("different people (Ann and Ben), 0.500: a false match");
  expect(pairWords(other, 0.4)).toBe("different people (Ann and Ben), 0.500: told apart");
});
