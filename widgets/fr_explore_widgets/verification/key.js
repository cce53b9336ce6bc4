// The figures at the threshold: both error rates with counts and intervals, the equal error rate, and named thresholds.

import { button, div, h, section, term } from "../shared/dom.js";
import { percent } from "../shared/plot.js";
import { count } from "./counting.js";
import { interval, intervalSource, sentence, TERMS } from "./words.js";

/** @typedef {import("./types").Rate} Rate */
/** @typedef {import("./types").Setup} Setup */

/** @param {(threshold: number) => void} choose */
export function createKey(choose) {
  const rows = /** @type {const} */ ([
    ["far", "false match rate", TERMS.fmr, "impostor pairs accepted"],
    ["frr", "false non-match rate", TERMS.fnmr, "genuine pairs rejected"],
  ]).map(([rate, name, meaning, what]) => {
    const share = h("b", { class: "fr-figure" });
    const counts = h("p", { class: "fr-sub" });
    const range = h("span", { class: "fr-sub fr-range" });
    const kind = rate === "far" ? "impostor" : "genuine";
    const root = div(
      `fr-rate fr-noted fr-${kind}`,
      h("p", {}, term(name, meaning)),
      h("p", {}, share, " ", range),
      counts,
    );
    return { rate, root, share, counts, range, what };
  });
  const words = h("p", { class: "fr-sentence" });
  const eer = h("p");
  const marks = h("div", { class: "fr-actions", role: "group", "aria-label": "Go to a named threshold" });
  const note = h("p", { class: "fr-sub" });
  const root = section(
    "fr-key fr-stack",
    "Error rates",
    words,
    div("fr-rates", ...rows.map((row) => row.root)),
    eer,
    marks,
    note,
  );

  return {
    root,
    words: () => words.textContent ?? "",
    /** @param {Setup} setup */
    describe(setup) {
      const { rate, at, low, high } = setup.eer;
      const range =
        low === undefined || high === undefined
          ? ""
          : ` (${interval({ bad: 0, among: 0, share: rate, low, high })})`;
      eer.replaceChildren(
        term("equal error rate", TERMS.eer),
        ` ${percent(rate)}${range} at ${at.toFixed(3)}`,
      );
      marks.replaceChildren(
        ...[...setup.marks].reverse().map((mark) => {
          const spread =
            mark.low === undefined ? "" : ` (${mark.low.toFixed(2)} to ${mark.high?.toFixed(2)})`;
          const text = `${mark.name} ${mark.at.toFixed(3)}${spread}`;
          const node = button(text, mark.name, () => choose(mark.at));
          node.title = TERMS[mark.name];
          return node;
        }),
      );
      note.replaceChildren(intervalSource(setup));
    },
    /** @param {number} threshold @param {{far: Rate, frr: Rate}} rates */
    show(threshold, rates) {
      words.textContent = sentence(threshold, rates);
      for (const row of rows) {
        const rate = rates[row.rate];
        row.share.textContent = percent(rate.share);
        row.range.textContent = `(${interval(rate)})`;
        row.counts.textContent = `${count(rate.bad)} of ${count(rate.among)} ${row.what}`;
      }
      for (const node of marks.children) {
        const on = node.textContent?.includes(threshold.toFixed(3));
        node.setAttribute("aria-pressed", String(on));
      }
    },
  };
}
