// A map of some thousands of points: drag pans, wheel, pinch and keys zoom, a grid finds the point under the hand.

import { mark } from "./shared_brush.js";
import { h, uid } from "./shared_dom.js";
import { follow } from "./shared_plane_hand.js";
import { createGrid, fitView, towards, zoomAt } from "./shared_plane_math.js";

/**
 * @typedef {import("./shared_plane_math").View} View
 * @typedef {{color: string, shape?: string, hollow?: boolean}} Kind how the points of one kind look
 * @typedef {{kind: Uint8Array, kinds: Kind[], radius?: number, lit?: Uint8Array | null, chosen?: number}} Look
 *   `lit` 1 for the points that stand out while the others are faint; `chosen` is ringed, -1 for none
 * @typedef {{x: Float32Array, y: Float32Array, seen: Uint8Array, view: View, width: number, height: number,
 *   ink: string, surface: string, font: string}} Scene where each point lies on the canvas, and whether inside it
 * @typedef {(c: CanvasRenderingContext2D, scene: Scene) => void} Painter
 */

const MARGIN = 20;
const REACH = 16;
const MOST_ZOOM = 60;
const HELP =
  "Arrow keys go from point to point, Home and End to the first and last. Enter chooses a point, Escape lets it go. " +
  "Plus and minus zoom, Shift with an arrow key moves the map, 0 shows all of it.";

/**
 * @param {{signal: AbortSignal, label: string, onHover?: (i: number) => void, onChoose?: (i: number) => void,
 *   under?: Painter, over?: Painter}} options -1 stands for no point; `under` and `over` paint beneath and above the points
 */
