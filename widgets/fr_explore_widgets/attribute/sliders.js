// The sliders on two pages, the main ones first, each with a sweep button and the strip that shows a sweep's result. The
// lines above them hold the invitation to drag, the result of a sweep, or the help of the slider in focus.

import { div, h, setText } from "../shared/dom.js";
import { createRadios } from "../shared/radios.js";
import { circle, s } from "../shared/svg.js";
import { createStrip } from "./retention.js";
import { createAttributeSlider } from "./slider.js";

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {ReturnType<typeof createAttributeSlider> & {strip: ReturnType<typeof createStrip>, play: (on: boolean) => void}} Row */

const GROUPS = ["face", "light", "image"];

/** From one face to another: the sign of a sweep. */
const sweepSign = () =>
  s(
    "svg",
    { viewBox: "0 0 24 12", width: 24, height: 12, "aria-hidden": "true" },
    circle(4, 6, 3.25, ""),
    s("path", { d: "M9.5 6h6M13.5 4l2 2l-2 2" }),
    circle(20, 6, 3.25, "fr-full"),
  );

/**
 * @param {Attribute} attribute
 * @param {{onMove: (name: string, value: number, phase: "drag" | "commit") => void, onHelp: (text: string) => void,
 *   onSweep: (name: string) => void}} actions
 * @returns {Row}
 */
function createRow(attribute, { onMove, onHelp, onSweep }) {
  const slider = createAttributeSlider(attribute, { onMove, onHelp });
  const strip = createStrip(attribute);
  const onclick = () => onSweep(attribute.name);
  const sweep = h("button", {
    type: "button",
    class: "fr-sweep fr-bare",
    "data-sweep": attribute.name,
    onclick,
  });
  const play = (/** @type {boolean} */ on) => {
    sweep.replaceChildren(on ? "\u25a0" : sweepSign());
    sweep.title = on ? "Stop" : "Sweep: play the whole range slowly";
    sweep.setAttribute(
      "aria-label",
      on ? `Stop the sweep of ${attribute.label}` : `Sweep ${attribute.label}`,
    );
  };
  play(false);
  slider.row.append(sweep);
  slider.row.querySelector(".fr-track")?.append(strip.root);
  const { fixed = false } = attribute;
  const disable = (/** @type {boolean} */ off) => {
    slider.disable(off || fixed);
    sweep.disabled = off || fixed;
  };
  disable(false);
  if (fixed) slider.row.title = "This slider works in the notebook only.";
  return { ...slider, disable, strip, play };
}

/**
 * @param {Attribute[]} attributes
 * @param {string[]} main names on the first page
 * @param {{onMove: (name: string, value: number, phase: "drag" | "commit") => void, onSweep: (name: string) => void}} actions
 */
export function createSliders(attributes, main, { onMove, onSweep }) {
  const note = h("p", { class: "fr-note fr-sub" });
  const hint = h("span", { class: "fr-hint", "aria-hidden": "true", text: "drag a slider" });
  let [help, result] = ["", ""];
  const tell = () => {
    setText(note, help || result);
    const hide = touched || note.textContent !== "";
    if (hint.hidden !== hide) hint.hidden = hide;
  };
  let touched = false;
  const actions = {
    onSweep,
    /** @type {typeof onMove} */
    onMove(name, value, phase) {
      touched = true;
      tell();
      onMove(name, value, phase);
    },
    onHelp(/** @type {string} */ text) {
      help = text;
      tell();
    },
  };
  const first = main.flatMap((name) => attributes.filter((one) => one.name === name));
  const rest = GROUPS.flatMap((group) =>
    attributes.filter((one) => one.group === group && !first.includes(one)),
  );
  const pages = [
    { value: "main", text: `Main ${first.length}`, own: first },
    { value: "more", text: `${rest.length} more`, own: rest },
  ].filter(({ own }) => own.length);
  /** @type {Record<string, Row>} */
  const sliders = {};
  for (const attribute of pages.flatMap(({ own }) => own))
    sliders[attribute.name] = createRow(attribute, actions);
  const stack = div("fr-pages");
  for (const { value, text, own } of pages) {
    const names = {
      class: "fr-rows",
      role: "group",
      "aria-label": `Attributes: ${text}`,
      "data-page": value,
    };
    stack.append(h("div", names, ...own.map(({ name }) => sliders[name].row)));
  }
  const choice = createRadios("Attributes", pages, turn);
  const root = div("fr-sliders", ...(pages.length > 1 ? [choice.root] : []), note, stack);

  /** @param {string} value */
  function turn(value) {
    choice.set(value);
    for (const page of stack.children)
      page.classList.toggle("fr-away", page.getAttribute("data-page") !== value);
  }

  turn(pages[0].value);
  const top = sliders[pages[0].own[0].name].row;
  top.querySelector(".fr-track")?.append(hint);
  return {
    root,
    sliders,
    /** The result of a sweep in words, "" for none. @param {string} text */
    setResult(text) {
      result = text;
      tell();
    },
    /** No invitation to drag: somebody has moved the widget already. */
    setTouched() {
      touched = true;
      tell();
    },
    /** Show on the other page's button whether something is moved there. */
    mark() {
      const inputs = root.querySelectorAll(".fr-chip input");
      pages.forEach(({ own }, i) => {
        const moved = own.some(({ name, neutral }) => sliders[name].input.valueAsNumber !== neutral);
        inputs[i]?.parentElement?.classList.toggle("fr-moved", moved);
      });
    },
  };
}
