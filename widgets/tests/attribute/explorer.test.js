// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../../fr_explore_widgets/attribute/index.js";
import { share } from "../../fr_explore_widgets/shared/slider.js";
import { fakeCanvas, fakeModel } from "../fake_model.js";

const age = {
  name: "age",
  label: "age",
  unit: "years",
  low: 18,
  high: 75,
  neutral: 35,
  step: 5,
  group: "face",
  color: "#c2571a",
  shape: "square",
  help: "Young adult to old.",
};
const hue = {
  ...age,
  name: "hue",
  label: "hue",
  unit: "°",
  low: -45,
  high: 45,
  neutral: 0,
  group: "image",
  help: "Rotates colours.",
};
const SETUP = {
  attributes: [age, hue],
  main: ["age"],
  identities: ["ann", "bob"],
  models: [
    {
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
    },
    {
      name: "n",
      title: "Other model",
      metric: "cosine",
      threshold: null,
      threshold_source: "none",
      dim: 512,
      accuracy: "fair",
      trained_on: "few",
      licence: "own",
      weaknesses: [],
    },
  ],
  size: 2,
  drag_size: 2,
};

let el;
let model;
let stop;
let calls;
let serial;

/** An answer of the kernel: the picture first, then the figures. */
function answer(values = {}, more = {}, request = model.sent.at(-1)?.request ?? {}) {
  serial += 1;
  const tag = { client: request.client, seq: request.seq, serial, moved: request.moved ?? null };
  tag.drag = request.phase === "drag";
  const reply = { ...tag, place: 0, strengths: { age: 35, hue: 0, ...values }, shape: [2, 2] };
  const figures = {
    ...tag,
    fresh: false,
    model: "m",
    compare: null,
    nearest: [],
    distance: 0,
    reference: { place: 0, strengths: { age: 35, hue: 0 }, pinned: false, shape: [2, 2] },
    point: [0, 0],
    reference_point: [0, 0],
    can: { undo: false, redo: false },
    ...more,
  };
  if (more.place !== undefined) reply.place = more.place;
  return { picture: { reply, frame: new DataView(new ArrayBuffer(12)) }, figures: { figures } };
}

function receive(parts) {
  model.receive(parts.picture);
  model.receive(parts.figures);
}

/** @param {boolean} [untouched] no face but the first was shown */
function open(gallery = {}, { untouched = false, setup = SETUP } = {}) {
  serial = untouched ? 0 : 1;
  const first = answer({}, {}, {});
  model = fakeModel({
    setup,
    gallery,
    error: {},
    reference_frame: new DataView(new ArrayBuffer(12)),
    sprite: new DataView(new ArrayBuffer(2 * 12)),
    ...first.picture,
    ...first.figures,
  });
  el = document.createElement("div");
  document.body.append(el);
  stop = widget.render({ model, el });
}

const find = (selector) => el.querySelector(selector);
const requests = () => model.sent.map((message) => message.request);

function slide(name, value, event = "input") {
  const input = find(`[data-attribute=${name}]`);
  input.value = String(value);
  input.dispatchEvent(new Event(event, { bubbles: true }));
  return input;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
  calls = fakeCanvas(vi);
  vi.spyOn(HTMLCanvasElement.prototype, "toDataURL").mockReturnValue("data:,face");
  model = fakeModel({});
});

