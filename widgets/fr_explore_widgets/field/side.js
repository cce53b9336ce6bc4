// Beside the map: the choice of attributes, E by identity, and the three faces of a curve.

import { mark } from "../shared/brush.js";
import { paint } from "../shared/bytes.js";
import { div, h, section } from "../shared/dom.js";
import { createPlot, figure } from "../shared/plot.js";
import { createRadios } from "../shared/radios.js";
import { circle, line, s, text } from "../shared/svg.js";
import { formatValue } from "../shared/words.js";
import { curveText } from "./words.js";

/** @typedef {import("./types").FieldAttribute} FieldAttribute */

/** @param {FieldAttribute[]} attributes @param {(name: string) => void} choose */
export function createAttributes(attributes, choose) {
  return createRadios(
    "Attribute",
    attributes.map(({ name, label, color, shape }) => {
      const picture = h("canvas", { class: "fr-chip-mark", width: 24, height: 24, "aria-hidden": "true" });
      const c = picture.getContext("2d");
      if (c) {
        c.fillStyle = color;
        mark(c, shape, 12, 12, 8);
        c.fill();
      }
      return { value: name, text: label, picture };
    }),
    choose,
  );
}

/** @typedef {{rows: (number | null)[][] | undefined, scale: number, place: number, now: number, color: string}} Energies `rows` by identity and scale; `place` of the current identity, `now` its E */

/** E of every identity at this scale; a click chooses another identity. @param {AbortSignal} signal @param {(string | number)[]} identities @param {(place: number) => void} choose */
export function createIdentityEnergies(signal, identities, choose) {
  /** @type {Energies} */
  let shown = { rows: undefined, scale: 0, place: 0, now: Number.NaN, color: "" };
  const plot = createPlot(signal, "fr-identities-plot", () => 66, draw);
  const note = h("span", { class: "fr-sub fr-end" });
  const root = section(
    "fr-identities",
    "Energy by identity",
    div("fr-flow", h("h3", { text: "E by identity" }), note),
    plot.root,
  );
  const energies = () =>
    identities.map((_, i) =>
      i === shown.place ? shown.now : (shown.rows?.[i]?.[shown.scale] ?? Number.NaN),
    );

  /** @param {number} width */
  function draw(width) {
    const { place, now } = shown;
    const values = energies();
    const [left, right] = [14, width - 14];
    const top = Math.max(...values.filter(Number.isFinite), 1) > 1.15 ? 2 : 1.1;
    const x = (/** @type {number} */ e) => left + ((right - left) * Math.min(e, top)) / top;
    const parts = [
      line([left, 44], [right, 44], "fr-axis"),
      line([x(1), 34], [x(1), 52], "fr-null"),
      text(left, 63, "0", "middle"),
      text(x(1), 63, "1", "middle"),
    ];
    values.forEach((e, i) => {
      if (i === place || !Number.isFinite(e)) return;
      // stack dots that would hide each other
      const before = values.filter((o, j) => (j < i || j === place) && Math.abs(x(o) - x(e)) < 9).length;
      const dot = circle(x(e), 44 - 10 * (before % 3), 5, "fr-dot fr-other");
      dot.append(s("title", {}, `identity ${identities[i]}: E = ${figure(e)}`));
      dot.addEventListener("click", () => choose(i));
      parts.push(dot);
    });
    if (Number.isFinite(now)) {
      const at = Math.min(Math.max(x(now), 40), right - 26);
      parts.push(circle(x(now), 44, 7, "fr-knob"), text(at, 14, `identity ${identities[place]}`, "middle"));
    }
    return parts;
  }

  return {
    root,
    /** @param {Energies} next */
    show(next) {
      shown = next;
      root.style.setProperty("--c", next.color);
      root.hidden = identities.length < 2;
      note.textContent = next.rows ? "at this scale; click a dot to choose it" : "computing the others";
      const known = energies().filter(Number.isFinite);
      const range = known.length ? `from ${figure(Math.min(...known))} to ${figure(Math.max(...known))}` : "";
      plot.show(
        `E of ${known.length} identities ${range}; identity ${identities[next.place]} has ${figure(next.now)}`,
      );
    },
  };
}

const NO_LATTICE = "No faces: give FieldExplorer the lattice of the field.";
const REDRAWN =
  "No faces: this version of fr-explore draws them differently. The figures are of the faces that were embedded.";

/** A curve: its faces one step below, at, and one step above the base point. @param {{size: number, redrawn?: boolean}} setup size 0: no faces */
export function createCurve({ size, redrawn }) {
  const words = h("p", { class: "fr-curve-words" });
  const note = h("p", { class: "fr-sub" });
  const figures = ["one step below", "base", "one step above"].map((title) => {
    const canvas = h("canvas", {
      class: "fr-face",
      width: size || 96,
      height: size || 96,
      role: "img",
      "aria-label": title,
    });
    const value = h("span", { class: "fr-sub" });
    return { canvas, value, title, figure: h("figure", {}, canvas, h("figcaption", {}, value)) };
  });
  const faces = h("div", { class: "fr-three", hidden: true }, ...figures.map(({ figure }) => figure));
  const root = section("fr-curve fr-stack", "Curve", words, faces, note);
  return {
    root,
    words: () => words.textContent ?? "",
    /** @param {{curve: number, energy: number, count: number | null, move: number} | null} facts */
    describe(facts) {
      words.textContent = facts ? curveText(facts) : "Point at an arrow to see its faces and its neighbours.";
      if (!facts) faces.hidden = true;
      note.textContent = facts && !size ? (redrawn ? REDRAWN : NO_LATTICE) : "";
    },
    /**
     * @param {FieldAttribute} attribute
     * @param {{strengths: number[] | null, frame: DataView | null} | null} view null while they are rendered
     */
    show(attribute, view) {
      if (!size) return;
      faces.classList.toggle("fr-wait", !view);
      if (!view) return;
      const { strengths, frame } = view;
      faces.hidden = !strengths || !frame;
      note.textContent = faces.hidden ? "This page does not contain the faces of this curve." : "";
      if (!strengths || !frame) return;
      figures.forEach(({ canvas, value, title }, k) => {
        paint(canvas, frame, [size, size], 3 * k * size * size);
        value.textContent = formatValue(attribute, strengths[k]);
        canvas.setAttribute("aria-label", `${title}: ${attribute.label} ${value.textContent}`);
      });
    },
  };
}
