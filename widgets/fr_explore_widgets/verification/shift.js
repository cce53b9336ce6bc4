// One attribute moves one image of each person: its slider, and the false non-match rate along it.

import { axisLeft, below, createPlot, linear, linePath, percent, wilson } from "../shared/densities.js";
import { h, uid } from "../shared/dom.js";
import { s } from "../shared/svg.js";
import { formatValue, speakValue } from "../shared/words.js";
import { shiftSentence } from "./words.js";

/** @typedef {import("./types").Attribute} Attribute */
/** @typedef {import("./types").Rate} Rate */
/** @typedef {{attribute: Attribute | null, strength: number | null, threshold: number, steps: (Float32Array | null)[], people: number}} Scene */

const HEIGHT = 132;

/** Rejected pairs; the interval counts each person once. @param {Float32Array} values @param {number} threshold @param {number} people @returns {Rate} */
export function rejected(values, threshold, people) {
  const bad = values.length - below(values, threshold);
  const [low, high] = wilson(bad / values.length, Math.min(people, values.length));
  return { bad, among: values.length, share: bad / values.length, low, high };
}

/**
 * @param {AbortSignal} signal
 * @param {Attribute[]} attributes
 * @param {(attribute: string | null, strength: number | null, phase: "drag" | "commit") => void} onMove
 */
export function createShift(signal, attributes, onMove) {
  /** @type {Scene | null} */
  let scene = null;
  const select = h("select", { class: "fr-select", id: uid("attribute"), "data-control": "attribute" });
  select.append(h("option", { value: "", text: "none" }));
  for (const { name, label } of attributes) select.append(h("option", { value: name, text: label }));
  const id = uid("strength");
  const value = h("span", { class: "fr-value" });
  const label = h("label", { for: id, text: "strength" });
  const input = h("input", { type: "range", id, min: 0, max: 8, step: 1, "data-control": "strength" });
  const row = h(
    "div",
    { class: "fr-slider" },
    h("div", { class: "fr-slider-head" }, label, value),
    h("div", { class: "fr-track" }, h("i", { class: "fr-neutral", "aria-hidden": "true" }), input),
  );
  const words = h("p", { class: "fr-shift-words" });
  const plot = createPlot(signal, "fr-along", () => HEIGHT, draw);
  const root = h(
    "section",
    { class: "fr-shift", "aria-label": "Slide an attribute" },
    h(
      "div",
      { class: "fr-shift-side" },
      h("h3", { text: "What if an attribute changes?" }),
      h("p", {}, h("label", { for: select.id, text: "Attribute " }), select),
      row,
      words,
    ),
    plot.root,
  );
  const owner = () => attributes.find((a) => a.name === select.value) ?? null;
  select.addEventListener("change", () => onMove(owner()?.name ?? null, owner()?.neutral ?? null, "commit"));
  for (const [event, phase] of /** @type {["input" | "change", "drag" | "commit"][]} */ ([
    ["input", "drag"],
    ["change", "commit"],
  ])) {
    input.addEventListener(event, () => {
      const own = owner();
      if (own) onMove(own.name, own.grid[input.valueAsNumber], phase);
    });
  }

  /** @param {number} width */
  function draw(width) {
    if (!scene?.attribute || !scene.steps.length) return [];
    const { attribute, strength, steps, threshold, people } = scene;
    const f = { width, height: HEIGHT, left: 44, right: 14, top: 22, bottom: 24 };
    const { grid } = attribute;
    const x = linear(grid[0], grid[grid.length - 1], f.left, width - f.right);
    const known = grid.flatMap((at, k) => {
      const values = steps[k];
      return values ? [{ at, rate: rejected(values, threshold, people) }] : [];
    });
    const high = Math.max(...known.map((one) => one.rate.high), 0.05) > 0.5 ? 1 : 0.5;
    const y = linear(0, high, HEIGHT - f.bottom, f.top);
    return [
      axisLeft(f, y, [0, high / 2, high], (v) => `${100 * v} %`),
      s("text", { x: f.left, y: 12, class: "fr-word" }, "false non-match rate at this threshold"),
      ...[0, grid.indexOf(attribute.neutral), grid.length - 1].map((k, i) =>
        s(
          "text",
          { x: x(grid[k]), y: HEIGHT - 6, class: "fr-word", "text-anchor": ["start", "middle", "end"][i] },
          k && k < grid.length - 1 ? "neutral" : i === 1 ? "" : formatValue(attribute, grid[k]),
        ),
      ),
      ...known.map(({ at, rate }) =>
        s("line", {
          x1: x(at),
          x2: x(at),
          y1: y(Math.min(rate.high, high)),
          y2: y(rate.low),
          class: "fr-whisker",
        }),
      ),
      s("path", {
        d: linePath(
          known.map((k) => k.at),
          known.map((k) => k.rate.share),
          x,
          y,
        ),
        class: "fr-along-line",
      }),
      ...known.map(({ at, rate }) =>
        s("circle", {
          cx: x(at),
          cy: y(rate.share),
          r: at === strength ? 6 : 3.5,
          class: at === strength ? "fr-now" : "fr-then",
        }),
      ),
    ];
  }

  return {
    root,
    select,
    /** @param {string[]} names attributes that a page without a kernel cannot show */
    lack(names) {
      for (const option of select.options) option.disabled = names.includes(option.value);
    },
    /** @param {boolean} off */
    disable(off) {
      select.disabled = off;
      input.disabled = off || !scene?.attribute;
    },
    /** @param {Scene} next */
    show(next) {
      scene = next;
      const { attribute, strength, threshold, steps, people } = next;
      select.value = attribute?.name ?? "";
      row.hidden = plot.root.hidden = !attribute;
      words.hidden = false;
      words.textContent =
        "Choose one: it is set in one image of each person, and the genuine distances move.";
      if (!attribute || strength === null) return;
      const k = attribute.grid.indexOf(strength);
      const zero = attribute.grid.indexOf(attribute.neutral);
      const last = attribute.grid.length - 1;
      input.max = String(last);
      input.value = String(k);
      input.disabled = false;
      root.style.setProperty("--c", attribute.color);
      row.style.setProperty("--n", String(zero / last));
      row.style.setProperty("--lo", String(Math.min(k, zero) / last));
      row.style.setProperty("--hi", String(Math.max(k, zero) / last));
      label.textContent = attribute.label;
      value.textContent = formatValue(attribute, strength);
      const [now, before] = [steps[k], steps[zero]];
      input.setAttribute("aria-valuetext", speakValue(attribute, strength));
      words.textContent = "This strength is still being measured.";
      if (now && before) {
        const facts = {
          label: attribute.label,
          value: formatValue(attribute, strength),
          neutral: formatValue(attribute, attribute.neutral),
        };
        const rates = { now: rejected(now, threshold, people), before: rejected(before, threshold, people) };
        words.textContent = shiftSentence({ ...facts, ...rates, people, atNeutral: k === zero });
        plot.describe(`False non-match rate along ${attribute.label}: here ${percent(rates.now.share)}.`);
      }
      plot.redraw();
    },
  };
}
