// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { curvesOf, wordPlace } from "../../fr_explore_widgets/macroscale/cdf.js";
import widget from "../../fr_explore_widgets/macroscale/index.js";
import { kindsOf } from "../../fr_explore_widgets/macroscale/map.js";
import { correlationWords, probability, probeWords } from "../../fr_explore_widgets/macroscale/words.js";
import { fakeCanvas, fakeModel } from "../fake_model.js";

const gap = (value, distance) => ({ value, distance, within: 0.8, across: 0.8 - value });
const row = (attribute, ks, entropy) => ({
  attribute,
  n: 12,
  ks_positive: ks + 0.05,
  ks_negative: ks - 0.05,
  ks_mean: ks,
  null_mean: 0.1,
  null_sd: 0.02,
  ks_scaled: ks / 0.1,
  p_value: 0.005,
  p_corrected: 0.01,
  intra_entropy: entropy,
  positive: 3,
  negative: 2,
  unknown: 1,
  words: `words on ${attribute}`,
  null: [0.08, 0.1, 0.12],
  gaps: { positive: gap(0.3, 0.4), negative: gap(0.2, 0.5) },
  curves: { "within positive": [0, 2], "within negative": [4, 2], across: [8, 2] },
});
const curves = Float32Array.from([0.1, 0.2, 0.5, 1, 0.3, 0.4, 0.5, 1, 0.5, 0.6, 0.5, 1]);

let el;
let model;
let stop;
const find = (selector) => el.querySelector(selector);

function open({ label = "old", ...more } = {}) {
  model = fakeModel({
    setup: {
      attributes: [
        { name: "old", label, color: "#3b7dd8", shape: "circle" },
        { name: "hat", label: "hat", color: "#c2571a", shape: "square" },
      ],
      images: 6,
      shown: 6,
      people: 4,
      names: ["a", "a", "b", "b", "c", "d"],
      metric: "euclidean",
      model: "dlib",
      pictures: true,
      umap: true,
      caption: "PCA projection, shows 40 % of the variance",
    },
    points: new DataView(Float32Array.from([0, 0, 1, 0, 0, 1, 1, 1, 2, 2, 3, 1]).buffer),
    labels: new DataView(Int8Array.from([1, 1, 1, -1, -1, 0, -1, -1, 1, 1, 1, 1]).buffer),
    curves: new DataView(curves.buffer),
    results: { old: row("old", 0.35, 0) },
    summary: {},
    umap_points: new DataView(new ArrayBuffer(0)),
    progress: {},
    reply: {},
    error: {},
    state: { version: 1, attribute: "old", projection: "pca" },
    ...more,
  });
  el = document.createElement("div");
  document.body.append(el);
  stop = widget.render({ model, el });
}

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
  fakeCanvas(vi);
});

