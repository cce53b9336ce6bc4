// The choice of a model and of a second one to compare, with licence and weaknesses behind a fold.

import { createSelect, h } from "../shared/dom.js";

/** @typedef {import("./types").Card} Card */

/** One line about a model. @param {Card} card */
export function brief({ dim, metric, threshold }) {
  const limit = threshold === null ? "no threshold" : `threshold ${threshold}`;
  return `${dim} dimensions, ${metric}, ${limit}`;
}

/** @param {Card} card */
function facts(card) {
  const list = h("dl", { class: "fr-facts" });
  const rows = [
    ["Model", `${card.title}: ${brief(card)}`],
    ["Licence", card.licence],
    ["Trained on", card.trained_on],
    ["Accuracy", card.accuracy],
    ["Weaknesses", card.weaknesses.join("; ") || "none known"],
  ];
  for (const [name, value] of rows) list.append(h("dt", { text: name }), h("dd", { text: value }));
  return list;
}

/**
 * @param {Card[]} cards
 * @param {(model: string, compare: string | null) => void} choose
 */
export function createModels(cards, choose) {
  const summary = h("summary", { text: "Licence and weaknesses" });
  const details = h("details", { class: "fr-about fr-fold" }, summary);
  const { select: beside, label: besideLabel } = createSelect("compare with", [], (name) =>
    choose(shown, name || null),
  );
  const { select: first, label } = createSelect(
    "Model",
    cards.map((card) => [card.name, card.name]),
    (name) => choose(name, beside.value === name ? null : beside.value || null),
  );
  first.dataset.action = "model";
  beside.dataset.action = "compare";
  const choice =
    cards.length > 1
      ? h(
          "p",
          { class: "fr-flow" },
          h("span", { class: "fr-choice" }, label, first),
          h("span", { class: "fr-choice" }, besideLabel, beside),
        )
      : h(
          "p",
          {},
          h("b", { text: cards[0].title }),
          " ",
          h("span", { class: "fr-sub", text: brief(cards[0]) }),
        );
  const root = h("fieldset", { class: "fr-models" }, h("legend", { class: "fr-hidden", text: "Model" }));
  root.append(choice, details);
  let shown = "";

  return {
    root,
    /** @param {string} model @param {string | null} compare */
    set(model, compare) {
      if (model !== shown) {
        const card = cards.find((one) => one.name === model) ?? cards[0];
        details.replaceChildren(summary, facts(card));
        first.value = model;
        const others = cards.filter((one) => one.name !== model);
        beside.replaceChildren(
          h("option", { value: "", text: "none" }),
          ...others.map((one) => h("option", { value: one.name, text: one.name })),
        );
      }
      shown = model;
      beside.value = compare ?? "";
    },
    /** @param {boolean} off */
    disable(off) {
      root.disabled = off;
    },
  };
}
