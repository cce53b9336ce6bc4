// The choice of a model and of a second one to compare, with licence and weaknesses.

import { createSelect, h, uid } from "../shared/dom.js";

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
  const group = uid("model");
  const single = cards.length === 1;
  const details = h(
    "details",
    { class: "fr-about" },
    h("summary", { class: "fr-sub", text: "Licence and weaknesses" }),
  );
  const { select: beside, label } = createSelect("Compare with", [], (name) => choose(shown, name || null));
  beside.dataset.action = "compare";
  const radios = cards.map((card) => {
    const onchange = () => choose(card.name, beside.value === card.name ? null : beside.value || null);
    const input = h("input", { type: "radio", name: group, value: card.name, onchange });
    const text = h("span", {}, card.title, h("span", { class: "fr-sub", text: brief(card) }));
    return {
      input,
      node: h(single ? "p" : "label", { class: "fr-model fr-row" }, ...(single ? [] : [input]), text),
    };
  });
  const root = h(
    "fieldset",
    { class: "fr-models fr-stack" },
    h("legend", { text: "Model" }),
    ...radios.map((r) => r.node),
  );
  if (!single) root.append(h("p", { class: "fr-beside fr-flow" }, label, beside));
  root.append(details);
  let shown = "";

  return {
    root,
    /** @param {string} model @param {string | null} compare */
    set(model, compare) {
      if (model !== shown) {
        const card = cards.find((one) => one.name === model) ?? cards[0];
        details.replaceChildren(details.children[0], facts(card));
        for (const { input } of radios) input.checked = input.value === model;
        const others = cards.filter((one) => one.name !== model);
        beside.replaceChildren(
          h("option", { value: "", text: "no second model" }),
          ...others.map((one) => h("option", { value: one.name, text: one.title })),
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
