// The sliders by group, each with a sweep button and the strip that shows the result of a sweep.

import { div, h, uid } from "../shared/dom.js";
import { createStrip } from "./retention.js";
import { createAttributeSlider } from "./slider.js";

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {ReturnType<typeof createAttributeSlider> & {strip: ReturnType<typeof createStrip>, play: (on: boolean) => void}} Row */

const GROUPS = [
  { key: "face", title: "Face" },
  { key: "light", title: "Light" },
  { key: "image", title: "Image" },
];

// rows of sliders in each layout; the narrow layout has one more, which leaves room for every name
const ROWS = { wide: 3, narrow: 4 };

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
    sweep.textContent = on ? "\u25a0" : "\u25b6";
    sweep.title = on ? "Stop" : "Sweep: play the whole range slowly";
    sweep.setAttribute(
      "aria-label",
      on ? `Stop the sweep of ${attribute.label}` : `Sweep ${attribute.label}`,
    );
  };
  play(false);
  slider.row.querySelector(".fr-slider-head")?.prepend(sweep);
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
 * @param {{onMove: (name: string, value: number, phase: "drag" | "commit") => void, onSweep: (name: string) => void}} actions
 */
export function createSliders(attributes, { onMove, onSweep }) {
  const root = div("fr-sliders fr-stack");
  const foot = h("p", { class: "fr-help fr-help-foot fr-sub fr-one-line", "aria-hidden": "true" });
  /** @type {Record<string, Row>} */
  const sliders = {};
  /** @type {Record<string, string[]>} */
  const widths = { wide: [], narrow: [] };
  for (const { key, title } of GROUPS) {
    const own = attributes.filter((a) => a.group === key);
    if (!own.length) continue;
    const help = h("span", { class: "fr-help fr-sub fr-one-line", "aria-hidden": "true" });
    const id = uid(key);
    const rows = div("fr-rows");
    const group = h(
      "div",
      { class: "fr-group", role: "group", "aria-labelledby": id },
      div("fr-group-head", h("h3", { id, text: title }), help),
      rows,
    );
    for (const [layout, count] of Object.entries(ROWS)) {
      const columns = Math.ceil(own.length / count);
      widths[layout].push(`minmax(0, ${columns}fr)`);
      group.style.setProperty(`--columns-${layout}`, String(columns));
    }
    for (const attribute of own) {
      const onHelp = (/** @type {string} */ text) => {
        help.textContent = text;
        foot.textContent = text;
      };
      sliders[attribute.name] = createRow(attribute, { onMove, onHelp, onSweep });
      rows.append(sliders[attribute.name].row);
    }
    root.append(group);
  }
  root.append(foot);
  for (const layout of Object.keys(ROWS))
    root.style.setProperty(`--groups-${layout}`, widths[layout].join(" "));
  return { root, sliders };
}
