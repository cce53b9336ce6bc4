// The sliders of all widgets: native range inputs, so that keys, touch and screen readers work as usual.

import { div, h, setText, uid } from "./dom.js";

/** @typedef {import("./types").SliderSpec} SliderSpec */
/** @typedef {(name: string, value: number, phase: "drag" | "commit") => void} OnMove */

/** The position of a value in the range, from 0 to 1. @param {{low: number, high: number}} range @param {number} value */
export function share({ low, high }, value) {
  return (value - low) / (high - low);
}

/** A slider with its label and value, and its help below. @param {SliderSpec} spec @param {OnMove} onMove */
export function createSlider(spec, onMove) {
  const id = uid(spec.name);
  const value = h("span", { class: "fr-value" });
  const input = h("input", {
    type: "range",
    id,
    min: spec.low,
    max: spec.high,
    step: spec.step,
    "aria-describedby": spec.help ? `${id}-help` : undefined,
    "data-setting": spec.name,
  });
  const track = div("fr-track", input);
  const row = div(
    "fr-slider",
    div("fr-slider-head", h("label", { class: "fr-one-line", for: id, text: spec.label }), value),
    track,
    ...(spec.help ? [h("p", { id: `${id}-help`, class: "fr-sub", text: spec.help })] : []),
  );
  row.style.setProperty("--c", spec.color ?? "var(--fr-mark)");
  const from = share(spec, spec.from ?? spec.low);
  let held = false;
  let shown = Number.NaN;

  /** @param {number} x */
  function show(x) {
    if (x === shown) return;
    shown = x;
    const at = share(spec, x);
    track.style.setProperty("--lo", String(Math.min(at, from)));
    track.style.setProperty("--hi", String(Math.max(at, from)));
    setText(value, spec.show(x));
    input.setAttribute("aria-valuetext", spec.speak(x));
  }

  /** @param {"drag" | "commit"} phase */
  function moved(phase) {
    held = phase === "drag";
    show(input.valueAsNumber);
    onMove(spec.name, input.valueAsNumber, phase);
  }

  input.addEventListener("input", () => moved("drag"));
  input.addEventListener("change", () => moved("commit"));
  // a slider that is dragged back to its start ends without a change event
  for (const event of ["pointerup", "pointercancel", "blur"]) {
    input.addEventListener(event, () => {
      held = false;
    });
  }
  return {
    row,
    input,
    /** Move it as the user would. @param {number} x */
    move(x) {
      input.valueAsNumber = x;
      moved("commit");
    },
    /** Show the widget's value, unless the user is dragging the slider. @param {number} x */
    set(x) {
      if (held) return;
      if (input.valueAsNumber !== x) input.valueAsNumber = x;
      show(x);
    },
    /** @param {boolean} off */
    disable(off) {
      input.disabled = off;
    },
  };
}
