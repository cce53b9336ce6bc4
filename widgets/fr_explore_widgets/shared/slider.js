// The sliders of all widgets: native range inputs, so that keys, touch and screen readers work as usual.

import { h, uid } from "./dom.js";
import { formatValue, sliderStep, speakValue } from "./words.js";

/** @typedef {import("./types").Attribute} Attribute */
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
    "aria-describedby": `${id}-help`,
    "data-setting": spec.name,
  });
  const row = h(
    "div",
    { class: "fr-slider" },
    h(
      "div",
      { class: "fr-slider-head" },
      h("label", { class: "fr-one-line", for: id, text: spec.label }),
      value,
    ),
    h("div", { class: "fr-track" }, input),
    h("p", { id: `${id}-help`, class: "fr-sub", text: spec.help }),
  );
  row.style.setProperty("--c", spec.color ?? "var(--fr-mark)");
  const from = share(spec, spec.from ?? spec.low);
  let held = false;

  /** @param {number} x */
  function show(x) {
    const at = share(spec, x);
    row.style.setProperty("--lo", String(Math.min(at, from)));
    row.style.setProperty("--hi", String(Math.max(at, from)));
    value.textContent = spec.show(x);
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

/**
 * The slider of an attribute: filled from its neutral mark, with a button back to it; its help is shown elsewhere.
 * @param {Attribute} attribute
 * @param {{onMove: OnMove, onHelp: (text: string) => void}} actions
 */
export function createAttributeSlider(attribute, { onMove, onHelp }) {
  const { neutral, label, help } = attribute;
  const back = h("button", {
    type: "button",
    class: "fr-back fr-bare",
    title: `Reset to neutral: ${formatValue(attribute, neutral)}`,
    "aria-label": `Reset ${label} to neutral, ${speakValue(attribute, neutral)}`,
    text: "\u21ba",
  });
  /** @param {number} x */
  const offer = (x) => {
    const away = Math.abs(x - neutral) > 1e-9;
    back.classList.toggle("fr-away", away);
    back.tabIndex = away ? 0 : -1;
  };
  const spec = {
    ...attribute,
    step: sliderStep(attribute),
    from: neutral,
    show: (/** @type {number} */ x) => formatValue(attribute, x),
    speak: (/** @type {number} */ x) => speakValue(attribute, x),
  };
  const slider = createSlider(spec, (name, x, phase) => {
    offer(x);
    onMove(name, x, phase);
  });
  const { row, input } = slider;
  input.dataset.attribute = attribute.name;
  row.style.setProperty("--n", String(share(attribute, neutral)));
  row.querySelector(".fr-value")?.before(back);
  input.before(h("i", { class: "fr-neutral", "aria-hidden": "true" }));
  row.querySelector("p")?.setAttribute("class", "fr-hidden");
  back.addEventListener("click", () => {
    slider.move(neutral);
    input.focus();
  });
  input.addEventListener("dblclick", () => slider.move(neutral));
  for (const event of ["focus", "mouseenter"]) input.addEventListener(event, () => onHelp(help));
  for (const event of ["blur", "mouseleave"]) input.addEventListener(event, () => onHelp(""));
  slider.set(neutral);
  offer(neutral);
  return {
    ...slider,
    /** @param {number} x */
    set(x) {
      slider.set(x);
      offer(input.valueAsNumber);
    },
    /** @param {boolean} off */
    disable(off) {
      slider.disable(off);
      back.disabled = off;
    },
  };
}
