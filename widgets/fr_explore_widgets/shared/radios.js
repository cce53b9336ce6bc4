// One of a few choices, each with a picture if it has one.

import { h, uid } from "./dom.js";

/** A radio group that looks like buttons. @param {string} label @param {{value: string, text: string, picture?: Node}[]} choices @param {(value: string) => void} choose */
export function createRadios(label, choices, choose) {
  const group = uid("choice");
  const root = h("fieldset", { class: "fr-chips fr-flow" }, h("legend", { class: "fr-hidden", text: label }));
  const inputs = choices.map(({ value, text, picture }) => {
    const input = h("input", { type: "radio", name: group, value, onchange: () => choose(value) });
    root.append(h("label", { class: "fr-chip" }, input, ...(picture ? [picture] : []), text));
    return input;
  });
  return {
    root,
    /** @param {string | null} value null for none of them */
    set(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}
