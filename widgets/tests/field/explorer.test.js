// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import explorer from "../../fr_explore_widgets/field/index.js";
import {
  colorOf,
  decode,
  highlighted,
  ISOLATED,
  kindsOf,
  nullAt,
  palette,
  UNDIRECTED,
} from "../../fr_explore_widgets/field/payload.js";
import { ticks } from "../../fr_explore_widgets/field/profile.js";
import { caveats, curveText, planeText, scaleText, sentence } from "../../fr_explore_widgets/field/words.js";
import { linePath } from "../../fr_explore_widgets/shared/plot.js";
import { fakeCanvas, fakeModel } from "../fake_model.js";

const CURVES = 4;
const GRID = { knn: [1, 2, 3], ball: [0.3, 0.6], all_pairs: [1] };
const KINDS = { knn: "k nearest", ball: "radius", all_pairs: "all pairs" };

beforeEach(() => {
  fakeCanvas(vi);
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
  // at once; a frame that asks for the next one gets it later, as what follows a theme does for more than a second
  let within = false;
  vi.stubGlobal("requestAnimationFrame", (callback) => {
    if (within) return setTimeout(callback);
    within = true;
    callback(0);
    within = false;
  });
});

/** Views that a test has opened; a view left open keeps timers that outlive the page. @type {(() => void)[]} */
const open = [];

function render(context) {
  const end = explorer.render(context);
  open.push(end);
  return end;
}