afterEach(() => {
  stop?.();
  vi.useRealTimers();
  document.body.replaceChildren();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("it shows the main sliders, the others on a page of their own, both faces, and the verdict", () => {
  open();
  const page = (name) => find(`[data-page=${name}]`);
  const away = () => ["main", "more"].map((name) => page(name).classList.contains("fr-away"));
  expect(page("main").querySelector("[data-attribute=age]")).not.toBe(null);
  expect(page("more").querySelector("[data-attribute=hue]")).not.toBe(null);
  expect(away()).toEqual([false, true]);
  find("input[value=more]").click();
  expect(away()).toEqual([true, false]);
  expect(find("[data-attribute=age]").value).toBe("35");
  expect(find(".fr-sentence").textContent).toBe("The reference face itself");
  expect(calls.filter(([name]) => name === "putImageData")).toHaveLength(2);
  expect(find("figcaption").textContent).toBe("Referenceidentity ann, neutral");
});

test("every control has a name, and every slider its help", () => {
  open();
  for (const control of el.querySelectorAll("input, button, select")) {
    const name =
      control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent;
    expect(name, control.outerHTML).toBeTruthy();
    expect(control.dataset.lmSuppressShortcuts).toBe("true");
  }
  const input = find("[data-attribute=age]");
  expect(document.getElementById(input.getAttribute("aria-describedby")).textContent).toBe(age.help);
  input.dispatchEvent(new Event("focus"));
  expect(find(".fr-note").textContent).toBe(age.help);
  input.dispatchEvent(new Event("blur"));
  expect(find(".fr-note").textContent).toBe("");
});

test("a slider moves its value at once, asks the kernel, and then the picture, the figures and the trail follow", () => {
  open({ points: [[0, 0, 0, 1], [1, 1, 1, 1]], caption: "PCA projection, shows 40 %", order: [0, 1], thumb: 2, natural: { 0: 0.1 }, between: 0.8 }); // biome-ignore format: one gallery
  const input = slide("age", 60);
  expect(find(".fr-value").textContent).toBe("60 years");
  expect(input.getAttribute("aria-valuetext")).toBe("60 years");
  expect(requests()).toEqual([
    { client: expect.any(String), seq: 1, action: "set", values: { age: 60 }, moved: "age", phase: "drag" },
  ]);
  const parts = answer({ age: 60 }, { distance: 0.3, point: [0.5, 0.2] });
  model.receive(parts.picture);
  expect(find(".fr-explorer").dataset.drawn).toBe("3");
  expect(find(".fr-key").dataset.distance).toBe("0");
  model.receive(parts.figures);
  expect(find(".fr-key").dataset.distance).toBe("0.3");
  expect(find(".fr-sentence").textContent).toBe("Still judged the same person");
  expect(find(".fr-legend").textContent).toContain("3.0 \u00d7natural variation");
  expect(find(".fr-meter").getAttribute("aria-valuenow")).toBe("0.3");
  expect(find(".fr-map-box").dataset.trail).toBe("2");
  expect(find(".fr-lab > [role=status]").textContent).toBe(""); // a drag is not announced, its end is
  slide("age", 61, "change");
  receive(answer({ age: 61 }, { distance: 0.31 }));
  expect(find(".fr-lab > [role=status]").textContent).toContain("age 61 years. Distance 0.310.");
});

test("an untouched widget asks for a face that has moved a little, and invites to drag until a hand does", () => {
  const points = [[0, 0, 0, 1], [1, 1, 1, 1]]; // biome-ignore format: a table
  open({ points, caption: "PCA projection, shows 40 %", order: [0, 1], thumb: 2 }, { untouched: true });
  expect(requests()).toEqual([expect.objectContaining({ action: "greet" })]);
  expect(find(".fr-hint").hidden).toBe(false);
  const more = { distance: 0.2, point: [0.4, 0.4], path: [[0, 0], [0.2, 0.3], [0.4, 0.4]] }; // biome-ignore format: one line
  receive(answer({ age: 50 }, more));
  expect(find("[data-attribute=age]").value).toBe("50");
  expect(find(".fr-map-box").dataset.trail).toBe("3");
  expect(find(".fr-hint").hidden).toBe(false);
  slide("age", 51);
  expect(find(".fr-hint").hidden).toBe(true);
});

test("the fold of the bars asks for an estimate once", () => {
  open();
  const fold = find(".fr-depends");
  for (const open of [true, false, true]) {
    fold.open = open;
    fold.dispatchEvent(new Event("toggle"));
  }
  expect(requests()).toEqual([expect.objectContaining({ action: "estimate" })]);
});

test("an older answer that arrives late is not shown", () => {
  open();
  slide("age", 40);
  const early = answer({ age: 40 }, { distance: 0.1 });
  const late = answer({ age: 50 }, { distance: 0.2 });
  receive(late);
  receive(early);
  expect(find(".fr-explorer").dataset.drawn).toBe(String(late.figures.figures.serial));
  expect(find(".fr-key").dataset.distance).toBe("0.2");
});

test("the kernel's values move the sliders, but not the one being dragged", () => {
  open();
  slide("age", 60);
  receive(answer({ age: 60, hue: 20 }));
  expect(find("[data-attribute=hue]").value).toBe("20");
  slide("age", 61); // still dragged
  receive(answer({ age: 30 }, {}, { client: "python", seq: 1 }));
  expect(find("[data-attribute=age]").value).toBe("61");
  receive(answer({ age: 61 }));
  slide("age", 62, "change");
  receive(answer({ age: 62 }));
  receive(answer({ age: 30 }, {}, { client: "python", seq: 2 }));
  expect(find("[data-attribute=age]").value).toBe("30");
});

test("buttons and keys send undo, redo, reset and the reference", () => {
  open();
  receive(answer({}, { can: { undo: true, redo: true } }, {}));
  const asked = [];
  const press = (act) => {
    act();
    asked.push(requests().at(-1).action);
    receive(answer({}, { can: { undo: true, redo: true }, reference: { place: 0, strengths: {}, pinned: asked.at(-1) === "pin", shape: [2, 2] } })); // biome-ignore format: one answer
  };
  for (const action of ["undo", "redo", "reset", "pin"]) press(() => find(`[data-action=${action}]`).click());
  expect(find("[data-action=unpin]").getAttribute("aria-pressed")).toBe("true");
  press(() => find("[data-action=unpin]").click());
  const key = (more) =>
    find(".fr-explorer").dispatchEvent(new KeyboardEvent("keydown", { key: "z", ctrlKey: true, ...more }));
  press(() => key({}));
  press(() => key({ shiftKey: true }));
  press(() => find(".fr-people input[value='1']").click());
  expect(asked).toEqual(["undo", "redo", "reset", "pin", "unpin", "undo", "redo", "identity"]);
});

test("another identity is named, and a button sets a slider to neutral", () => {
  open();
  receive(answer({ age: 60 }, { place: 1, distance: 0.9 }, {}));
  expect(find(".fr-sentence").textContent).toBe("Two people, judged different");
  expect(find(".fr-key").dataset.kind).toBe("different");
  find(".fr-back").click();
  expect(requests().at(-1)).toMatchObject({ action: "set", values: { age: 35 }, phase: "commit" });
});

test("where nobody said who is who, only the model's decision is shown", () => {
  open({}, { setup: { ...SETUP, people: [0, null] } });
  receive(answer({ age: 60 }, { place: 1, distance: 0.4 }, {}));
  expect(find(".fr-sentence").textContent).toBe("Judged the same person");
  expect(find(".fr-sentence").title).toBe(
    "Two pictures, and nobody said who is who. The model judges: the same person.",
  );
  stop();
  document.body.replaceChildren();
  open({}, { setup: { ...SETUP, people: [0, 0] } });
  receive(answer({ age: 60 }, { place: 1, distance: 0.4 }, {}));
  expect(find(".fr-sentence").textContent).toContain("Still judged the same person");
});

test("an error is shown, allows the next request, and disappears", () => {
  open();
  slide("age", 60);
  const { client, seq } = requests()[0];
  slide("age", 61);
  model.receive({
    error: { client, seq, what: "The model failed.", why: "ValueError: 3", todo: "Fix it." },
  });
  expect(find(".fr-error").hidden).toBe(false);
  expect(find(".fr-error").textContent).toContain("ValueError: 3");
  expect(find(".fr-explorer").classList.contains("fr-stale")).toBe(true);
  expect(requests()[1].values).toEqual({ age: 61 });
  model.receive({ error: {} });
  expect(find(".fr-error").hidden).toBe(true);
});

test("without a kernel the sliders are disabled with a notice; a late answer is reported too", () => {
  open();
  slide("age", 60);
  vi.advanceTimersByTime(4000);
  expect(find(".fr-banner").textContent).toContain("Still computing");
  model.receive({ error: {}, request: requests()[0] });
  model.send = () => {}; // as where there is a kernel
  slide("age", 61);
  vi.advanceTimersByTime(4000);
  expect(find(".fr-banner").textContent).toContain("not answered");
  model.fire("comm_live_update");
  vi.advanceTimersByTime(1500);
  expect(find(".fr-banner").textContent).toContain("run the cell again");
  expect(find("[data-attribute=age]").disabled).toBe(true);
  expect(el.dataset.kernel).toBe("gone");
});

test("the gallery's progress, its failure and its faces are shown", () => {
  open({ done: 8, all: 72 });
  expect(find(".fr-map-wait").textContent).toContain("8 of 72");
  model.receive({ gallery: { failed: "ValueError: no" } });
  expect(find(".fr-map-wait").textContent).toContain("ValueError: no");
  model.receive({
    gallery: { points: [[0, 0, 1, 1]], caption: "PCA projection, shows 40 %", order: [1], thumb: 2 },
  });
  expect(find(".fr-map-wait").hidden).toBe(true);
  expect(find(".fr-map-note").textContent).toContain("shows 40 %");
  model.receive({ sprite: new DataView(new ArrayBuffer(12)) });
  const shown = [...el.querySelectorAll(".fr-person .fr-face")].map((face) => face.style.backgroundImage);
  expect(shown.map((image) => image.includes("data:,face"))).toEqual(shown.map((_, place) => place === 1));
  expect(el.querySelectorAll(".fr-person canvas")).toHaveLength(0);
});

test("a drag requests the next picture as soon as one is painted, a commit waits for its figures", () => {
  open();
  slide("age", 40);
  slide("age", 41);
  expect(requests()).toHaveLength(1);
  const parts = answer({ age: 40 }, { distance: 0.1 });
  model.receive(parts.picture);
  vi.advanceTimersByTime(200);
  expect(requests().map((one) => one.values.age)).toEqual([40, 41]);
  model.receive(parts.figures);
  expect(find(".fr-figure").textContent).toBe("~\u20090.10");
  expect(find("[data-attribute=age]").value).toBe("41");
});

test("a second model adds its key figure and map, and can be removed", () => {
  open();
  receive(answer({ age: 60 }, { compare: "n", distance: 0.3 }, {}));
  const { figures } = answer({ age: 60 }, {}, {});
  model.receive({ second: { ...figures.figures, model: "n", distance: 0.02, serial } });
  const keys = [...el.querySelectorAll(".fr-key")];
  expect(keys.map((key) => key.dataset.distance)).toEqual(["0.3", "0.02"]);
  expect(keys[1].querySelector("h3").textContent).toBe("n");
  expect(keys[1].textContent).toContain("No verdict without a threshold");
  expect([...el.querySelectorAll(".fr-map h3")].map((one) => one.textContent)).toEqual(["m", "n"]);
  expect(find("select[data-action=compare]").value).toBe("n");
  receive(answer({ age: 60 }, {}, {}));
  expect(el.querySelectorAll(".fr-key")).toHaveLength(1);
});

test("a sweep button plays the range and leaves a strip, and Escape stops it", () => {
  open();
  const button = find("[data-sweep=age]");
  button.click();
  expect(button.getAttribute("aria-label")).toBe("Stop the sweep of age");
  expect(requests()[0]).toMatchObject({ values: { age: 18 }, phase: "step", moved: "age" });
  for (let i = 0; i < 3; i += 1) {
    const { age: years } = requests().at(-1).values;
    receive(answer({ age: years }, { distance: 0.01 * years }));
    expect(Number(find(".fr-slider input").value)).toBe(years);
    vi.advanceTimersByTime(120);
  }
  expect(find(".fr-strip").hidden).toBe(false);
  find(".fr-explorer").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  expect(button.getAttribute("aria-label")).toBe("Sweep age");
  receive(answer(requests().at(-1).values));
  expect(requests().at(-1).phase).toBe("commit");
  expect(find(".fr-note").textContent).toBe(""); // not the whole range, so no share of it
  receive(answer({ hue: 10, age: 20 }, {}, {})); // another attribute changed: the strip belongs to an earlier face
  expect(find(".fr-strip").hidden).toBe(true);
});

test("a whole sweep offers its path, requests it once the fold is open, and hides it with its face", () => {
  open();
  find("[data-sweep=age]").click();
  for (let i = 0; i < 33; i += 1) {
    const { age: years } = requests().at(-1).values;
    receive(answer({ age: years }, { distance: 0.01 * years }));
    vi.advanceTimersByTime(120);
  }
  receive(answer({ age: 35 }));
  const fold = find(".fr-path");
  expect(fold.hidden).toBe(false);
  fold.open = true;
  fold.dispatchEvent(new Event("toggle"));
  expect(requests().at(-1)).toMatchObject({ action: "path", moved: "age" });
  const { client, seq } = requests().at(-1);
  const where = { name: "age", model: "m", place: 0, at: { age: 35, hue: 0 } };
  model.receive({ path: { ...where, client, seq, done: 0, all: 3 } });
  expect(fold.textContent).toContain("0 of 3 faces");
  slide("age", 60); // the answer is settled: the next request goes
  expect(requests().at(-1)).toMatchObject({ action: "set", values: { age: 60 } });
  receive(answer({ age: 60 }));
  model.receive({ path: { ...where, strengths: [18, 50, 75], distances: [[0, 1, 2], [1, 0, 1], [2, 1, 0]], bend: 1, reach: 1 } }); // biome-ignore format: one path
  expect(fold.querySelectorAll("rect")).toHaveLength(9);
  receive(answer({ hue: 10, age: 60 }, {}, {}));
  expect(fold.hidden).toBe(true);
});

test("a sweep in Python is shown with its share of the range", () => {
  open();
  model.receive({ retention: { name: "age", samples: [[18, 0.1], [75, 1.1]] } }); // biome-ignore format: one line
  expect(find(".fr-note").textContent).toContain("Identity kept over 50 % of the range of age");
});

test("snapshots are stored, shown side by side, and recalled", () => {
  open();
  find("[data-action=storeA]").click();
  expect(requests().at(-1)).toMatchObject({ action: "store", snapshot: "A" });
  receive(answer());
  const face = (place, years) => ({ place, strengths: { age: years, hue: 0 }, shape: [2, 2] });
  const snapshot_frame = new DataView(new ArrayBuffer(24));
  model.receive({ snapshots: { A: face(0, 35), B: face(1, 60), distance: 0.7 }, snapshot_frame });
  expect(find(".fr-ab-words").textContent).toBe(
    "A to B: 0.700. Judged a different person, correctly. identity ann \u2192 bob; age 35 years \u2192 60 years.",
  );
  el.querySelectorAll(".fr-recall")[1].click();
  expect(requests().at(-1)).toMatchObject({ action: "recall", snapshot: "B" });
});

test("the tangent is drawn while its face is shown, and the nearest identities are named", () => {
  open({ points: [[0, 0, 0, 1], [1, 1, 1, 1]], caption: "PCA projection, shows 40 %", order: [0, 1], thumb: 2 }); // biome-ignore format: one gallery
  receive(answer({ age: 60 }, { point: [0.4, 0.4], nearest: [[1, 0.25]] }, { moved: "age" }));
  model.receive({ tangent: { serial, name: "age", vector: [1, 0], share: 0.5, length: 0.1 } });
  expect(find(".fr-map-box").dataset.tangent).toBe("true");
  expect(find(".fr-near-list li").title).toBe("identity bob, distance 0.25");
  receive(answer({ age: 61 }, { point: [0.5, 0.4] }, { moved: "age" }));
  model.receive({ tangent: { serial: 1, name: "age", vector: [1, 0], share: 0.5, length: 0.1 } });
  expect(find(".fr-map-box").dataset.tangent).toBe("false");
});

test("the estimate's button asks for it, and its progress is shown", () => {
  open();
  const estimate = [...el.querySelectorAll("button")].find((one) => one.textContent === "Estimate");
  estimate.click();
  expect(requests()).toEqual([expect.objectContaining({ action: "estimate" })]);
  slide("age", 60); // waits for the answer, which is not a picture
  expect(requests()).toHaveLength(1);
  const { client, seq } = requests()[0];
  model.receive({ energies: { client, seq } });
  expect(requests()[1]).toMatchObject({ action: "set", values: { age: 60 } });
  model.receive({ energies: { done: 8, all: 400 } });
  expect(find(".fr-bars-note").textContent).toContain("8 of 400 faces");
});

test("a face that the kernel shows while the estimate's answer is due reaches the sliders", () => {
  open();
  [...el.querySelectorAll("button")].find((one) => one.textContent === "Estimate").click();
  const { client, seq } = requests()[0];
  receive(answer({ age: 60 }, {}, {}));
  model.receive({ energies: { client, seq } });
  expect(find("input[data-attribute=age]").valueAsNumber).toBe(60);
});

test("a closed view leaves nothing behind", () => {
  open();
  expect(model.listening()).toBeGreaterThan(0);
  slide("age", 60);
  stop();
  vi.advanceTimersByTime(1000); // the pending check of the theme
  expect(model.listening()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("a value's position in its range", () => {
  expect(share(age, 18)).toBe(0);
  expect(share(age, 75)).toBe(1);
  expect(share(hue, 0)).toBe(0.5);
});
