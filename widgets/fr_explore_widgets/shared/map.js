// A map of up to some thousands of points: drag pans; wheel, pinch and keys zoom; a grid finds the nearest point.

import { mark, trace } from "./brush.js";
import { div, h, uid } from "./dom.js";
import { followKeys, followPointer } from "./map_input.js";
import { createGrid, fitView, towards, zoomAt } from "./map_math.js";

/**
 * @typedef {import("./map_math").View} View
 * @typedef {{color: string, shape?: string, hollow?: boolean, radius?: number, opacity?: number}} Kind the appearance of
 *   one kind of point; "ink" and "soft" are the colours of the host's text
 * @typedef {{kind: Uint8Array, kinds: Kind[], radius?: number, lit?: Uint8Array | null, chosen?: number}} Look
 *   `lit`: 1 for highlighted points, the others are faint; `chosen`: the point with a ring, -1 for none
 * @typedef {{x: Float32Array, y: Float32Array, seen: Uint8Array, view: View, zoom: number, width: number, height: number,
 *   ink: string, soft: string, surface: string, font: string}} Scene the position of each point on the canvas, and whether it is visible
 * @typedef {(c: CanvasRenderingContext2D, scene: Scene) => void} Painter
 * @typedef {{view: View, pad: number, width: number, height: number}} Painted the view painted on the layer, and the margin around it
 */

const MARGIN = 20;
const REACH = 16;
const TOOLS = 28; // px at the bottom: their buttons hide no point of the whole map
const MOST_ZOOM = 60;
const FAINT = 0.28;
// more points than this are repainted only when the movement pauses
const MANY = 800;
const REST_MS = 120;
// an element without a size is drawn later: soon if it gets one soon, else when it is resized
const AGAIN_MS = 30;
const MOST_TRIES = 40;
const HELP =
  "Arrow keys move from point to point, Home and End to the first and last. Enter selects a point, Escape deselects it. " +
  "Plus and minus zoom, Shift with an arrow key moves the map, 0 shows the whole map.";

/**
 * @param {{signal: AbortSignal, label: string, onHover?: (i: number) => void, onChoose?: (i: number) => void,
 *   under?: Painter, over?: Painter, top?: Painter, faint?: number, margin?: number}} options -1 means no point; `under`
 *   and `over` paint below and above the points and are kept with them on a layer, `top` paints in each frame;
 *   `faint` is the opacity of points that are not lit
 */
