// The slider of an attribute: filled from its neutral mark, with a button back to it.

import { h } from "../shared/dom.js";
import { createSlider, share } from "../shared/slider.js";
import { formatValue, sliderStep, speakValue } from "../shared/words.js";

/** @typedef {import("../shared/types").Attribute} Attribute */

/**
 * Its help is shown elsewhere, on focus and hover.
 * @param {Attribute} attribute
 * @param {{onMove: import("../shared/slider").OnMove, onHelp: (text: string) => void}} actions
 */
export function createAttributeSlider(attribute, { onMove, onHelp }) {
  const { neutral, label, help } = attribute;
  const back = h("button", {
    type: "button",
    class: "fr-back fr-bare",
    tabindex: -1,
    title: `Reset to neutral: ${formatValue(attribute, neutral)}`,
    "aria-label": `Reset ${label} to ${speakValue(attribute, neutral)}`,
    text: "\u21ba",
  });
  /** @param {number} x */
  const offer = (x) => {
    const away = Math.abs(x - neutral) > 1e-9;
    if (back.classList.contains("fr-away") === away) return;
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
