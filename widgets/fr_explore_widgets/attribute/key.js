// The key figure of one model: distance, meter, and the verdict in words.

import { div, h, term } from "../shared/dom.js";
import { GLOSSARY, meterEnd, verdict } from "../shared/words.js";

/** @typedef {import("../shared/types").Gallery} Gallery */
/** @typedef {import("./types").Card} Card */

/** What is compared, in words: by whether the two are known to be one person. @type {Map<boolean | null, string>} */
const SHOWN = new Map([
  [false, "Two different identities. "],
  [null, "Two pictures, and nobody said who is who. "],
]);

/** @param {Card} card @param {{heading: string}} options a question for the first model, the name of the second */
export function createKey(card, { heading }) {
  const { threshold, threshold_source: source } = card;
  const figure = h("span", { class: "fr-figure", text: "\u2013" });
  const limit = threshold === null ? "no threshold" : `of threshold ${threshold.toFixed(2)}`;
  const fill = div("fr-fill");
  const natural = h("div", { class: "fr-natural", hidden: true });
  const tick = h("div", { class: "fr-tick", hidden: threshold === null });
  const others = h("div", { class: "fr-others", hidden: true });
  const meter = h("div", {
    class: "fr-meter",
    role: "meter",
    "aria-label": `${card.title}: distance to the reference`,
  });
  meter.append(natural, fill, tick, others);
  const sentence = h("p", { class: "fr-sentence" });
  const marks = h("p", { class: "fr-legend" });
  const root = h(
    "section",
    {
      class: "fr-key fr-stack",
      "aria-label": `Distance to the reference, ${card.title}`,
      "data-model": card.name,
    },
    h("h3", { text: heading }),
    h(
      "p",
      { class: "fr-head" },
      figure,
      " ",
      term("distance", GLOSSARY.distance),
      " ",
      h("span", { class: "fr-sub" }, term(limit, `${GLOSSARY.threshold} Source: ${source}.`)),
    ),
    meter,
    sentence,
    marks,
  );

  let shown = "";
  /** @param {number | null} usual @param {number | null} between */
  function showMarks(usual, between) {
    const now = `${usual} ${between}`;
    if (now === shown) return; // keep an open explanation open
    shown = now;
    marks.replaceChildren();
    const key = (
      /** @type {string} */ kind,
      /** @type {"natural variation" | "other people"} */ word,
      /** @type {number} */ value,
    ) =>
      h("span", {}, h("i", { class: `fr-${kind}-sign` }), term(word, GLOSSARY[word]), ` ${value.toFixed(2)}`);
    if (usual !== null) marks.append(key("natural", "natural variation", usual));
    if (between !== null) marks.append(key("others", "other people", between));
  }

  return {
    root,
    /**
     * @param {{distance: number, gallery: Gallery, place: number, sameIdentity: boolean | null, rough?: boolean}} facts
     *   `rough`: of a drag, the exact figure follows
     */
    show({ distance, gallery, place, sameIdentity, rough = false }) {
      const usual = gallery.natural?.[place] ?? null;
      const end = meterEnd(threshold, gallery.between, distance);
      const { kind, text } = verdict({
        distance,
        threshold,
        natural: usual,
        sameIdentity,
        margin: card.margin,
      });
      const known = Number.isFinite(distance);
      figure.textContent = known
        ? `${rough ? "\u2248\u2009" : ""}${distance.toFixed(rough ? 2 : 3)}`
        : "\u2013";
      root.dataset.kind = kind;
      root.dataset.distance = String(distance);
      sentence.textContent = `${SHOWN.get(sameIdentity) ?? ""}${text}`;
      const set = (/** @type {HTMLElement} */ node, /** @type {number | null | undefined} */ value) => {
        node.hidden = value === null || value === undefined;
        node.style.setProperty("--at", String((value ?? 0) / end));
      };
      set(fill, known ? distance : 0);
      set(tick, threshold);
      set(natural, usual);
      set(others, gallery.between);
      showMarks(usual, gallery.between ?? null);
      meter.setAttribute("aria-valuemin", "0");
      meter.setAttribute("aria-valuemax", String(end));
      meter.setAttribute("aria-valuenow", String(known ? distance : 0));
      meter.setAttribute("aria-valuetext", known ? `${distance.toFixed(3)}. ${text}` : text);
      return sentence.textContent;
    },
  };
}
