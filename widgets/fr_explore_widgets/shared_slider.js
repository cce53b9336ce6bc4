// One attribute's slider: native range input, so that keys, touch and screen readers work as everywhere.

import { h, uid } from "./shared_dom.js";
import { formatValue, sliderStep, speakValue } from "./shared_words.js";

/** @typedef {import("./shared_types").Attribute} Attribute */

/** Where a value lies in the range, from 0 to 1. @param {Attribute} attribute @param {number} value */
export function share(attribute, value) {
  return (value - attribute.low) / (attribute.high - attribute.low);
}

/**
 * @param {Attribute} attribute
 * @param {{onMove: (name: string, value: number, phase: "drag" | "commit") => void, onHelp: (text: string) => void}} actions
 */
export function createSlider(attribute, { onMove, onHelp }) {
  const id = uid(attribute.name);
  const value = h("span", { class: "fr-value" });
  const back = h("button", {
    type: "button",
    class: "fr-back",
    title: `Back to neutral: ${formatValue(attribute, attribute.neutral)}`,
    "aria-label": `${attribute.label} back to neutral, ${speakValue(attribute, attribute.neutral)}`,
    text: "\u21ba",
  });
  const input = h("input", {
    type: "range",
    id,
    min: attribute.low,
    max: attribute.high,
    step: sliderStep(attribute),
    "aria-describedby": `${id}-help`,
    "data-attribute": attribute.name,
  });
  const row = h(
    "div",
    { class: "fr-slider" },
    h("div", { class: "fr-slider-head" }, h("label", { for: id, text: attribute.label }), back, value),
    h("div", { class: "fr-track" }, h("i", { class: "fr-neutral", "aria-hidden": "true" }), input),
    h("span", { id: `${id}-help`, class: "fr-hidden", text: attribute.help }),
  );
  row.style.setProperty("--c", attribute.color);
  row.style.setProperty("--n", String(share(attribute, attribute.neutral)));
  let held = false;

  /** @param {number} strength */
  function show(strength) {
    const at = share(attribute, strength);
    const neutral = share(attribute, attribute.neutral);
    row.style.setProperty("--lo", String(Math.min(at, neutral)));
    row.style.setProperty("--hi", String(Math.max(at, neutral)));
    value.textContent = formatValue(attribute, strength);
    input.setAttribute("aria-valuetext", speakValue(attribute, strength));
    back.classList.toggle("fr-away", Math.abs(strength - attribute.neutral) > 1e-9);
    back.tabIndex = Math.abs(strength - attribute.neutral) > 1e-9 ? 0 : -1;
  }

  /** @param {"drag" | "commit"} phase */
  function moved(phase) {
    held = phase === "drag";
    show(input.valueAsNumber);
    onMove(attribute.name, input.valueAsNumber, phase);
  }

  function toNeutral() {
    input.valueAsNumber = attribute.neutral;
    moved("commit");
  }

  input.addEventListener("input", () => moved("drag"));
  input.addEventListener("change", () => moved("commit"));
  back.addEventListener("click", () => {
    toNeutral();
    input.focus();
  });
  input.addEventListener("pointercancel", () => {
    held = false;
  });
  input.addEventListener("dblclick", toNeutral);
  for (const event of ["focus", "mouseenter"]) input.addEventListener(event, () => onHelp(attribute.help));
  for (const event of ["blur", "mouseleave"]) input.addEventListener(event, () => onHelp(""));
  show(attribute.neutral);

  return {
    row,
    input,
    /** The kernel's value; the hand that holds the slider is not overruled. @param {number} strength */
    set(strength) {
      if (held) return;
      input.valueAsNumber = strength;
      show(strength);
    },
    /** @param {boolean} off */
    disable(off) {
      input.disabled = off;
      back.disabled = off;
    },
  };
}
