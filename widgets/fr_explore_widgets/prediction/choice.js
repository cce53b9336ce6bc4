// The guess of one option among some; after the reveal, the true one is marked.

import { div, h } from "../shared/dom.js";
import { createRadios } from "../shared/radios.js";

/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").Input} Input */

/** @param {Setup} setup @param {() => void} changed @returns {Input} */
export function createChoice({ options, labels, colors, question }, changed) {
  /** @type {string | null} */
  let chosen = null;
  const choices = options.map((value, i) => {
    const picture = h("i", { class: "fr-swatch", "aria-hidden": "true" });
    picture.style.setProperty("--c", colors[i] || "var(--fr-soft)");
    return { value, text: labels[i], ...(colors[i] ? { picture } : {}) };
  });
  const radios = createRadios(question, choices, (value) => {
    chosen = value;
    changed();
  });
  const says = h("p", { class: "fr-key-text" });
  return {
    root: div("fr-choice fr-stack", radios.root, says),
    value: () => chosen,
    set(guess) {
      chosen = guess;
      radios.set(guess);
    },
    lock(locked) {
      radios.root.disabled = locked;
    },
    reveal(_guess, truth) {
      says.hidden = truth === null;
      if (truth !== null) says.textContent = `It is ${labels[options.indexOf(truth)]}.`;
    },
  };
}
