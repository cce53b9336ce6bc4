// The energy in words, caveats, and related figures.

import { div, h, section, term } from "../shared/dom.js";
import { figure } from "../shared/plot.js";
import { caveats, GLOSSARY, percent, sentence } from "./words.js";

export function createKey() {
  const number = h("output", { class: "fr-figure" });
  const words = h("span");
  const warning = h("p", { class: "fr-warning fr-noted fr-different fr-hides" });
  const row = (/** @type {keyof typeof GLOSSARY} */ name) => {
    const value = h("span", { class: "fr-end" });
    return { value, line: h("p", { class: "fr-fact fr-row" }, term(name, GLOSSARY[name]), value) };
  };
  const rows = {
    coverage: row("coverage"),
    magnitude: row("magnitude"),
    null: row("random directions"),
  };
  const facts = div("fr-facts", ...Object.values(rows).map(({ line }) => line));
  const head = h("h3", {}, "Do neighbours move alike? ", term("energy", GLOSSARY.energy));
  const line = h("p", { class: "fr-sentence" }, number, words);
  const root = section("fr-key fr-stack", "Alignment energy", head, line, warning, facts);
  return {
    root,
    /** @param {import("./words").Facts} facts */
    show(facts) {
      const [start, rest] = sentence(facts);
      number.textContent = start;
      words.textContent = rest;
      warning.textContent = caveats(facts);
      rows.coverage.value.textContent = percent(facts.coverage);
      rows.magnitude.value.textContent = Number.isFinite(facts.magnitude)
        ? `${percent(facts.magnitude)} of the mean distance`
        : "\u2013";
      const { random } = facts;
      rows.null.value.textContent = random
        ? `${figure(random.mean)} \u00b1 ${figure(random.sd, 3)}`
        : "\u2013";
    },
    words: () => `${line.textContent} ${warning.textContent}`.trim(),
  };
}
