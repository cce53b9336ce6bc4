// The verdict of one model in one line: words, distance, meter, and what the distance compares with.

import { div, h, setText, term } from "../shared/dom.js";
import { GLOSSARY, meterEnd, timesNatural, verdict } from "../shared/words.js";

/** @typedef {import("../shared/types").Gallery} Gallery */
/** @typedef {import("./types").Card} Card */

/** What is compared, in words: by whether the two are known to be one person. @type {Map<boolean | null, string>} */
const SHOWN = new Map([
  [false, "Two different identities. "],
  [null, "Two pictures, and nobody said who is who. "],
]);

/** @param {"natural" | "others"} kind @param {"natural variation" | "other people"} word */
function createMark(kind, word) {
  const before = h("span", { class: "fr-before" });
  const after = h("span");
  const parts = [h("i", { class: `fr-${kind}-sign` }), before, term(word, GLOSSARY[word]), after];
  const root = h("span", { class: "fr-mark", hidden: true }, ...parts);
  return { root, before, after };
}

/** @param {Card} card @param {{name?: string}} [options] `name` of the model, if several are shown */
export function createKey(card, { name = "" } = {}) {
  const { threshold, threshold_source: source } = card;
  const figure = h("span", { class: "fr-figure", text: "\u2013" });
  const limit = threshold === null ? "no threshold" : `of ${threshold.toFixed(2)}`;
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
  const sentence = h("p", { class: "fr-sentence fr-one-line" });
  const variation = createMark("natural", "natural variation");
  const people = createMark("others", "other people");
  const head = h(
    "p",
    { class: "fr-head" },
    figure,
    h(
      "span",
      { class: "fr-sub" },
      term(limit, `${GLOSSARY.distance} ${GLOSSARY.threshold} Source: ${source}.`),
    ),
  );
  const root = h(
    "section",
    {
      class: "fr-key",
      "aria-label": `Distance to the reference, ${card.title}`,
      "data-model": card.name,
    },
    ...(name ? [h("h3", { class: "fr-one-line", text: name })] : []),
    sentence,
    head,
    meter,
    h("p", { class: "fr-legend" }, variation.root, people.root),
  );

  return {
    root,
    /**
     * Returns the verdict in sentences, for a screen reader.
     * @param {{distance: number, gallery: Gallery, place: number, sameIdentity: boolean | null, rough?: boolean}} facts
     *   `rough`: of a drag, the exact figure follows
     */
    show({ distance, gallery, place, sameIdentity, rough = false }) {
      const usual = gallery.natural?.[place] ?? null;
      const end = meterEnd(threshold, gallery.between, distance);
      const { kind, headline, text } = verdict({
        distance,
        threshold,
        natural: usual,
        sameIdentity,
        margin: card.margin,
      });
      const known = Number.isFinite(distance);
      setText(figure, known ? `${rough ? "~\u2009" : ""}${distance.toFixed(rough ? 2 : 3)}` : "\u2013");
      root.dataset.kind = kind;
      root.dataset.distance = String(distance);
      setText(sentence, headline);
      sentence.title = `${SHOWN.get(sameIdentity) ?? ""}${text}`;
      const set = (/** @type {HTMLElement} */ node, /** @type {number | null | undefined} */ value) => {
        const hide = value === null || value === undefined;
        if (node.hidden !== hide) node.hidden = hide;
        node.style.setProperty("--at", String(Math.min((value ?? 0) / end, 1)));
      };
      set(fill, known ? distance : 0);
      set(tick, threshold);
      set(natural, usual);
      set(others, gallery.between);
      variation.root.hidden = usual === null;
      if (usual !== null) {
        const times = sameIdentity && known ? timesNatural(distance / usual) : "";
        setText(variation.before, times);
        setText(variation.after, times ? "" : ` ${usual.toFixed(2)}`);
      }
      people.root.hidden = !gallery.between;
      setText(people.after, ` ${gallery.between?.toFixed(2)}`);
      meter.setAttribute("aria-valuemin", "0");
      meter.setAttribute("aria-valuemax", String(end));
      meter.setAttribute("aria-valuenow", String(known ? distance : 0));
      meter.setAttribute("aria-valuetext", known ? `${distance.toFixed(3)}. ${text}` : text);
      return sentence.title;
    },
  };
}
