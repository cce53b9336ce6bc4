// An attribute in one image of each person: its slider, and the false non-match rate at each strength.

import { axisLeft, below, createPlot, linear, linePath, percent, wilson } from "../shared/densities.js";
import { createSelect, h, uid } from "../shared/dom.js";
import { circle, line, s, text } from "../shared/svg.js";
import { formatValue, speakValue } from "../shared/words.js";
import { shiftSentence } from "./words.js";

/** @typedef {import("./types").Attribute} Attribute */
/** @typedef {import("./types").Rate} Rate */
/** @typedef {{attribute: Attribute | null, strength: number | null, threshold: number, steps: (Float64Array | null)[], people: number}} Scene */

const HEIGHT = 132;

/** The share of rejected pairs; its interval has one observation per person. @param {Float64Array} values @param {number} threshold @param {number} people @returns {Rate} */
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
  const names = attributes.map(({ name, label }) => /** @type {[string, string]} */ ([name, label]));
  const { select, label: selectLabel } = createSelect("Attribute ", [["", "none"], ...names], () =>
    onMove(owner()?.name ?? null, owner()?.neutral ?? null, "commit"),
  );
  select.dataset.control = "attribute";
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
    { class: "fr-shift fr-stack fr-ruled", "aria-label": "Change an attribute" },
    h(
      "div",
      { class: "fr-stack" },
      h("h3", { text: "What if an attribute changes?" }),
      h("p", {}, selectLabel, select),
      row,
      words,
    ),
    plot.root,
  );
  const owner = () => attributes.find((a) => a.name === select.value) ?? null;
  const move = (/** @type {"drag" | "commit"} */ phase) => {
    const own = owner();
    if (own) onMove(own.name, own.grid[input.valueAsNumber], phase);
  };
  input.addEventListener("input", () => move("drag"));
  input.addEventListener("change", () => move("commit"));

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
    const [strengths, shares] = [known.map((one) => one.at), known.map((one) => one.rate.share)];
    const inside = attribute.neutral > grid[0] && attribute.neutral < grid[grid.length - 1];
    return [
      axisLeft(f, y, [0, high / 2, high], (v) => `${100 * v} %`),
      text(f.left, 12, "false non-match rate at this threshold"),
      text(x(grid[0]), HEIGHT - 6, formatValue(attribute, grid[0])),
      text(x(grid[grid.length - 1]), HEIGHT - 6, formatValue(attribute, grid[grid.length - 1]), "end"),
      text(x(attribute.neutral), HEIGHT - 6, inside ? "neutral" : "", "middle"),
      ...known.map(({ at, rate }) =>
        line([x(at), y(Math.min(rate.high, high))], [x(at), y(rate.low)], "fr-pen fr-soft fr-whisker"),
      ),
      s("path", { d: linePath(strengths, shares, x, y), class: "fr-pen" }),
      ...known.map(({ at, rate }) =>
        circle(x(at), y(rate.share), at === strength ? 6 : 4, at === strength ? "fr-knob fr-now" : "fr-knob"),
      ),
    ];
  }

  return {
    root,
    words: () => words.textContent ?? "",
    /** @param {string[]} names attributes that cannot be computed without a kernel */
    disable(names) {
      for (const option of select.options) option.disabled = names.includes(option.value);
    },
    /** @param {Scene} next */
    show(next) {
      scene = next;
      const { attribute, strength, threshold, steps, people } = next;
      select.value = attribute?.name ?? "";
      row.hidden = plot.root.hidden = !attribute;
      words.textContent =
        "Choose an attribute to change it in one image of each person, and with it the genuine distances.";
      if (!attribute || strength === null) return;
      const k = attribute.grid.indexOf(strength);
      const zero = attribute.grid.indexOf(attribute.neutral);
      const last = attribute.grid.length - 1;
      input.max = String(last);
      input.value = String(k);
      root.style.setProperty("--c", attribute.color);
      row.style.setProperty("--n", String(zero / last));
      row.style.setProperty("--lo", String(Math.min(k, zero) / last));
      row.style.setProperty("--hi", String(Math.max(k, zero) / last));
      label.textContent = attribute.label;
      value.textContent = formatValue(attribute, strength);
      const [now, before] = [steps[k], steps[zero]];
      input.setAttribute("aria-valuetext", speakValue(attribute, strength));
      words.textContent = "This strength is still being computed.";
      if (now && before) {
        const rates = { now: rejected(now, threshold, people), before: rejected(before, threshold, people) };
        const neutral = formatValue(attribute, attribute.neutral);
        const facts = { label: attribute.label, value: formatValue(attribute, strength), neutral, people };
        words.textContent = shiftSentence({ ...facts, ...rates, atNeutral: k === zero });
        plot.describe(`False non-match rate along ${attribute.label}: here ${percent(rates.now.share)}.`);
      }
      plot.redraw();
    },
  };
}