afterEach(() => {
  stop?.();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("shows the figures of an attribute, in words and numbers", () => {
  open();
  expect(find(".fr-sentence").textContent).toBe("words on old");
  expect(find(".fr-key").textContent).toContain("0.350");
  expect(find(".fr-key").textContent).toContain("0.005; corrected for 2 attributes 0.010");
  expect(el.querySelectorAll(".fr-bracket")).toHaveLength(2);
  expect([...el.querySelectorAll(".fr-bracket-word")].map((node) => node.textContent)).toEqual([
    "KS 0.300 with it",
    "KS 0.200 without it",
  ]);
  expect(find(".fr-map-key").textContent).toBe("with old: 3 imageswithout: 2 imagesunknown: 1 images");
  expect(find(".fr-among-box").textContent).toContain("1 of 2 attributes measured so far.");
  expect(find(".fr-map-foot").textContent).toContain("PCA projection");
});

test("another attribute is chosen by list, by buttons, and by its mark; undo goes back", () => {
  open({ results: { old: row("old", 0.35, 0), hat: row("hat", 0.1, 0.5) } });
  find("[data-action=after]").click();
  expect(model.get("state").attribute).toBe("hat");
  expect(find(".fr-macro").dataset.attribute).toBe("hat");
  expect(find("[data-action=after]").disabled).toBe(true);
  expect(find("[role=status].fr-hidden").textContent).toBe("hat. words on hat");
  const key = new KeyboardEvent("keydown", { key: "z", ctrlKey: true, bubbles: true });
  find(".fr-macro").dispatchEvent(key);
  expect(model.get("state").attribute).toBe("old");
  el.querySelectorAll(".fr-spot")[1].dispatchEvent(new MouseEvent("click"));
  expect(model.get("state").attribute).toBe("hat");
  model.receive({ state: { version: 1, attribute: "old", projection: "pca" } });
  expect(find("[data-control=attribute]").value).toBe("old");
  expect(find(".fr-among-box").textContent).toContain("at least three different attributes");
});

test("no label of an attribute covers the figures of the axis", () => {
  const label = "a label as long as a sentence";
  open({ label, results: { old: row("old", 0.35, 0), hat: row("hat", 0.1, 0.5) } });
  const words = [...find(".fr-among-box").querySelectorAll("text")];
  const drawn = words.find((one) => one.textContent === label);
  expect(Number(drawn.getAttribute("x")) - 3.2 * label.length - 2).toBeGreaterThanOrEqual(44);
});

test("an attribute that is not measured yet says so", () => {
  open({ state: { version: 1, attribute: "hat", projection: "pca" } });
  expect(find(".fr-sentence").textContent).toContain("still being measured");
  expect(find(".fr-cdf-box").hidden).toBe(true);
  expect(find("[data-action=probe]").disabled).toBe(true);
  model.receive({ results: { old: row("old", 0.35, 0), hat: row("hat", 0.1, 0.5) } });
  expect(find(".fr-cdf-box").hidden).toBe(false);
});

test("the probe and the pictures are asked of the kernel; UMAP by the state", () => {
  open();
  find("[data-action=probe]").click();
  expect(model.get("request")).toMatchObject({ action: "probe" });
  const probe = { balanced_accuracy: 0.9, balanced_accuracy_sd: 0.05, images: 6, identities: 4 };
  model.receive({ results: { old: { ...row("old", 0.35, 0), probe } } });
  expect(find(".fr-probed").textContent).toContain("90.0 ± 5.0 %");
  find("[data-action=umap]").click();
  expect(model.get("state").projection).toBe("umap");
  expect(find(".fr-macro").dataset.projection).toBe("pca"); // until it is there
  model.receive({ umap_points: model.get("points") });
  expect(find(".fr-macro").dataset.projection).toBe("umap");
  expect(find(".fr-map-foot").textContent).toContain("distances between groups mean little");
});

test("a page without a kernel offers no probe", () => {
  open({ offline: true });
  expect(find("[data-action=probe]").disabled).toBe(true);
  expect(find("[data-action=umap]").disabled).toBe(true);
});

test("curves and kinds come out of the bytes", () => {
  const found = curvesOf(new DataView(curves.buffer), row("old", 0.35, 0));
  expect(found.map((one) => one.pairs)).toEqual(["within positive", "within negative", "across"]);
  expect([...found[1].distance].map((v) => v.toFixed(1))).toEqual(["0.3", "0.4"]);
  expect([...kindsOf(Int8Array.from([-1, 1, 0]))]).toEqual([0, 1, 2]);
});

test("a bracket's words turn inwards at the edges", () => {
  const box = { left: 40, right: 400, top: 0, bottom: 200 };
  expect(wordPlace(300, 50, 100, true, box)).toMatchObject({ x: 292, anchor: "end" });
  expect(wordPlace(60, 50, 100, true, box)).toMatchObject({ x: 44, anchor: "start" });
  expect(wordPlace(100, 50, 100, false, box)).toMatchObject({ x: 108, anchor: "start" });
  expect(wordPlace(390, 50, 100, false, box)).toMatchObject({ x: 398, anchor: "end" });
});

test("words", () => {
  expect([undefined, 0.42, 0.0213, 0.00004].map(probability)).toEqual(["–", "0.42", "0.021", "4e−5"]);
  expect(correlationWords({ rho: -0.845, p_value: 0.018, attributes: 8 })).toContain(
    "ρ = −0.84 over 8 attributes (p = 0.018",
  );
  expect(correlationWords(undefined)).toContain("at least three");
  expect(probeWords({ probe: { problem: "too few people" } })).toBe("too few people");
});
