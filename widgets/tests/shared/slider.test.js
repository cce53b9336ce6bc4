// @vitest-environment jsdom
import { expect, test, vi } from "vitest";
import { createAttributeSlider } from "../../fr_explore_widgets/attribute/slider.js";
import { createHistory, walkByKeys } from "../../fr_explore_widgets/shared/history.js";
import { createSlider } from "../../fr_explore_widgets/shared/slider.js";

const SPEC = {
  name: "order",
  label: "Order",
  low: 0,
  high: 2,
  step: 0.01,
  help: "How much of the pattern.",
  show: (/** @type {number} */ x) => `<${x}>`,
  speak: (/** @type {number} */ x) => `order ${x}`,
};
const HUE = {
  name: "hue",
  label: "hue",
  unit: "\u00b0",
  low: -30,
  high: 30,
  neutral: 0,
  step: 6,
  group: /** @type {const} */ ("image"),
  color: "#aa3366",
  shape: "circle",
  help: "Turns all colours.",
};

/** @param {HTMLInputElement} input @param {number} value @param {...string} events */
function move(input, value, ...events) {
  input.value = String(value);
  for (const event of events) input.dispatchEvent(new Event(event));
}

/** Where the fill begins and ends. @param {HTMLInputElement} input */
const fill = ({ parentElement }) =>
  ["--lo", "--hi"].map((name) => parentElement?.style.getPropertyValue(name));

test("a slider shows its value, and distinguishes drags from commits", () => {
  const onMove = vi.fn();
  const { row, input, set } = createSlider(SPEC, onMove);
  set(0.5);
  expect(row.querySelector(".fr-value")?.textContent).toBe("<0.5>");
  expect(input.getAttribute("aria-valuetext")).toBe("order 0.5");
  expect(fill(input)).toEqual(["0", "0.25"]);
  move(input, 1, "input", "change");
  expect(onMove.mock.calls).toEqual([
    ["order", 1, "drag"],
    ["order", 1, "commit"],
  ]);
  expect(row.querySelector(`#${input.getAttribute("aria-describedby")}`)?.textContent).toBe(SPEC.help);
});

test("a slider keeps its value while dragged, also if it is released without a change", () => {
  const { input, set } = createSlider(SPEC, () => {});
  move(input, 1, "input");
  set(0.2);
  expect(input.valueAsNumber).toBe(1);
  input.dispatchEvent(new Event("pointerup")); // dragged and brought back: no change event comes
  set(0.2);
  expect(input.valueAsNumber).toBe(0.2);
});

test("an attribute's slider has a neutral mark, and a button back to it when it is elsewhere", () => {
  const onMove = vi.fn();
  const { row, input, set, disable } = createAttributeSlider(HUE, { onMove, onHelp: () => {} });
  const back = /** @type {HTMLButtonElement} */ (row.querySelector(".fr-back"));
  expect(back.classList.contains("fr-away")).toBe(false);
  set(-15);
  expect(fill(input)).toEqual(["0.25", "0.5"]);
  expect(row.style.getPropertyValue("--n")).toBe("0.5");
  expect([back.classList.contains("fr-away"), back.tabIndex]).toEqual([true, 0]);
  back.click();
  expect(onMove).toHaveBeenLastCalledWith("hue", 0, "commit");
  expect([input.valueAsNumber, back.tabIndex]).toEqual([0, -1]);
  disable(true);
  expect([input.disabled, back.disabled]).toEqual([true, true]);
});

test("history merges a held key, splits at a pause, forgets undone states, and stops at both ends", () => {
  const history = createHistory({ at: 0 });
  history.commit({ at: 0 });
  expect(history.canUndo).toBe(false);
  history.commit({ at: 1 }, "order", 100);
  history.commit({ at: 2 }, "order", 600);
  history.commit({ at: 3 }, "radius", 700);
  history.commit({ at: 4 }, "radius", 5000);
  expect([1, 2, 3, 4].map(() => history.step(-1).at)).toEqual([3, 2, 0, 0]);
  expect(history.step(1)).toEqual({ at: 2 });
  history.commit({ at: 9 }, "order", 9000);
  expect(history.canRedo).toBe(false);
  expect(history.step(-1)).toEqual({ at: 2 });
});

test("the keys of undo and redo work, and are not passed on", () => {
  const root = document.createElement("div");
  const inner = document.createElement("input");
  root.append(inner);
  const walk = vi.fn();
  walkByKeys(root, walk);
  const press = (/** @type {KeyboardEventInit} */ keys) =>
    inner.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...keys }));
  expect(press({ key: "z", ctrlKey: true })).toBe(false);
  press({ key: "Z", metaKey: true, shiftKey: true });
  expect(press({ key: "z" })).toBe(true);
  expect(walk.mock.calls).toEqual([[-1], [1]]);
});