export function createMap({
  signal,
  label,
  onHover = () => {},
  onChoose = () => {},
  under,
  over,
  top,
  faint = FAINT,
  margin = MARGIN,
}) {
  const canvas = h("canvas", {
    class: "fr-map-canvas",
    tabindex: 0,
    role: "application",
    "aria-label": label,
    "aria-describedby": uid("map"),
    "data-lm-suppress-shortcuts": "true",
  });
  const help = h("span", {
    id: canvas.getAttribute("aria-describedby") ?? "",
    class: "fr-sub fr-hidden",
    text: HELP,
  });
  const problem = h("p", { class: "fr-map-problem", role: "alert", hidden: true });
  const tool = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    h("button", { type: "button", class: "fr-button", "aria-label": title, title, text, onclick });
  const tools = div(
    "fr-map-tools",
    tool("+", "Zoom in", () => zoom(1.5)),
    tool("\u2212", "Zoom out", () => zoom(1 / 1.5)),
    tool("\u25a3", "Show the whole map", showAll),
  );
  const root = div("fr-map-box", canvas, help, problem, tools);

  /** @type {Float32Array} */
  let xy = new Float32Array(0);
  let grid = createGrid(xy);
  /** @type {View | null} null: all of the points */
  let view = null;
  /** what the whole map shows, x, y, x, y, ...; null: the points @type {Float32Array | null} */
  let extent = null;
  let fitted = fitView(xy, 1, 1);
  /** @type {Look} */
  let look = { kind: new Uint8Array(0), kinds: [] };
  let hovered = -1;
  let asked = false;
  let tries = MOST_TRIES;
  const layer = h("canvas");
  /** @type {Painted | null} */
  let painted = null;
  /** @type {Scene | null} the one on the layer */
  let scene = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let moving;
  let [x, y] = [new Float32Array(0), new Float32Array(0)];
  let seen = new Uint8Array(0);

  const size = () => ({ width: canvas.clientWidth || 400, height: canvas.clientHeight || 320 });
  /** Half of the height that the tools leave free. @param {number} height */
  const centre = (height) => Math.max(height - TOOLS, 1) / 2;
  const now = () => {
    const { width, height } = size();
    fitted = fitView(extent ?? xy, width, 2 * centre(height), margin);
    return view ?? fitted;
  };

  function draw() {
    asked = false;
    if (signal.aborted) return;
    if (!canvas.clientWidth && globalThis.ResizeObserver) {
      // a host that exchanges its style sheets leaves the page without a layout for a moment
      if (tries > 0) setTimeout(frame, AGAIN_MS);
      tries -= 1;
      return;
    }
    tries = MOST_TRIES;
    try {
      const c = canvas.getContext("2d");
      const page = layer.getContext("2d");
      if (!c || !page) throw new Error("this browser gives no 2D canvas");
      const { width, height } = size();
      const ratio = globalThis.devicePixelRatio || 1;
      const current = now();
      const gliding = painted && moving && x.length > MANY;
      if (!gliding && !same(painted, current, width, height)) paint(page, current, width, height, ratio);
      resize(canvas, width, height, ratio);
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      c.clearRect(0, 0, width, height);
      if (painted) {
        const { view: from, pad } = painted;
        const f = current.k / from.k;
        const [left, top] = [current.x - (from.x + pad) * f, current.y - (from.y + pad) * f];
        c.drawImage(layer, left, top, (layer.width / ratio) * f, (layer.height / ratio) * f);
      }
      if (scene) top?.(c, { ...scene, view: current });
      rings(c, current);
      root.dataset.zoom = (current.k / fitted.k).toFixed(3);
      if (!problem.hidden) problem.hidden = true;
    } catch (error) {
      problem.textContent = `The map could not be drawn: ${error}. The figures are still correct; reload the page to try again.`;
      problem.hidden = false;
    }
  }

  /**
   * Paint all points on a layer somewhat larger than the visible part. Panning or hovering then costs one copy of the
   * layer, however many points there are.
   * @param {CanvasRenderingContext2D} c @param {View} current @param {number} width @param {number} height @param {number} ratio
   */
  function paint(c, current, width, height, ratio) {
    const pad = x.length > MANY ? Math.round(0.25 * Math.max(width, height)) : 0;
    for (let i = 0; i < x.length; i += 1) {
      x[i] = current.x + xy[2 * i] * current.k;
      y[i] = current.y - xy[2 * i + 1] * current.k;
      const edge = pad + MARGIN;
      seen[i] = x[i] > -edge && x[i] < width + edge && y[i] > -edge && y[i] < height + edge ? 1 : 0;
    }
    const { color: ink, fontFamily: font } = getComputedStyle(root);
    const surface = getComputedStyle(root.closest(".fr-lab") ?? root).backgroundColor;
    const look = { ink, soft: getComputedStyle(help).color, surface, font };
    const zoomed = current.k / fitted.k;
    scene = { x, y, seen, view: current, zoom: zoomed, width, height, ...look };
    resize(layer, width + 2 * pad, height + 2 * pad, ratio);
    c.setTransform(ratio, 0, 0, ratio, ratio * pad, ratio * pad);
    c.clearRect(-pad, -pad, width + 2 * pad, height + 2 * pad);
    under?.(c, scene);
    dots(c, scene);
    over?.(c, scene);
    painted = { view: current, pad, width, height };
  }

  /** One path for each kind of point. @param {CanvasRenderingContext2D} c @param {Scene} scene */
  function dots(c, { ink, soft, surface }) {
    const { kind, kinds, lit } = look;
    const normal = look.radius ?? 4;
    c.lineWidth = 1.5;
    for (const bright of lit ? [0, 1] : [1]) {
      kinds.forEach(({ color: name, shape = "circle", hollow, radius = normal, opacity = 1 }, k) => {
        const color = { ink, soft }[name] ?? name;
        c.globalAlpha = opacity * (bright ? 1 : faint);
        c.beginPath();
        for (let i = 0; i < x.length; i += 1) {
          if (!seen[i] || kind[i] !== k || (lit && lit[i] !== bright)) continue;
          trace(c, shape, x[i], y[i], hollow ? radius - 0.5 : radius);
        }
        c.fillStyle = hollow ? surface : color;
        c.strokeStyle = hollow ? color : surface;
        // an outline separates a point from its neighbours
        if (!hollow && bright && x.length <= MANY) c.stroke();
        c.fill();
        if (hollow) c.stroke();
      });
    }
    c.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} c @param {View} current */
  function rings(c, current) {
    for (const [i, wide] of [
      [look.chosen ?? -1, 2.5],
      [hovered, 1.5],
    ]) {
      if (i < 0 || i >= x.length) continue;
      c.lineWidth = wide;
      c.strokeStyle = getComputedStyle(root).color;
      mark(
        c,
        "circle",
        current.x + xy[2 * i] * current.k,
        current.y - xy[2 * i + 1] * current.k,
        (look.radius ?? 4) + 4,
      );
      c.stroke();
    }
  }

  /** Show the painted layer, only shifted, until the movement pauses. */
  function move() {
    clearTimeout(moving);
    moving = setTimeout(() => {
      moving = undefined;
      redraw();
    }, REST_MS);
    frame();
  }

  function redraw() {
    painted = null;
    frame();
  }

  function frame() {
    if (!asked && !signal.aborted) requestAnimationFrame(draw);
    asked = true;
  }

  /** @param {View} wanted limited, so that the zoom is useful and some points remain visible */
  function lookAt(wanted) {
    const { width, height } = size();
    const k = Math.min(Math.max(wanted.k, fitted.k * 0.5), fitted.k * MOST_ZOOM);
    const { x: left, y: top } = zoomAt(wanted, k / wanted.k, width / 2, centre(height));
    const [cx, cy] = [(width / 2 - fitted.x) / fitted.k, (fitted.y - centre(height)) / fitted.k];
    const reach = Math.max(width, height) * (k / fitted.k) * 0.5;
    const keep = (/** @type {number} */ value, /** @type {number} */ middle) =>
      Math.min(Math.max(value, middle - reach), middle + reach);
    view = {
      k,
      x: keep(left + cx * k, width / 2) - cx * k,
      y: keep(top - cy * k, centre(height)) + cy * k,
    };
    move();
  }

  /** @param {number} factor @param {number} [px] @param {number} [py] */
  function zoom(factor, px = size().width / 2, py = centre(size().height)) {
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
    frame();
  }

  /** @param {number} i scroll a point into view */
  function reveal(i) {
    const { width, height } = size();
    const current = now();
    const [px, py] = [current.x + xy[2 * i] * current.k, current.y - xy[2 * i + 1] * current.k];
    const shift = (/** @type {number} */ at, /** @type {number} */ end) =>
      Math.max(MARGIN - at, 0) + Math.min(end - MARGIN - at, 0);
    const [dx, dy] = [shift(px, width), shift(py, height)];
    if (dx || dy) pan(dx, dy);
  }

  /** The point under the pointer, or else the chosen one. */
  const chosen = () => (hovered >= 0 ? hovered : (look.chosen ?? -1));

  /** @param {number} px @param {number} py */
  function pointAt(px, py) {
    const current = now();
    return grid.near((px - current.x) / current.k, (current.y - py) / current.k, REACH / current.k);
  }

  followPointer(canvas, {
    signal,
    pan,
    zoom,
    hover: (at) => hover(at ? pointAt(...at) : -1),
    choose: (px, py) => onChoose(pointAt(px, py)),
  });
  followKeys(canvas, {
    first: () => step(0),
    last: () => step(x.length - 1),
    choose: () => onChoose(chosen()),
    leave: () => {
      hover(-1);
      onChoose(-1);
    },
    zoom,
    pan,
    showAll,
    step: (dx, dy) => step(chosen() < 0 ? grid.near(...middle(), Infinity) : towards(xy, chosen(), dx, dy)),
  });
  canvas.addEventListener("blur", () => hover(-1));

  /** @returns {[number, number]} the point in the middle of the visible part */
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
    tools,
    redraw,
    /** Paint only what `top` paints. */
    refresh: frame,
    showAll,
    /** @param {Float32Array} points x, y, x, y, ... @param {boolean} [keep] keep the view, for example if the points are the same */
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
    /** What the whole map shows, if not exactly its points. @param {number[]} around x, y, x, y, ... */
    setExtent(around) {
      extent = Float32Array.from(around);
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

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height @param {number} ratio */
function resize(canvas, width, height, ratio) {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width === w && canvas.height === h) return;
  canvas.width = w;
  canvas.height = h;
}

/** @param {Painted | null} painted @param {View} view @param {number} width @param {number} height */
function same(painted, view, width, height) {
  if (!painted || painted.width !== width || painted.height !== height) return false;
  return painted.view.k === view.k && painted.view.x === view.x && painted.view.y === view.y;
}

/** The card in the corner of a map that describes the point under the pointer: its face, if there is one, and words. */
export function createCard() {
  const face = h("canvas", { class: "fr-face", width: 48, height: 48, hidden: true });
  const words = h("span");
  return {
    root: h("div", { class: "fr-map-card", role: "status" }, face, words),
    face,
    /** @param {string} text "" to hide the card */
    show(text) {
      face.hidden = true;
      words.textContent = text;
    },
  };
}
