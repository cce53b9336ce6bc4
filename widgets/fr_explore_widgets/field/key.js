// The key figure: E, its sentence, what must be said beside it, and its companions.

import { h, term } from "../shared/dom.js";
import { caveats, figure, GLOSSARY, percent, sentence } from "./words.js";

export function createKey() {
  const number = h("output", { class: "fr-figure" });
  const words = h("span");
  const care = h("p", { class: "fr-care" });
  const row = (/** @type {keyof typeof GLOSSARY} */ name) => {
    const value = h("b");
    return { value, line: h("p", { class: "fr-fact" }, term(name, GLOSSARY[name]), value) };
  };
  const rows = {
    coverage: row("coverage"),
    magnitude: row("magnitude"),
    none: row("random directions"),
  };
  const facts = h("div", { class: "fr-facts" }, ...Object.values(rows).map(({ line }) => line));
  const head = h("h3", {}, "Do neighbours move alike? ", term("energy", GLOSSARY.energy));
  const line = h("p", { class: "fr-sentence" }, number, words);
  const root = h("section", { class: "fr-key", "aria-label": "Alignment energy" }, head, line, care, facts);
  return {
    root,
    /** @param {import("./words").Facts} facts */
    show(facts) {
      const [start, rest] = sentence(facts);
      number.textContent = start;
      words.textContent = rest;
      care.textContent = caveats(facts);
      rows.coverage.value.textContent = percent(facts.coverage);
      rows.magnitude.value.textContent = Number.isFinite(facts.magnitude)
        ? `${percent(facts.magnitude)} of the mean distance`
        : "\u2013";
      const { none } = facts;
      rows.none.value.textContent = none ? `${figure(none.mean)} \u00b1 ${figure(none.sd, 3)}` : "\u2013";
    },
    words: () => `${line.textContent} ${care.textContent}`.trim(),
  };
}
