// The field in its plane: points coloured by energy, arrows, the neighbourhood of one curve; and the legend.

import { div, h } from "../shared/dom.js";
import { createMap } from "../shared/map.js";
import { colorOf, highlighted, ISOLATED, kindsOf, palette, UNDIRECTED } from "./payload.js";

/** @typedef {import("./types").Payload} Payload */
/** @typedef {import("./types").PlaneName} PlaneName */
/** @typedef {import("../shared/map").Scene} Scene */
/** @typedef {{payload: Payload, place: number, plane: PlaneName, magnitude: boolean, curve: number, chosen: number,
 *   near: {order: Int32Array, count: number} | null}} Shown */

const HEADS = 600;
const FAINT = 0.45;

/**
 * @param {{signal: AbortSignal, curves: number, onHover: (curve: number) => void, onChoose: (curve: number) => void}} options
 */
export function createField({ signal, curves, onHover, onChoose }) {
  const map = createMap({
    signal,
    label: "Field in a plane",
    onHover,
    onChoose,
    under: paintArrows,
    faint: FAINT,
    margin: 32,
  });
  const bar = h("i");
  const legend = div(
    "fr-legend",
    div(
      "fr-energy-scale",
      bar,
      h("span", { text: "0 aligned" }),
      h("span", { text: "1 no order" }),
      h("span", { text: "2 opposed" }),
    ),
    h("span", { class: "fr-key-isolated" }, h("i"), "no neighbour"),
    h("span", { class: "fr-key-undirected" }, h("b", { text: "+" }), "no direction"),
  );
  const [isolated, undirected] = [legend.children[1], legend.children[2]];
  /** @type {Shown | null} */
  let shown = null;
  let kind = new Uint8Array(curves);
  /** @type {Uint8Array | null} */
  let on = null;
  let dark = false;
  let kinds = palette(dark);
  const radius = curves > 2000 ? 2 : curves > 600 ? 2.6 : curves > 200 ? 3.4 : 4;

  /** @param {CanvasRenderingContext2D} c @param {Scene} scene */
  function paintArrows(c, scene) {
    if (!shown) return;
    const { payload, plane, magnitude } = shown;
    const { arrows } = payload.flat[plane];
    const room = Math.sqrt((scene.width * scene.height) / curves);
    const long = Math.min(Math.max(1.1 * room, 18), 52) * Math.min(Math.max(scene.zoom, 1), 2.5) ** 0.5;
    const unit = magnitude ? 1 / (typical(payload.moves) || 1) : 1;
    c.lineCap = "round";
    for (const bright of on ? [0, 1] : [1]) {
      c.globalAlpha = bright ? 1 : FAINT;
      c.lineWidth = curves > HEADS ? 1 : bright && on ? 2 : 1.4;
      for (let k = 0; k < kinds.length; k += 1) {
        if (k === UNDIRECTED) continue;
        c.strokeStyle = kinds[k].color;
        c.beginPath();
        for (let i = 0; i < curves; i += 1) {
          if (kind[i] !== k || !scene.seen[i] || (on && on[i] !== bright)) continue;
          const size = long * (magnitude ? Math.min(payload.moves[i] * unit, 2.5) : 1);
          shaft(c, scene.x[i], scene.y[i], size * arrows[2 * i], -size * arrows[2 * i + 1]);
        }
        c.stroke();
      }
    }
    c.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} dx @param {number} dy */
  function shaft(c, x, y, dx, dy) {
    c.moveTo(x, y);
    c.lineTo(x + dx, y + dy);
    const length = Math.hypot(dx, dy);
    if (curves > HEADS || length < radius + 4) return;
    const [ux, uy] = [(dx / length) * 4.5, (dy / length) * 4.5];
    c.moveTo(x + dx - ux - 0.6 * uy, y + dy - uy + 0.6 * ux);
    c.lineTo(x + dx, y + dy);
    c.lineTo(x + dx - ux + 0.6 * uy, y + dy - uy - 0.6 * ux);
  }

  return {
    root: map.root,
    legend,
    /** @param {Shown} what */
    show(what) {
      const { payload, place, plane, curve, near } = what;
      const cell = (/** @type {Shown} */ s) => `${s.payload.identity},${s.plane},${s.payload.attribute}`;
      const fresh = !shown || cell(shown) !== cell(what);
      const sameFaces =
        shown?.payload.identity === payload.identity && shown.plane === "points" && plane === "points";
      shown = what;
      kind = kindsOf(payload.energies(place), payload.flat[plane].arrows);
      on = highlighted(curves, curve, near?.order, near?.count ?? 0);
      if (fresh) map.setPoints(payload.flat[plane].xy, sameFaces);
      map.setLook({ kind, kinds, radius, lit: on, chosen: what.chosen });
      isolated.toggleAttribute("hidden", !kind.includes(ISOLATED));
      undirected.toggleAttribute("hidden", !kind.includes(UNDIRECTED));
    },
    /** @param {boolean} isDark */
    setTheme(isDark) {
      dark = isDark;
      kinds = palette(dark);
      const stops = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2].map((e) => colorOf(e, dark));
      bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
      map.setLook({ kinds });
    },
    describe: map.describe,
  };
}

/** The 75th percentile of the moves. @param {Float32Array} moves */
function typical(moves) {
  const sorted = Float32Array.from(moves.filter(Number.isFinite)).sort();
  return sorted[Math.floor(0.75 * (sorted.length - 1))] ?? 0;
}