export function createPlane({ signal, label, onHover = () => {}, onChoose = () => {}, under, over }) {
  const canvas = h("canvas", {
    class: "fr-plane-canvas",
    tabindex: 0,
    role: "application",
    "aria-label": label,
    "aria-describedby": uid("plane"),
    "data-lm-suppress-shortcuts": "true",
  });
  const help = h("span", {
    id: canvas.getAttribute("aria-describedby") ?? "",
    class: "fr-hidden",
    text: HELP,
  });
  const problem = h("p", { class: "fr-plane-problem", role: "alert", hidden: true });
  const tool = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ act) => {
    const node = h("button", { type: "button", class: "fr-button", "aria-label": title, title, text });
    node.addEventListener("click", act);
    return node;
  };
  const tools = h(
    "div",
    { class: "fr-plane-tools" },
    tool("+", "Zoom in", () => zoom(1.5)),
    tool("\u2212", "Zoom out", () => zoom(1 / 1.5)),
    tool("\u25a3", "Show all of the map", showAll),
  );
  const root = h("div", { class: "fr-plane" }, canvas, help, problem, tools);

  /** @type {Float32Array} */
  let xy = new Float32Array(0);
  let grid = createGrid(xy);
  /** @type {View | null} null: all of the points */
  let view = null;
  let fitted = fitView(xy, 1, 1);
  /** @type {Look} */
  let look = { kind: new Uint8Array(0), kinds: [] };
  let hovered = -1;
  let asked = false;
  let [x, y] = [new Float32Array(0), new Float32Array(0)];
  let seen = new Uint8Array(0);

  const size = () => ({ width: canvas.clientWidth || 400, height: canvas.clientHeight || 320 });
  const now = () => {
    const { width, height } = size();
    fitted = fitView(xy, width, height);
    return view ?? fitted;
  };

  function draw() {
    asked = false;
    if (signal.aborted) return;
    try {
      const c = canvas.getContext("2d");
      if (!c) throw new Error("this browser gives no 2D canvas");
      const { width, height } = size();
      const ratio = globalThis.devicePixelRatio || 1;
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
      }
      const style = getComputedStyle(root);
      const surface = style.getPropertyValue("--fr-surface").trim() || "white";
      const scene = {
        ...place(width, height),
        ...{ width, height, ink: style.color, surface, font: style.fontFamily },
      };
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      c.clearRect(0, 0, width, height);
      under?.(c, scene);
      dots(c, scene, ratio);
      over?.(c, scene);
      root.dataset.zoom = (scene.view.k / fitted.k).toFixed(3);
      problem.hidden = true;
    } catch (error) {
      problem.textContent = `The map could not be drawn: ${error}. The figures beside it are right; reload the page to try again.`;
      problem.hidden = false;
    }
  }

  /** @param {number} width @param {number} height */
  function place(width, height) {
    const current = now();
    for (let i = 0; i < x.length; i += 1) {
      x[i] = current.x + xy[2 * i] * current.k;
      y[i] = current.y - xy[2 * i + 1] * current.k;
      seen[i] = x[i] > -MARGIN && x[i] < width + MARGIN && y[i] > -MARGIN && y[i] < height + MARGIN ? 1 : 0;
    }
    return { x, y, seen, view: current };
  }

  /** Each kind is painted once, as a stamp: thousands of stamps cost less than thousands of paths. @param {CanvasRenderingContext2D} c @param {Scene} scene @param {number} ratio */
  function dots(c, scene, ratio) {
    const { kind, kinds, lit, chosen = -1 } = look;
    const radius = look.radius ?? 4;
    const stamps = kinds.map((one) => stamp(one, radius, ratio, scene));
    const half = radius + 3;
    for (const bright of lit ? [0, 1] : [1]) {
      c.globalAlpha = bright ? 1 : 0.28;
      for (let i = 0; i < x.length; i += 1) {
        if (!seen[i] || (lit && lit[i] !== bright)) continue;
        c.drawImage(stamps[kind[i] ?? 0], x[i] - half, y[i] - half, 2 * half, 2 * half);
      }
    }
    c.globalAlpha = 1;
    for (const [i, wide] of [
      [chosen, 2.5],
      [hovered, 1.5],
    ]) {
      if (i < 0 || !seen[i]) continue;
      c.lineWidth = wide;
      c.strokeStyle = scene.ink;
      mark(c, "circle", x[i], y[i], radius + 4);
      c.stroke();
    }
  }

  function redraw() {
    if (!asked && !signal.aborted) requestAnimationFrame(draw);
    asked = true;
  }

  /** @param {View} wanted within bounds: neither a speck nor a void, and some of the points stay in sight */
  function lookAt(wanted) {
    const { width, height } = size();
    const k = Math.min(Math.max(wanted.k, fitted.k * 0.5), fitted.k * MOST_ZOOM);
    const { x: left, y: top } = zoomAt(wanted, k / wanted.k, width / 2, height / 2);
    const [cx, cy] = [(width / 2 - fitted.x) / fitted.k, (fitted.y - height / 2) / fitted.k];
    const reach = Math.max(width, height) * (k / fitted.k) * 0.5;
    const keep = (/** @type {number} */ value, /** @type {number} */ middle) =>
      Math.min(Math.max(value, middle - reach), middle + reach);
    view = {
      k,
      x: keep(left + cx * k, width / 2) - cx * k,
      y: keep(top - cy * k, height / 2) + cy * k,
    };
    redraw();
  }

  /** @param {number} factor @param {number} [px] @param {number} [py] */
  function zoom(factor, px = size().width / 2, py = size().height / 2) {
    lookAt(zoomAt(now(), factor, px, py));
  }

  function showAll() {
    view = null;
    redraw();
  }

  /** @param {number} dx @param {number} dy in pixels */
  function pan(dx, dy) {
    const current = now();
    lookAt({ k: current.k, x: current.x + dx, y: current.y + dy });
  }

  /** @param {number} i */
  function hover(i) {
    if (i === hovered) return;
    hovered = i;
    onHover(i);
    redraw();
  }

  /** @param {number} i bring a point into sight */
  function reveal(i) {
    const { width, height } = size();
    const current = now();
    const [px, py] = [current.x + xy[2 * i] * current.k, current.y - xy[2 * i + 1] * current.k];
    const shift = (/** @type {number} */ at, /** @type {number} */ end) =>
      Math.max(MARGIN - at, 0) + Math.min(end - MARGIN - at, 0);
    const [dx, dy] = [shift(px, width), shift(py, height)];
    if (dx || dy) pan(dx, dy);
  }

  /** @param {number} px @param {number} py */
  function underHand(px, py) {
    const current = now();
    return grid.near((px - current.x) / current.k, (current.y - py) / current.k, REACH / current.k);
  }

  follow(canvas, {
    signal,
    pan,
    zoom,
    hover: (at) => hover(at ? underHand(...at) : -1),
    choose: (px, py) => onChoose(underHand(px, py)),
  });
  canvas.addEventListener("keydown", (event) => {
    const { key } = event;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    const from = hovered >= 0 ? hovered : (look.chosen ?? -1);
    /** @type {Record<string, () => void>} */
    const acts = {
      Home: () => step(0),
      End: () => step(x.length - 1),
      Enter: () => onChoose(from),
      " ": () => onChoose(from),
      "+": () => zoom(1.5),
      "=": () => zoom(1.5),
      PageUp: () => zoom(1.5),
      "-": () => zoom(1 / 1.5),
      PageDown: () => zoom(1 / 1.5),
      0: showAll,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape") {
      hover(-1);
      onChoose(-1);
      return;
    }
    if (way && event.shiftKey) pan(-60 * way[0], 60 * way[1]);
    else if (way) step(from < 0 ? grid.near(...middle(), Infinity) : towards(xy, from, way[0], way[1]));
    else if (acts[key]) acts[key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  canvas.addEventListener("blur", () => hover(-1));

  /** @returns {[number, number]} the place in the middle of what is seen */
  function middle() {
    const { width, height } = size();
    const current = now();
    return [(width / 2 - current.x) / current.k, (current.y - height / 2) / current.k];
  }

  /** @param {number} i */
  function step(i) {
    if (i < 0 || !x.length) return;
    hover(i);
    reveal(i);
  }

  if (globalThis.ResizeObserver) {
    const observer = new ResizeObserver(redraw);
    observer.observe(canvas);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  return {
    root,
    canvas,
    redraw,
    showAll,
    /** @param {Float32Array} points x, y, x, y, ... @param {boolean} [keep] the view, where the points are the same ones */
    setPoints(points, keep = false) {
      xy = points;
      grid = createGrid(xy);
      x = new Float32Array(xy.length / 2);
      y = new Float32Array(xy.length / 2);
      seen = new Uint8Array(xy.length / 2);
      if (!keep) view = null;
      if (hovered >= x.length) hover(-1);
      redraw();
    },
    /** @param {Partial<Look>} more */
    setLook(more) {
      look = { ...look, ...more };
      redraw();
    },
    /** @param {string} text */
    describe(text) {
      canvas.setAttribute("aria-label", text);
    },
  };
}

/**
 * One kind of point, painted at its size: a coloured mark with a rim that parts it from its neighbours.
 * @param {Kind} kind
 * @param {number} radius
 * @param {number} ratio
 * @param {{surface: string}} scene
 */
function stamp({ color, shape = "circle", hollow = false }, radius, ratio, { surface }) {
  const side = 2 * (radius + 3);
  const canvas = h("canvas", { width: Math.ceil(side * ratio), height: Math.ceil(side * ratio) });
  const c = canvas.getContext("2d");
  if (!c) return canvas;
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  mark(c, shape, side / 2, side / 2, hollow ? radius - 0.5 : radius);
  c.fillStyle = hollow ? surface : color;
  c.strokeStyle = hollow ? color : surface;
  c.lineWidth = hollow ? 1.5 : radius > 3 ? 1.5 : 1;
  if (!hollow) c.stroke();
  c.fill();
  if (hollow) c.stroke();
  return canvas;
}
