// An attribute in one image of each person: its slider, and the false non-match rate at each strength.

import { createSelect, div, h, section } from "../shared/dom.js";
import { axisLeft, createPlot, linear, linePath, percent } from "../shared/plot.js";
import { createSlider } from "../shared/slider.js";
import { circle, line, s, text } from "../shared/svg.js";
import { formatValue, speakValue } from "../shared/words.js";
import { below, wilson } from "./counting.js";
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
  const { select, label } = createSelect("Attribute", [["", "none"], ...names], () =>
    onMove(owner()?.name ?? null, owner()?.neutral ?? null, "commit"),
  );
  select.dataset.control = "attribute";
  const row = h("div");
  /** @type {ReturnType<typeof createSlider> | null} */
  let slider = null;
  /** the attribute of the slider @type {Attribute | null} */
  let sliding = null;
  const words = h("p", { class: "fr-shift-words" });
  const plot = createPlot(signal, "fr-along", () => HEIGHT, draw);
  const root = section(
    "fr-shift fr-stack fr-ruled",
    "Change an attribute",
    div(
      "fr-stack",
      h("h3", { text: "What if an attribute changes?" }),
      h("p", { class: "fr-row" }, label, select),
      row,
      words,
    ),
    plot.root,
  );
  const owner = () => attributes.find((a) => a.name === select.value) ?? null;

  /** A slider over the computed strengths, by their index. @param {Attribute} attribute */
  function slide(attribute) {
    if (sliding === attribute) return;
    const { name, label, grid, neutral, color, help } = attribute;
    slider = createSlider(
      {
        ...{ name, label, color, help, low: 0, high: grid.length - 1, step: 1, from: grid.indexOf(neutral) },
        show: (k) => formatValue(attribute, grid[k]),
        speak: (k) => speakValue(attribute, grid[k]),
      },
      (_, k, phase) => onMove(name, grid[k], phase),
    );
    slider.input.dataset.control = "strength";
    row.replaceChildren(slider.row);
    sliding = attribute;
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
      root.style.setProperty("--c", attribute.color);
      slide(attribute);
      slider?.set(k);
      const [now, before] = [steps[k], steps[zero]];
      words.textContent = "This strength is still being computed.";
      if (now && before) {
        const rates = { now: rejected(now, threshold, people), before: rejected(before, threshold, people) };
        const neutral = formatValue(attribute, attribute.neutral);
        const facts = { label: attribute.label, value: formatValue(attribute, strength), neutral, people };
        words.textContent = shiftSentence({ ...facts, ...rates, atNeutral: k === zero });
      }
      const here = now ? `: here ${percent(rejected(now, threshold, people).share)}` : "";
      plot.show(`False non-match rate along ${attribute.label}${here}.`);
    },
  };
}
