// For each attribute: a bar of magnitude (how far it moves the embedding) and a bar of energy, with the null.

import { button, div, h, section, term } from "../shared/dom.js";

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("./types").Energies} Energies */

const WORDS = {
  magnitude:
    "How far the embedding moves between one default step down and one up (median), as a share of the mean distance between faces of the same identity.",
  energy:
    "Alignment energy: do all embeddings move in the same direction? 0: all do, the model depends on the attribute. 1: no common direction.",
  null: "The energy of random directions at the same points: the value without any alignment.",
};

/** The data behind the bars, in words. @param {Energies} energies */
export function basis({ source, curves, identities, neighborhood, done, all }) {
  const sample = [
    curves ? `${curves} curves each` : "",
    identities ? `of ${identities} ${identities === 1 ? "identity" : "identities"}` : "",
  ]
    .filter(Boolean)
    .join(" ");
  if (source === "table")
    return `From the given table: ${[sample, neighborhood].filter(Boolean).join(", ")}.`;
  const more =
    done !== undefined && all !== undefined && done < all ? ` Refining: ${done} of ${all} faces.` : "";
  return `Quick estimate: ${sample}, all pairs; it may be off by a tenth or more.${more}`;
}

/** @param {Attribute[]} attributes @param {(action: string) => void} ask @param {boolean} [offline] in a page without a kernel */
export function createBars(attributes, ask, offline = false) {
  const byName = new Map(attributes.map((a) => [a.name, a]));
  const body = h("tbody");
  const head = h(
    "tr",
    {},
    h("td"),
    h("th", { scope: "col" }, term("magnitude", WORDS.magnitude)),
    h(
      "th",
      { scope: "col" },
      term("energy", WORDS.energy),
      " ",
      h("span", { class: "fr-null-word" }, term("null", WORDS.null)),
    ),
  );
  const table = h("table", { hidden: true }, h("thead", {}, head), body);
  const progress = h("progress", { max: 1, "aria-label": "Progress of the estimate", hidden: true });
  const note = h("p", { class: "fr-sub fr-bars-note" });
  const estimate = button("Estimate", "estimate", () => ask(estimate.dataset.action ?? "estimate"));
  const content = section("fr-bars fr-stack", "Magnitude and energy of each attribute");
  content.append(table, progress, note, estimate);
  const root = h(
    "details",
    { class: "fr-fold fr-depends" },
    h("summary", { text: "What does this model depend on?" }),
    content,
  );
  let wanted = false; // the estimate starts once the reader opens the fold
  root.addEventListener("toggle", () => {
    if (!root.open || wanted || estimate.hidden) return;
    wanted = true;
    ask("estimate");
  });

  /** @param {number | null} value @param {number} end @param {string} color @param {number | null} [dashed] */
  function cell(value, end, color, dashed = null) {
    const bar = h("i");
    bar.style.setProperty("--to", String(Math.min((value ?? 0) / end, 1)));
    bar.style.setProperty("--c", color);
    const line = h("i", { class: "fr-null", hidden: dashed === null });
    line.style.setProperty("--to", String((dashed ?? 0) / end));
    return h(
      "td",
      {},
      div("fr-cell", bar, line),
      h("span", { text: value === null ? "\u2013" : value.toFixed(2) }),
    );
  }

  return {
    root,
    /** @param {Energies} energies @param {string} moved the attribute that moved last, highlighted */
    show(energies, moved) {
      const { rows = [], done = 0, all = 0, failed, stoppable = false } = energies;
      const waits = Boolean(all) && done < all && !offline;
      table.hidden = !rows.length;
      progress.hidden = !waits;
      progress.value = all ? done / all : 0;
      const stops = waits && stoppable;
      estimate.textContent = stops ? "Stop" : "Estimate";
      estimate.dataset.action = stops ? "stop" : "estimate";
      estimate.hidden = !stops && (rows.length > 0 || waits || offline);
      note.textContent = failed
        ? `No estimate: ${failed}`
        : rows.length
          ? basis(energies)
          : waits
            ? `Estimating: ${done} of ${all} faces.`
            : offline
              ? "This page was written without an estimate. Run w.estimate() in the notebook, then w.to_html()."
              : "A quick estimate renders a few hundred faces.";
      const magnitudes = Math.max(...rows.map((r) => r.magnitude ?? 0), 0.01);
      const energy = Math.max(1.15, ...rows.map((r) => r.energy ?? 0));
      body.replaceChildren(
        ...rows.flatMap((row) => {
          const attribute = byName.get(row.name);
          if (!attribute) return [];
          return [
            h(
              "tr",
              { "data-attribute": row.name, class: row.name === moved ? "fr-moved" : undefined },
              h("th", { scope: "row", text: attribute.label }),
              cell(row.magnitude, magnitudes, attribute.color),
              cell(row.energy, energy, attribute.color, row.null),
            ),
          ];
        }),
      );
    },
    /** @param {boolean} off */
    disable(off) {
      estimate.disabled = off;
    },
  };
}
