// Beside the map: the attributes to choose from, the strip of identities, and the three faces of a curve.

import { mark } from "../shared/brush.js";
import { h, paint, uid } from "../shared/dom.js";
import { s } from "../shared/svg.js";
import { formatValue } from "../shared/words.js";
import { curveText, figure } from "./words.js";

/** @typedef {import("./types").FieldAttribute} FieldAttribute */

/** A radio group whose choices look like buttons. @param {string} label @param {{value: string, text: string, picture?: Node}[]} choices @param {(value: string) => void} choose */
export function createRadios(label, choices, choose) {
  const group = uid("choice");
  const root = h("fieldset", { class: "fr-chips" }, h("legend", { class: "fr-hidden", text: label }));
  const inputs = choices.map(({ value, text, picture }) => {
    const input = h("input", { type: "radio", name: group, value });
    input.addEventListener("change", () => choose(value));
    root.append(h("label", { class: "fr-chip" }, input, ...(picture ? [picture] : []), text));
    return input;
  });
  return {
    root,
    /** @param {string} value */
    set(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}

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

/** E of every identity at this scale, the present one marked; a click goes to another. @param {(string | number)[]} identities @param {(place: number) => void} choose */
export function createStrip(identities, choose) {
  const picture = s("svg", { class: "fr-strip-picture", role: "img", height: 66 });
  const note = h("span", { class: "fr-sub" });
  const root = h(
    "section",
    { class: "fr-strip", "aria-label": "Energy by identity" },
    h("div", { class: "fr-strip-head" }, h("h3", { text: "E by identity" }), note),
    picture,
  );
  return {
    root,
    /** @param {(number | null)[][] | undefined} rows @param {number} scale @param {number} place @param {number} now @param {string} color */
    show(rows, scale, place, now, color) {
      root.hidden = identities.length < 2;
      const values = identities.map((_, i) => (i === place ? now : (rows?.[i]?.[scale] ?? Number.NaN)));
      const width = root.clientWidth || 340;
      const [left, right] = [14, width - 14];
      const there = values.filter(Number.isFinite);
      const top = Math.max(...there, 1) > 1.15 ? 2 : 1.1;
      const x = (/** @type {number} */ e) => left + ((right - left) * Math.min(e, top)) / top;
      note.textContent = rows ? "at this scale; click a dot to go there" : "the others are being computed";
      const text = (/** @type {number} */ at, /** @type {number} */ y, /** @type {string} */ words) =>
        s("text", { x: at, y, "text-anchor": "middle" }, words);
      const parts = [
        s("line", { x1: left, x2: right, y1: 44, y2: 44, class: "fr-axis" }),
        s("line", { x1: x(1), x2: x(1), y1: 34, y2: 52, class: "fr-null" }),
        text(left, 63, "0"),
        text(x(1), 63, "1"),
      ];
      values.forEach((e, i) => {
        if (i === place || !Number.isFinite(e)) return;
        // equal energies would hide each other
        const crowd = values.filter((o, j) => (j < i || j === place) && Math.abs(x(o) - x(e)) < 9).length;
        const dot = s("circle", {
          cx: x(e),
          cy: 44 - 10 * (crowd % 3),
          r: 5,
          class: "fr-other",
          fill: color,
        });
        dot.append(s("title", {}, `identity ${identities[i]}: E = ${figure(e)}`));
        dot.addEventListener("click", () => choose(i));
        parts.push(dot);
      });
      if (Number.isFinite(now)) {
        const at = Math.min(Math.max(x(now), 40), right - 26);
        parts.push(s("circle", { cx: x(now), cy: 44, r: 7, class: "fr-mine", fill: color }));
        parts.push(text(at, 14, `identity ${identities[place]}`));
      }
      picture.setAttribute("viewBox", `0 0 ${width} 66`);
      picture.replaceChildren(...parts);
      const ends = there.length ? `from ${figure(Math.min(...there))} to ${figure(Math.max(...there))}` : "";
      picture.setAttribute(
        "aria-label",
        `E of ${there.length} identities ${ends}; identity ${identities[place]} has ${figure(now)}`,
      );
    },
  };
}

/** The curve looked at: its faces one step below, at and one step above the base point. @param {number} size 0: no lattice, no faces */
export function createCurve(size) {
  const words = h("p", { class: "fr-curve-words" });
  const note = h("p", { class: "fr-sub" });
  const figures = ["one step below", "base", "one step above"].map((title) => {
    const canvas = h("canvas", { width: size || 96, height: size || 96, role: "img", "aria-label": title });
    const value = h("span", { class: "fr-sub" });
    return { canvas, value, title, figure: h("figure", {}, canvas, h("figcaption", {}, value)) };
  });
  const faces = h("div", { class: "fr-three", hidden: true }, ...figures.map(({ figure }) => figure));
  const root = h("section", { class: "fr-curve", "aria-label": "Curve" }, words, faces, note);
  return {
    root,
    /** @param {{curve: number, energy: number, count: number, move: number} | null} look */
    say(look) {
      words.textContent = look ? curveText(look) : "Point at an arrow to see its faces and its neighbours.";
      if (!look) faces.hidden = true;
      note.textContent =
        look && !size ? "No faces: give FieldExplorer the lattice that the field was made from." : "";
    },
    /**
     * @param {FieldAttribute} attribute
     * @param {{strengths: number[] | null, frame: DataView | null} | null} look null while they are rendered
     */
    show(attribute, look) {
      if (!size) return;
      faces.classList.toggle("fr-wait", !look);
      if (!look) return;
      const { strengths, frame } = look;
      faces.hidden = !strengths || !frame;
      note.textContent = faces.hidden ? "This page does not hold the faces of this curve." : "";
      if (!strengths || !frame) return;
      figures.forEach(({ canvas, value, title }, k) => {
        paint(canvas, frame, [size, size], 3 * k * size * size);
        value.textContent = formatValue(attribute, strengths[k]);
        canvas.setAttribute("aria-label", `${title}: ${attribute.label} ${value.textContent}`);
      });
    },
  };
}