afterEach(() => {
  for (const end of open.splice(0)) end();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A cell as the kernel sends it; its bytes begin in the middle of a message. */
function cellData({ identity = 0, attribute = 0, kind = "knn", energy = [0.2, 0.3, 0.4], ...more } = {}) {
  const scales = GRID[kind].length;
  const flat = [0, 1, 2].flatMap((p) =>
    Array.from({ length: CURVES }, (_, i) => [i + p, -i, i === 3 ? Number.NaN : 0.5, 0.1]).flat(),
  );
  const moves = [0.1, 0.2, 0.3, 0];
  const energies = Array.from({ length: scales }, (_, s) => [
    0.1 * (s + 1),
    1.5,
    Number.NaN,
    Number.NaN,
  ]).flat();
  const data = Float32Array.of(0, ...flat, ...moves, ...energies);
  const head = {
    identity,
    attribute,
    kind,
    seq: 0,
    client: "",
    known: 3,
    magnitude: 0.2,
    energy,
  };
  const planes = { points: [0.4, 0.2], directions: [0.3, 0.5], mean: [0.3, null] };
  return {
    payload: { ...head, planes, coverage: [0.5, 0.75, 1].slice(0, scales), ...more },
    payload_data: new DataView(data.buffer, 4),
  };
}

function setUp(more = {}) {
  const attribute = (name, label) => ({
    ...{ name, label, unit: "years", low: 18, high: 75, neutral: 35, step: 5, group: "face" },
    ...{ color: "#c2571a", shape: "square", help: "" },
  });
  const model = fakeModel({
    setup: {
      ...{ identities: [7, 8], attributes: [attribute("age", "age"), attribute("hue", "hue")], grid: GRID },
      ...{ curves: CURVES, dim: 128, size: 2, kinds: KINDS },
    },
    state: {
      ...{ version: 1, identity: 7, attribute: "age", plane: "points", kind: "knn", scale: 2 },
      ...{ length: "direction", curve: null },
    },
    ...cellData(),
    ...{ neighbors: {}, curve_view: {}, nulls: {}, identity_energies: {}, error: {}, ping: 0 },
    ...more,
  });
  const el = document.createElement("div");
  document.body.append(el);
  const close = render({ model, el });
  const $ = (selector) => el.querySelector(selector);
  const requests = () => model.sent.filter((m) => m.request).map((m) => m.request);
  return { model, el, $, close, requests, cursor: $(".fr-cursor") };
}

function slide(input, value, ...events) {
  input.valueAsNumber = value;
  for (const event of events) input.dispatchEvent(new Event(event, { bubbles: true }));
}

test("the bytes of a cell become planes, moves and energies", () => {
  const { payload: head, payload_data: view } = cellData();
  const read = decode(head, view, CURVES);
  expect([...read.flat.mean.xy]).toEqual([2, -0, 3, -1, 4, -2, 5, -3]);
  expect(read.flat.points.arrows[0]).toBe(0.5);
  expect(read.moves[2]).toBeCloseTo(0.3);
  expect(read.energies(1)[0]).toBeCloseTo(0.2);
  expect(read.energies(2)).toHaveLength(CURVES);
  expect(() => decode(head, view, 5)).toThrow("64 numbers instead of 80");
});

test("each energy has its kind, and points without energy too", () => {
  const energies = Float32Array.of(0, 0.99, 2, Number.NaN, Number.NaN);
  const arrows = Float32Array.of(1, 0, 1, 0, 1, 0, 1, 0, Number.NaN, Number.NaN);
  expect([...kindsOf(energies, arrows)]).toEqual([0, 9, 19, ISOLATED, UNDIRECTED]);
  const kinds = palette(false);
  expect(kinds[19].shape).toBe("diamond");
  expect(kinds[ISOLATED].hollow).toBe(true);
  expect(kinds[UNDIRECTED].shape).toBe("cross");
  expect(colorOf(1, false)).toBe("rgb(140, 140, 140)");
});

test("marks keep a contrast of 3 : 1 on both themes", () => {
  const luminance = (rgb) => {
    const parts = rgb
      .match(/\d+/g)
      .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  for (const [dark, surface] of [
    [false, 1],
    [true, luminance("17, 17, 17")],
  ]) {
    for (let e = 0; e <= 2; e += 0.1) {
      const [a, b] = [luminance(colorOf(e, dark)) + 0.05, surface + 0.05];
      expect(Math.max(a, b) / Math.min(a, b), `${e} ${dark}`).toBeGreaterThan(3);
    }
  }
});

test("a curve is highlighted with its neighbours at the scale", () => {
  const order = Int32Array.of(2, 0, 3);
  expect([...highlighted(4, 1, order, 2)]).toEqual([1, 1, 1, 0]);
  expect([...highlighted(4, 1, order, 0)]).toEqual([0, 1, 0, 0]);
  expect(highlighted(4, -1, order, 2)).toBeNull();
  expect(highlighted(4, 1, undefined, 2)).toBeNull();
});

test("the null between the scales at which it was drawn", () => {
  const drawn = [
    [2, 1, 0.4],
    [6, 0.8, 0.2],
  ];
  expect(nullAt(drawn, 4)).toEqual({ mean: 0.9, sd: expect.closeTo(0.3) });
  expect(nullAt(drawn, 2)).toEqual({ mean: 1, sd: 0.4 });
  expect(nullAt(drawn, 1)).toBeNull();
  expect(nullAt(drawn, 7)).toBeNull();
  expect(nullAt(undefined, 3)).toBeNull();
});

const facts = {
  energy: 0.61,
  coverage: 1,
  known: 90,
  curves: 100,
  magnitude: 0.2,
  random: { mean: 1, sd: 0.01 },
};

test.each([
  [{}, "E = 0.61 at this scale: neighbours are clearly aligned; the model depends on age."],
  [{ energy: 0.1 }, "are almost perfectly aligned"],
  [{ energy: 0.4 }, "are strongly aligned"],
  [{ energy: 0.8 }, "are loosely aligned; the model partly depends on age"],
  [{ energy: 0.95 }, "are barely aligned"],
  [{ energy: 0.985 }, "no more aligned than random directions; no dependence on age is visible"],
  [{ energy: 0.61, random: { mean: 1, sd: 0.3 } }, "no more aligned than random directions"],
  [{ energy: 1.3 }, "oppose each other more than random directions would"],
  [{ energy: Number.NaN }, "No point has a neighbour at this scale, so E is not defined. Widen the radius."],
  [{ energy: Number.NaN, kind: "knn" }, "Take more neighbours."],
  [{ known: 0 }, "No curve of this identity has a direction"],
])("E in words: %o", (more, text) => {
  expect(sentence({ ...facts, kind: "ball", scale: 0.6, label: "age", ...more }).join("")).toContain(text);
});

test("caveats about E are stated", () => {
  const about = (more) => caveats({ ...facts, kind: "ball", scale: 0.6, label: "age", ...more });
  expect(about({})).toBe("");
  expect(about({ coverage: 0.34 })).toBe(
    "Only 34 % of the points have a neighbour at this scale; E describes only these.",
  );
  expect(about({ known: 60 })).toBe("40 of 100 curves have no direction and are excluded.");
  expect(about({ magnitude: 0.01 })).toContain("the effect is small");
  expect(about({ energy: Number.NaN, coverage: 0 })).toBe("");
});

test("scales, planes and curves in words", () => {
  expect(scaleText("knn", 1)).toBe("the nearest neighbour");
  expect(scaleText("knn", 10)).toBe("the 10 nearest");
  expect(scaleText("ball", 0.6)).toBe("within 0.6 of the mean distance");
  expect(planeText({ variance: 0.38, seen: 0.066 }, 128)).toBe(
    "The plane shows 38 % of the points\u2019 variance and 6.6 % of the arrows\u2019 squared length; E is computed in all 128 dimensions.",
  );
  expect(curveText({ curve: 3, energy: 0.421, count: 1, move: 0.31 })).toBe(
    "Curve 3: E = 0.42 with 1 neighbour; moves by 0.310.",
  );
  expect(curveText({ curve: 3, energy: 0.421, count: null, move: 0.31 })).toBe(
    "Curve 3: E = 0.42; moves by 0.310.",
  );
  expect(curveText({ curve: 3, energy: Number.NaN, count: 0, move: 0.31 })).toContain(
    "no neighbour at this scale",
  );
});

test("an axis has round numbers with room between them; a line has gaps", () => {
  expect(ticks([1, 2, 3, 4, 5, 10, 20], "knn", 2).map((i) => [1, 2, 3, 4, 5, 10, 20][i])).toEqual([1, 5, 20]);
  expect(ticks([0.2, 0.25, 0.4, 0.5], "ball", 1)).toEqual([1, 3]);
  expect(linePath([0, 1, 2, 3], [1, Number.NaN, 3, 4])).toBe("M0.0 1.0M2.0 3.0L3.0 4.0");
});

test("the scale slides without the kernel: E, words, coverage; the state goes out on release", () => {
  const { $, cursor, model, requests } = setUp();
  expect($(".fr-field").dataset.energy).toBe("0.3");
  expect($(".fr-sentence").textContent).toContain("E = 0.30 at this scale: neighbours are strongly aligned");
  slide(cursor, 2, "input");
  expect($(".fr-field").dataset.energy).toBe("0.4");
  expect($(".fr-scale-words").textContent).toBe("the 3 nearest");
  expect(cursor.getAttribute("aria-valuetext")).toBe("the 3 nearest: E 0.40 for age, coverage 100 %");
  expect(model.sent).toEqual([]);
  slide(cursor, 2, "input", "change");
  expect(model.sent).toEqual([{ state: expect.objectContaining({ scale: 3 }) }]);
  expect(requests()).toEqual([]);
  expect($("[role=status].fr-hidden").textContent).toContain("E = 0.40");
});

test("undo and redo walk along what was committed", () => {
  const { $, cursor, el, model } = setUp();
  const root = $(".fr-field");
  slide(cursor, 0, "input", "change");
  expect(root.dataset.scale).toBe("1");
  const press = (more) =>
    root.dispatchEvent(
      new KeyboardEvent("keydown", { key: "z", ctrlKey: true, bubbles: true, cancelable: true, ...more }),
    );
  press({});
  expect(root.dataset.scale).toBe("2");
  press({ shiftKey: true });
  expect(root.dataset.scale).toBe("1");
  expect(model.get("state").scale).toBe(1);
  const [undo] = [...el.querySelectorAll(".fr-button")].filter((b) => b.textContent === "Undo");
  undo.click();
  expect(root.dataset.scale).toBe("2");
  expect(undo.disabled).toBe(true);
});

test("another cell is requested once, waited for, and then kept", () => {
  const { $, model, requests } = setUp();
  const hue = $("input[value=hue]");
  hue.checked = true;
  hue.dispatchEvent(new Event("change"));
  expect($(".fr-field").classList.contains("fr-waiting")).toBe(true);
  expect(requests()).toEqual([
    expect.objectContaining({
      action: "load_cell",
      values: { what: 0, identity: 0, attribute: 1, kind: 0, curve: 0 },
    }),
  ]);
  const { client, seq } = requests()[0];
  model.receive(cellData({ attribute: 1, energy: [0.7, 0.8, 0.9], client, seq }));
  expect($(".fr-field").classList.contains("fr-waiting")).toBe(false);
  expect($(".fr-field").dataset.energy).toBe("0.8");
  $("input[value=age]").dispatchEvent(new Event("change"));
  hue.dispatchEvent(new Event("change"));
  expect(requests()).toHaveLength(1);
});

test("each kind of neighbourhood keeps its own scale", () => {
  const { $, cursor, model, requests } = setUp();
  slide(cursor, 2, "input", "change");
  $("input[value=ball]").dispatchEvent(new Event("change"));
  expect(model.get("state")).toMatchObject({ kind: "ball", scale: 0.6 });
  const { client, seq } = requests()[0];
  model.receive(cellData({ kind: "ball", energy: [null, 0.5], client, seq }));
  expect($(".fr-field").dataset.energy).toBe("0.5");
  slide(cursor, 0, "input");
  expect($(".fr-sentence").textContent).toContain("E is not defined. Widen the radius.");
  $("input[value=knn]").dispatchEvent(new Event("change"));
  expect(model.get("state")).toMatchObject({ kind: "knn", scale: 3 });
});

test("every kind of neighbourhood that the kernel has can be chosen; one with one scale has no slider", () => {
  const { $, el, cursor, model, requests } = setUp();
  const offered = [...el.querySelectorAll(".fr-scales .fr-chip")].map((chip) => chip.textContent);
  expect(offered).toEqual(["k nearest", "radius", "all pairs"]);
  $("input[value=all_pairs]").dispatchEvent(new Event("change"));
  expect(model.get("state")).toMatchObject({ kind: "all_pairs", scale: 1 });
  const { client, seq, values } = requests()[0];
  expect(values).toMatchObject({ what: 0, kind: 2 });
  model.receive(cellData({ kind: "all_pairs", energy: [0.4], client, seq }));
  expect($(".fr-sentence").textContent).toContain("E = 0.40 at this scale");
  expect($(".fr-scale-words").textContent).toBe("all pairs");
  expect(cursor.hidden).toBe(true);
  model.receive({ nulls: { "0,0,all_pairs": [[0, 1, 0.1]] } });
  expect($(".fr-fact:last-child").textContent).toContain("1.00 \u00b1 0.100");
  $("input[value=knn]").dispatchEvent(new Event("change"));
  expect(model.get("state")).toMatchObject({ kind: "knn", scale: 2 });
  expect(cursor.hidden).toBe(false);
});

test("a curve under the pointer shows its energy, then its neighbours, then its faces", () => {
  const { $, model, requests } = setUp();
  const canvas = $(".fr-map-canvas");
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true, cancelable: true }));
  expect($(".fr-curve-words").textContent).toContain("Curve 0: E = 0.20; moves by");
  const [{ client, seq, values }] = requests();
  expect(values).toEqual({ what: 1, identity: 0, attribute: 0, kind: 0, curve: 0 });
  const at = { identity: 0, attribute: 0, curve: 0 };
  model.receive({
    neighbors: { ...at, counts: { knn: [1, 2, 2], ball: [0, 1] } },
    neighbor_data: new DataView(Int32Array.of(1, 2).buffer),
  });
  expect($(".fr-curve-words").textContent).toContain("with 2 neighbours");
  const frame = new DataView(new Uint8Array(3 * 3 * 4).buffer);
  model.receive({ frame, curve_view: { ...at, strengths: [40, 45, 50], client, seq } });
  expect([...$(".fr-three").querySelectorAll("figcaption")].map((node) => node.textContent)).toEqual([
    "40 years",
    "45 years",
    "50 years",
  ]);
  expect(requests()).toHaveLength(1);
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  expect(model.get("state").curve).toBe(0);
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));
  expect(model.get("state").curve).toBeNull();
  expect($(".fr-curve-words").textContent).toContain("Point at an arrow");
});

