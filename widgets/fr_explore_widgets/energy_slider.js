// One slider of the playground: the family's look, with a step and words of its own.

import { h, uid } from "./shared_dom.js";

/**
 * @typedef {{name: string, label: string, low: number, high: number, step: number, neutral: number, help: string,
 *   ends?: [string, string], show: (value: number) => string, speak: (value: number) => string}} Spec
 */

/**
 * @param {Spec} spec
 * @param {(name: string, value: number, phase: "drag" | "commit") => void} onMove
 */
export function createSlider(spec, onMove) {
  const id = uid(spec.name);
  const value = h("span", { class: "fr-value" });
  const input = h("input", {
    type: "range",
    id,
    min: spec.low,
    max: spec.high,
    step: spec.step,
    "aria-describedby": `${id}-help`,
    "data-setting": spec.name,
  });
  const help = h("p", { id: `${id}-help`, class: "fr-sub", text: spec.help });
  const row = h(
    "div",
    { class: "fr-slider" },
    h("div", { class: "fr-slider-head" }, h("label", { for: id, text: spec.label }), value),
    h("div", { class: "fr-track" }, input),
    help,
  );
  row.style.setProperty("--c", "var(--fr-mark)");
  row.style.setProperty("--lo", "0");

  /** @param {number} x */
  function show(x) {
    row.style.setProperty("--hi", String((x - spec.low) / (spec.high - spec.low)));
    value.textContent = spec.show(x);
    input.setAttribute("aria-valuetext", spec.speak(x));
  }
  for (const [event, phase] of /** @type {["input" | "change", "drag" | "commit"][]} */ ([
    ["input", "drag"],
    ["change", "commit"],
  ])) {
    input.addEventListener(event, () => {
      show(input.valueAsNumber);
      onMove(spec.name, input.valueAsNumber, phase);
    });
  }
  return {
    row,
    input,
    /** @param {number} x */
    set(x) {
      if (input.valueAsNumber !== x) input.valueAsNumber = x;
      show(x);
    },
  };
}
