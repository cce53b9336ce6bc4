// The energy on its scale from 0 to 2, beside the closed form and the null, and in words.

import { div, h, section, term } from "../shared/dom.js";
import { figure } from "../shared/plot.js";
import { allPairs } from "./math.js";
import { MAX_DIM, MAX_K, MAX_RADIUS, spelled } from "./state.js";
import { covered, GLOSSARY, sentence } from "./words.js";

/** @typedef {import("./types").Scene} Scene */
/** @typedef {import("./types").Settings} Settings */
/** @typedef {import("./types").Spec} Spec */

/** Specifications of the sliders. @type {Record<"order" | "radius" | "k" | "dim", Spec>} */
export const SLIDERS = {
  order: {
    name: "order",
    label: "Order",
    low: 0,
    high: 1,
    step: 0.01,
    ends: ["0, hot", "1, frozen"],
    help: "How strong the pattern is beside the noise: 0 is noise alone, 1 is the pattern alone.",
    show: (q) => `${q.toFixed(2)}, ${orderWords(q, "\u00d7")}`,
    speak: (q) => `${q.toFixed(2)}, ${orderWords(q, "times the")}`,
  },
  radius: {
    name: "radius",
    label: "Radius",
    low: 0,
    high: MAX_RADIUS,
    step: 0.02,
    help: "Neighbours are all arrows within this distance, in units of the mean distance between two arrows.",
    show: (r) => `${r.toFixed(2)} \u00d7 mean distance`,
    speak: (r) => `${r.toFixed(2)} times the mean distance`,
  },
  k: {
    name: "k",
    label: "k",
    low: 1,
    high: MAX_K,
    step: 1,
    help: "Neighbours are the k nearest arrows.",
    show: (k) => `${k} nearest`,
    speak: (k) => `${k} nearest`,
  },
  dim: {
    name: "dim",
    label: "Dimensions",
    low: 2,
    high: MAX_DIM,
    step: 1,
    help: "Dimensions of the space of the arrows. A face embedding has 128 or 512.",
    show: (d) => `${d}`,
    speak: (d) => `${d} dimensions`,
  },
};

/** The pattern's strength relative to the noise. @param {number} q @param {string} times */
function orderWords(q, times) {
  if (q === 0) return "only noise";
  if (q === 1) return "no noise";
  const ratio = q / (1 - q);
  return `pattern ${ratio.toFixed(ratio < 0.995 ? 2 : ratio < 9.95 ? 1 : 0)} ${times} noise`;
}

/** The energy, its meter, its sentence and related figures. */
export function createKey() {
  const number = h("output", { class: "fr-figure" });
  const fill = div("fr-fill");
  const random = div("fr-tick fr-dashed");
  const band = div("fr-band");
  const closed = div("fr-closed-mark");
  const scale = { role: "meter", "aria-label": "energy", "aria-valuemin": 0, "aria-valuemax": 2 };
  const meter = h("div", { class: "fr-meter", ...scale }, band, fill, random, closed);
  const ends = h(
    "div",
    { class: "fr-ends fr-sub", "aria-hidden": "true" },
    h("span", { text: "0 aligned" }),
    h("span", { text: "1 no order" }),
    h("span", { text: "2 opposed" }),
  );
  const words = h("p", { class: "fr-sentence" });
  const row = (/** @type {keyof typeof GLOSSARY} */ name, /** @type {string} */ kind) => {
    const value = h("span", { class: "fr-fact fr-end" });
    const line = h("p", { class: `fr-row ${kind}` }, h("i"), term(name, GLOSSARY[name]), value);
    return { line, value };
  };
  const rows = {
    closed: row("closed form", "fr-row-closed"),
    random: row("random arrows", "fr-row-random"),
    coverage: row("coverage", ""),
    mean: row("mean arrow", ""),
  };
  const exact = h("p", { class: "fr-sub fr-exact" });
  const call = h("code", { class: "fr-call" });
  const root = section(
    "fr-key fr-stack",
    "Alignment energy",
    h("h3", { text: "How aligned are neighbours?" }),
    h("p", { class: "fr-head" }, number, " ", term("energy", GLOSSARY.energy)),
    meter,
    ends,
    words,
    div("fr-rows", ...Object.values(rows).map(({ line }) => line), exact),
    h("p", { class: "fr-sub" }, "In the library: ", call),
  );

  /** @param {Scene} scene */
  function show(scene) {
    const { energy, random: null_, settings, magnetisation: m } = scene;
    const known = !Number.isNaN(energy);
    number.textContent = figure(energy);
    root.dataset.energy = String(energy);
    const place = (/** @type {HTMLElement} */ node, /** @type {number} */ value) => {
      node.hidden = Number.isNaN(value);
      node.style.setProperty("--at", String(Math.min(Math.max(value, 0), 2) / 2));
    };
    place(fill, energy);
    place(random, null_.mean);
    place(band, null_.mean);
    place(closed, scene.expected);
    band.style.setProperty("--half", String(Math.min(2 * (null_.sd || 0), 1) / 2));
    words.textContent = sentence(scene);
    meter.setAttribute("aria-valuenow", String(known ? energy : 0));
    meter.setAttribute("aria-valuetext", words.textContent);
    rows.closed.value.textContent = figure(scene.expected);
    rows.random.value.textContent = known ? `${figure(null_.mean)} \u00b1 ${figure(null_.sd)}` : "\u2013";
    rows.coverage.value.textContent = covered(scene);
    rows.mean.value.textContent = figure(m);
    exact.textContent = fromMeanArrow(scene);
    exact.hidden = !exact.textContent;
    call.textContent = `fr.alignment_energy(points, directions, "${spelled(settings)}")`;
  }
  return { root, show, words: () => words.textContent ?? "" };
}

/** With all pairs, the mean arrow gives E without a sum over pairs. @param {Scene} scene */
function fromMeanArrow({ settings, magnetisation: m, points }) {
  const n = points.length;
  if (settings.rule !== "all") return "";
  const factor = settings.include_self ? "" : `${n}/${n - 1} \u00b7 `;
  return `Exactly, from the mean arrow: ${factor}(1 \u2212 ${figure(m)}\u00b2) = ${figure(allPairs(m, n, settings.include_self))}`;
}
