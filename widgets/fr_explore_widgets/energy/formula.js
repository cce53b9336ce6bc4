// The formula with the numbers of one neighbourhood, all at once or one neighbour at a time.

import { button, div, h, section } from "../shared/dom.js";
import { figure } from "../shared/plot.js";
import { s } from "../shared/svg.js";
import { angle } from "./words.js";

/** @typedef {import("./types").Scene} Scene */
/** @typedef {{j: number, w: number, cos: number}} Term */

/**
 * The terms of E_i, nearest neighbour first, and their sum so far.
 * @param {Scene} scene
 * @param {number} i
 * @param {number | null} step how many terms to take, all by default
 */
export function partial({ graph, cos }, i, step) {
  const all = graph.neighbors[i].map((j) => ({ j, w: graph.weights[i][j], cos: cos[i][j] }));
  const taken = all.slice(0, step ?? all.length);
  const weight = taken.reduce((sum, t) => sum + t.w, 0);
  const sum = taken.reduce((total, t) => total + t.w * (1 - t.cos), 0);
  return { all, taken, weight, sum, mean: taken.length ? sum / weight : Number.NaN };
}

/** Two unit arrows from one point at their true angle, whatever the dimension. */
function createPair() {
  const other = s("path", { d: "M0 0H30M23 -4L30 0L23 4", class: "fr-pen" });
  const arc = s("path", { class: "fr-pen fr-soft" });
  const own = s("path", { d: "M0 0H30M23 -4L30 0L23 4", class: "fr-pen fr-pair-own" });
  const frame = { viewBox: "-34 -34 68 40", class: "fr-pair-picture", "aria-hidden": "true" };
  const root = s("svg", frame, arc, other, own);
  return {
    root,
    /** @param {number | null} cos */
    show(cos) {
      root.style.display = cos === null ? "none" : "";
      const a = Math.acos(Math.min(1, Math.max(-1, cos ?? 1)));
      other.setAttribute("transform", `rotate(${(-a * 180) / Math.PI})`);
      arc.setAttribute("d", `M14 0A14 14 0 0 0 ${14 * Math.cos(a)} ${-14 * Math.sin(a)}`);
    },
  };
}

/** "E" or "u" with its index. @param {string} tag @param {string} letter @param {string | number} index */
function symbol(tag, letter, index) {
  return [h(/** @type {"i" | "b"} */ (tag), { text: letter }), h("sub", { text: index })];
}

/** @param {{onStep: (step: number | null) => void}} actions */
export function createFormula({ onStep }) {
  const rule = h("p");
  const pair = createPair();
  const current = h("p", { class: "fr-current" });
  const terms = h("span", { class: "fr-terms fr-flow" });
  const result = h("p", { class: "fr-result" });
  const next = button("", "step", () => onStep(step === null || step >= count ? 1 : step + 1));
  const whole = button("Whole sum", "whole", () => onStep(null));
  const root = section(
    "fr-formula fr-stack fr-ruled",
    "The formula with live numbers",
    h("h3", { text: "One neighbourhood, number by number" }),
    rule,
    div("fr-now fr-row", pair.root, current),
    h("p", { class: "fr-sum" }, terms),
    result,
    div("fr-actions", next, whole),
  );
  /** @type {number | null} */
  let step = null;
  let count = 0;

  /** @param {Scene} scene @param {number} i @param {number | null} at */
  function show(scene, i, at) {
    const { all, taken, weight, sum, mean } = partial(scene, i, at);
    step = at;
    count = all.length;
    const weighted = scene.settings.rule === "all_weighted";
    rule.replaceChildren(
      ...symbol("i", "E", "i"),
      weighted ? " = sum over j of w (1 \u2212 " : " = mean over its neighbours j of (1 \u2212 ",
      ...symbol("b", "u", "i"),
      "\u00b7",
      ...symbol("b", "u", "j"),
      weighted
        ? "), over the sum of w, with w = 1/distance"
        : "), which is 1 \u2212 cos of the angle between them",
    );
    const last = at === null ? null : (taken[taken.length - 1] ?? null);
    pair.show(last ? last.cos : null);
    current.textContent = stepWords(scene, i, last, at, count);
    const factor = weighted ? figure(weight) : Math.max(taken.length, 1);
    terms.replaceChildren(`(1 / ${factor}) (`, ...summands(all, taken.length, at !== null), ")");
    const end = at !== null && at < count ? " so far" : "";
    const ratio = ` = ${figure(sum)} / ${figure(weight, weighted ? 2 : 0)} = `;
    const rest = `${end}; the mean over all arrows is E = ${figure(scene.energy)}`;
    result.replaceChildren(
      ...symbol("i", "E", i + 1),
      ...(count
        ? [ratio, h("strong", { text: figure(mean) }), rest]
        : [" is not defined: this arrow has no neighbour and is excluded from E."]),
    );
    terms.hidden = !count;
    next.disabled = !count;
    next.textContent = at === null ? "Step through" : at < count ? "Next neighbour" : "From the start";
    whole.disabled = at === null;
  }
  return { root, show, words: () => current.textContent ?? "" };
}

/** @param {Scene} scene @param {number} i @param {Term | null} last @param {number | null} at @param {number} count */
function stepWords(scene, i, last, at, count) {
  if (!last)
    return `Arrow i = ${i + 1} and ${count === 1 ? "its only neighbour" : `its ${count} neighbours`}, nearest first:`;
  const itself = last.j === i ? " (the arrow itself)" : "";
  const weight = scene.settings.rule === "all_weighted" ? `, weight ${figure(last.w)}` : "";
  const inner = last.cos < 0 ? `(${figure(last.cos)})` : figure(last.cos);
  return `Neighbour ${at} of ${count}, j = ${last.j + 1}${itself}: angle ${angle(last.cos)}\u00b0${weight}, 1 \u2212 ${inner} = ${figure(1 - last.cos)}`;
}

/** @param {Term[]} all @param {number} taken @param {boolean} stepping */
function summands(all, taken, stepping) {
  return all.map((t, k) =>
    h("span", {
      class: k >= taken ? "fr-later" : stepping && k === taken - 1 ? "fr-term-now" : "",
      text: `${k ? "+ " : ""}${k < taken ? figure(t.w * (1 - t.cos)) : "\u00b7"}`,
    }),
  );
}