test.each([
  [false, "No faces: give FieldExplorer the lattice of the field."],
  [
    true,
    "No faces: this version of fr-explore draws them differently. The figures are of the faces that were embedded.",
  ],
])("a curve without faces says why (drawn by another renderer: %s)", (redrawn, words) => {
  const { $, model } = setUp();
  const setup = model.get("setup");
  const other = setUp({ setup: { ...setup, size: 0, redrawn } });
  const canvas = other.$(".fr-map-canvas");
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true, cancelable: true }));
  expect(other.$(".fr-curve").textContent).toContain(words);
  expect($(".fr-curve").textContent).not.toContain("No faces");
});

test("E by identity marks the current identity, and a click chooses another", () => {
  const { $, model } = setUp();
  expect($(".fr-identities .fr-sub").textContent).toContain("computing");
  model.receive({
    identity_energies: {
      "0,knn": [
        [0.2, 0.3, 0.4],
        [0.5, 0.6, null],
      ],
    },
  });
  expect($(".fr-identities-plot").getAttribute("aria-label")).toBe(
    "E of 2 identities from 0.30 to 0.60; identity 7 has 0.30",
  );
  $(".fr-other").dispatchEvent(new MouseEvent("click"));
  expect(model.get("state").identity).toBe(8);
});

test("the kernel's state is followed, and its errors are shown with what to do", () => {
  const { $, model } = setUp();
  model.receive({ state: { ...model.get("state"), scale: 1, plane: "mean" } });
  expect($(".fr-field").dataset.scale).toBe("1");
  expect([...$(".fr-map").querySelectorAll("select")][0].value).toBe("mean");
  expect(model.sent).toEqual([]);
  model.receive({
    error: { what: "It failed.", why: "OSError: no", todo: "Choose another.", client: "", seq: 0 },
  });
  expect($(".fr-error").textContent).toBe("It failed. OSError: no Choose another.");
});

test("without its kernel it shows the received cells, and reports missing ones", () => {
  vi.useFakeTimers();
  const { $, cursor, el, model } = setUp();
  model.fire("comm_live_update");
  vi.advanceTimersByTime(2000);
  vi.useRealTimers();
  expect(el.dataset.kernel).toBe("gone");
  slide(cursor, 2, "input", "change");
  expect($(".fr-field").dataset.energy).toBe("0.4");
  const people = $(".fr-top select");
  people.value = "1";
  people.dispatchEvent(new Event("change"));
  expect($(".fr-error").textContent).toContain("has not received this part of the field");
  expect([people.value, $(".fr-field").dataset.energy]).toEqual(["0", "0.4"]);
  slide(cursor, 1, "input", "change");
  expect($(".fr-error").hidden).toBe(true);
});

test("data that cannot be read are reported, not drawn", () => {
  const { $ } = setUp({ payload_data: new DataView(new ArrayBuffer(8)) });
  expect($(".fr-error").textContent).toContain("The field could not be read.");
  expect($(".fr-error").textContent).toContain("2 numbers instead of");
});

test("a closed view leaves nothing behind", () => {
  const { close, model } = setUp();
  close();
  expect(model.listening()).toBe(0);
});
