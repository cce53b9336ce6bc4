// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../../fr_explore_widgets/energy/index.js";
import { DEFAULTS } from "../../fr_explore_widgets/energy/state.js";
import { fakeModel } from "../fake_model.js";

/** As in the page, a trait that the widget sets is heard by every view of it. */
function modelOf(traits) {
  const model = fakeModel(traits);
  return {
    ...model,
    set(name, value) {
      model.set(name, value);
      model.fire(`change:${name}`);
    },
  };
}

let el;
let model;
let stop;

function open(state = {}) {
  model = modelOf({ state, error: {} });
  el = document.createElement("div");
  document.body.append(el);
  stop = widget.render({ model, el });
}

const find = (selector) => el.querySelector(selector);
const energy = () => Number(find(".fr-key").dataset.energy);

function slide(name, value, event = "change") {
  const input = find(`[data-setting=${name}]`);
  input.value = String(value);
  input.dispatchEvent(new Event(event, { bubbles: true }));
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

test("teaches without a click: arrows, energy, closed form, null, words, the whole sum", () => {
  open();
  expect(el.querySelectorAll(".fr-arrow")).toHaveLength(24);
  expect(find(".fr-figure").textContent).toBe(energy().toFixed(2));
  expect(find(".fr-sentence").textContent).toContain("mostly the same way");
  expect(find(".fr-row-random .fr-fact").textContent).toMatch(/^1\.00 ± 0\.\d\d$/);
  expect(find(".fr-result").textContent).toContain(`the mean over all arrows is E = ${energy().toFixed(2)}`);
  expect(find(".fr-call").textContent).toBe('fr.alignment_energy(points, directions, "ball:0.6")');
  expect(model.sent).toHaveLength(0);
});

test.each([
  ["parallel", 0],
  ["radial", 0.149],
  ["opposed", 4 / 3],
])("the preset %s has energy %f", (name, wanted) => {
  open();
  find(`[value=${name}]`).click();
  expect(energy()).toBeCloseTo(wanted, 2);
  expect(find(`[value=${name}]`).checked).toBe(true);
  expect(find(".fr-row-closed .fr-fact").textContent).toBe(find(".fr-figure").textContent);
});

test("a drag moves the page at once and is kept on release only", () => {
  open();
  slide("order", 0.3, "input");
  const dragged = energy();
  expect(dragged).toBeGreaterThan(0.5);
  expect(model.sent).toHaveLength(0);
  slide("order", 0.3);
  expect(energy()).toBe(dragged);
  expect(model.sent).toHaveLength(1);
  expect(model.get("state")).toEqual({ ...DEFAULTS, order: 0.3 });
  expect(find("[role=status].fr-hidden").textContent).toBe(find(".fr-sentence").textContent);
});

test("the trace keeps the past values of E", () => {
  open();
  for (const x of [0.7, 0.6, 0.5]) slide("order", x, "input");
  expect(el.querySelectorAll(".fr-past:not(.fr-old)")).toHaveLength(4);
  slide("dim", 30);
  slide("order", 0.4);
  expect(el.querySelectorAll(".fr-past.fr-old")).toHaveLength(4);
  expect(find(".fr-trace-plot").getAttribute("aria-label")).toContain("E against order");
});

test("the slider of the neighbourhood fits its rule", () => {
  open();
  const shown = () =>
    ["radius", "k"].filter((name) => !find(`[data-setting=${name}]`).closest(".fr-slider").hidden);
  expect(shown()).toEqual(["radius"]);
  const rule = find("select");
  rule.value = "knn";
  rule.dispatchEvent(new Event("change"));
  expect(shown()).toEqual(["k"]);
  slide("k", 1);
  find("[type=checkbox]").click();
  // the point itself is the first of its k, so that k = 1 would leave no other
  expect(model.get("state").k).toBe(2);
  rule.value = "all_weighted";
  rule.dispatchEvent(new Event("change"));
  expect(shown()).toEqual([]);
  expect(find("[type=checkbox]").disabled).toBe(true);
});

test("keys choose an arrow, and its neighbourhood is lit", () => {
  open();
  const list = find("[role=listbox]");
  press(list, "ArrowRight");
  const chosen = el.querySelectorAll("[aria-selected=true]");
  expect(chosen).toHaveLength(1);
  expect(list.getAttribute("aria-activedescendant")).toBe(chosen[0].id);
  expect(chosen[0].getAttribute("aria-label")).toMatch(/^Arrow 5: 6 neighbours, energy 0\.\d\d$/);
  expect(el.querySelectorAll(".fr-near")).toHaveLength(6);
  expect(Number(find(".fr-disc").getAttribute("r"))).toBeGreaterThan(10);
  press(list, "End");
  expect(model.get("state").selected).toBe(23);
  expect(find("[data-action=undo]").disabled).toBe(true);
});

test("steps through one neighbourhood to its energy, and Escape leaves", () => {
  open();
  const step = () => find("[data-action=step]").click();
  step();
  expect(find(".fr-current").textContent).toMatch(
    /^Neighbour 1 of 6, j = \d+: angle \d+°, 1 − .* = \d\.\d\d$/,
  );
  expect(find(".fr-result").textContent).toContain("so far");
  expect(el.querySelectorAll(".fr-current-arrow")).toHaveLength(1);
  for (let i = 0; i < 5; i += 1) step();
  expect(find(".fr-result").textContent).not.toContain("so far");
  expect(find("[data-action=step]").textContent).toBe("From the start");
  press(find(".fr-formula"), "Escape");
  expect(find("[data-action=whole]").disabled).toBe(true);
});

test("undo and redo by keys and buttons", () => {
  open();
  const before = energy();
  find("[value=parallel]").click();
  slide("order", 0.2);
  press(find(".fr-key"), "z", { ctrlKey: true });
  expect(energy()).toBeCloseTo(0, 12);
  find("[data-action=undo]").click();
  expect(energy()).toBe(before);
  expect(find("[data-action=undo]").disabled).toBe(true);
  press(find(".fr-key"), "z", { ctrlKey: true, shiftKey: true });
  expect(energy()).toBeCloseTo(0, 12);
});

test("isolated arrows show in the coverage and in the formula", () => {
  open({ ...DEFAULTS, radius: 0.1 });
  expect(find(".fr-sentence").textContent).toContain("Widen the radius");
  expect(find(".fr-figure").textContent).toBe("–");
  expect(find(".fr-result").textContent).toBe(
    "E4 is not defined: this arrow has no neighbour and is excluded from E.",
  );
  expect(find("[data-action=step]").disabled).toBe(true);
});

test("follows the kernel and a second view, but does not move a slider that the user holds", () => {
  open();
  model.set("state", { ...DEFAULTS, pattern: "parallel", order: 1 });
  expect(energy()).toBeCloseTo(0, 12);
  expect(model.sent).toHaveLength(0);
  const other = document.createElement("div");
  document.body.append(other);
  const end = widget.render({ model, el: other });
  slide("order", 0.5);
  expect(Number(other.querySelector(".fr-key").dataset.energy)).toBe(energy());
  end();
  slide("order", 0.4, "input");
  const dragged = energy();
  model.set("state", { ...DEFAULTS, order: 0 });
  expect(energy()).toBe(dragged);
  find("[data-setting=order]").dispatchEvent(new Event("pointerup", { bubbles: true }));
  model.set("state", { ...DEFAULTS, pattern: "parallel", order: 1 });
  expect(energy()).toBeCloseTo(0, 12);
});

test("a state that it cannot show is an error inside the widget, with what to do", () => {
  open();
  model.set("state", { ...DEFAULTS, version: 7 });
  const alert = find("[role=alert]");
  expect(alert.hidden).toBe(false);
  expect(alert.textContent).toContain("has version 7");
  find("[data-action=reset]").click();
  expect(alert.hidden).toBe(true);
});

test("more than two dimensions are said to be a projection", () => {
  open({ ...DEFAULTS, dim: 64, order: 0.5 });
  expect(find(".fr-projection").textContent).toMatch(
    /projection of each arrow onto 2 of its 64 dimensions, \d+ %/,
  );
});

test("leaves nothing behind", () => {
  open();
  expect(model.listening()).toBeGreaterThan(0);
  stop();
  expect(model.listening()).toBe(0);
});
