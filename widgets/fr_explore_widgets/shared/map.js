// The map: the gallery in the background, the reference, the path of the embedding, the current point. Canvas 2D.

import { createBrush } from "./brush.js";
import { h, toRGBA } from "./dom.js";

/** @typedef {import("./types").GalleryPoint} GalleryPoint */
/** @typedef {ReturnType<typeof createBrush>} Brush */
/**
 * @typedef {{x: number, y: number, color: string, shape: string, label: string, name: string, lift?: boolean,
 *   rough?: boolean}} Step `lift`: no line from the previous step; `rough`: of a drag, replaced by the exact step
 */
/** @typedef {{vector: [number, number], color: string, share: number}} Arrow `share` of its length visible in the plane */

const MARGIN = 22;
const MAX_STEPS = 600;

/**
 * The scale and shift that fit points into a box, with the same scale in both directions.
 * @param {[number, number][]} points
 * @param {number} width
 * @param {number} height
 * @param {number} [margin]
 */
export function fitBox(points, width, height, margin = MARGIN) {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const k = Math.min(
    (width - 2 * margin) / Math.max(right - left, 1e-9),
    (height - 2 * margin) / Math.max(high - low, 1e-9),
  );
  const [cx, cy] = [(left + right) / 2, (low + high) / 2];
  return {
    k,
    /** @param {[number, number]} p @returns {[number, number]} */
    to: ([x, y]) => [width / 2 + (x - cx) * k, height / 2 - (y - cy) * k],
  };
}

/**
 * The index of the point nearest to (x, y), or -1 if none is within `reach`.
 * @param {[number, number][]} points
 * @param {number} x
 * @param {number} y
 * @param {number} reach
 */
export function nearest(points, x, y, reach) {
  let best = -1;
  let least = reach * reach;
  points.forEach(([px, py], i) => {
    const d = (px - x) ** 2 + (py - y) ** 2;
    if (d <= least) {
      least = d;
      best = i;
    }
  });
  return best;
}

/**
 * @param {{signal: AbortSignal, nameOf: (place: number) => string}} options
 */
export function createMap({ signal, nameOf }) {
  const canvas = h("canvas", { class: "fr-map-canvas", role: "img", "aria-label": "Map of embeddings" });
  const face = h("canvas", { class: "fr-map-face", width: 48, height: 48 });
  const name = h("span");
  const card = h("div", { class: "fr-map-card", hidden: true, "aria-hidden": "true" }, face, name);
  const wait = h("p", { class: "fr-map-wait", text: "Rendering the gallery for the map" });
  const root = h("div", { class: "fr-map-box", "data-trail": 0 }, canvas, card, wait);

  /** @type {GalleryPoint[]} */
  let gallery = [];
  /** @type {HTMLCanvasElement[]} */
  let thumbs = [];
  /** @type {Step[]} */
  let trail = [];
  /** @type {[number, number] | null} */
  let reference = null;
  /** @type {Arrow | null} */
  let arrow = null;
  let close = false;
  let place = 0;
  let asked = false;
  /** @type {[number, number][]} */
  let onScreen = [];

  function size() {
    const width = root.clientWidth || 400;
    const height = root.clientHeight || 300;
    const ratio = globalThis.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    return { width, height, ratio };
  }

  function draw() {
    asked = false;
    if (signal.aborted || !gallery.length) return;
    const c = canvas.getContext("2d");
    if (!c) return;
    const { width, height, ratio } = size();
    const style = getComputedStyle(root);
    const brush = createBrush(c, {
      ink: style.color,
      surface: style.getPropertyValue("--fr-surface").trim() || "white",
      font: style.fontFamily,
      dark: root.closest('[data-theme="dark"]') !== null,
      width,
    });
    const own = gallery.map((p) => /** @type {[number, number]} */ ([p[0], p[1]]));
    const path = trail.map((s) => /** @type {[number, number]} */ ([s.x, s.y]));
    // close up: only the faces of the current identity
    const around = close && path.length ? own.filter((_, i) => gallery[i][2] === place) : own;
    const { to } = fitBox([...around, ...path, ...(reference ? [reference] : [])], width, height);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    onScreen = own.map(to);
    gallery.forEach(([, , who, neutral], i) => {
      const alpha = who === place ? 0.75 : neutral ? 0.5 : 0.2;
      brush.dot(onScreen[i], neutral ? 3.5 : 2.2, alpha, neutral ? nameOf(who) : "");
    });
    if (reference) brush.ring(to(reference), 8);
    drawTrail(brush, path.map(to));
    if (reference) brush.label("reference", to(reference), 17);
  }

  /** @param {Brush} brush @param {[number, number][]} path */
  function drawTrail(brush, path) {
    for (let i = 1; i < path.length; i += 1) {
      if (!trail[i].lift) brush.line(path[i - 1], path[i], trail[i].color);
    }
    const last = path.length - 1;
    const turns = path.map((_, i) => i).filter((i) => i && i < last && trail[i].name !== trail[i + 1].name);
    for (const i of turns) brush.point(path[i], 3.5, trail[i].shape, trail[i].color);
    if (last < 0) return;
    if (arrow) drawArrow(brush, path[last], arrow);
    brush.point(path[last], 6, trail[last].shape, trail[last].color);
    // the present attribute gets its label first, older ones where room is left
    for (const i of [last, ...turns.reverse()]) {
      brush.label(trail[i].label, path[i], i === last ? 17 : 13, trail[i].color);
    }
  }

  /** The tangent: a direction, as long as the share of it that lies in the plane. @param {Brush} brush @param {[number, number]} from @param {Arrow} arrow */
  function drawArrow(brush, [x, y], { vector: [vx, vy], color, share }) {
    const length = Math.hypot(vx, vy);
    if (!length) return;
    const [ux, uy] = [vx / length, -vy / length];
    const reach = 16 + 44 * Math.min(share, 1);
    /** @type {[number, number]} */
    const tip = [x + ux * reach, y + uy * reach];
    brush.line([x, y], tip, color);
    for (const side of [-1, 1]) {
      brush.line(tip, [tip[0] - 7 * ux + side * 4.5 * uy, tip[1] - 7 * uy - side * 4.5 * ux], color);
    }
  }

  function redraw() {
    if (!asked && !signal.aborted) requestAnimationFrame(draw);
    asked = true;
  }

  canvas.addEventListener("pointermove", (event) => {
    const i = nearest(onScreen, event.offsetX, event.offsetY, 14);
    card.hidden = i < 0;
    if (i < 0) return;
    const [, , who, neutral] = gallery[i];
    const thumb = thumbs[who];
    if (thumb) face.getContext("2d")?.drawImage(thumb, 0, 0, 48, 48);
    name.textContent = neutral ? `identity ${nameOf(who)}` : `identity ${nameOf(who)}, varied`;
    card.style.left = `${Math.min(Math.max(event.offsetX + 12, 0), root.clientWidth - 150)}px`;
    card.style.top = `${Math.max(event.offsetY - 64, 0)}px`;
  });
  canvas.addEventListener("pointerleave", () => {
    card.hidden = true;
  });
  if (globalThis.ResizeObserver) {
    const observer = new ResizeObserver(redraw);
    observer.observe(root);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  return {
    root,
    redraw,
    /** @param {string} text */
    progress(text) {
      wait.textContent = text;
      wait.hidden = false;
    },
    /** @param {GalleryPoint[]} points @param {HTMLCanvasElement[]} pictures by place */
    setGallery(points, pictures) {
      gallery = points;
      thumbs = pictures;
      wait.hidden = true;
      redraw();
    },
    /**
     * @param {[number, number]} point
     * @param {{who: number, fresh: boolean, reference: [number, number] | null, step: Omit<Step, "x" | "y">}} more
     */
    move([x, y], { who, fresh, reference: pinned, step }) {
      if (fresh || who !== place) trail = [];
      place = who;
      reference = pinned;
      arrow = null;
      if (!step.rough && trail[trail.length - 1]?.rough) trail.pop();
      const last = trail[trail.length - 1];
      if (!last || last.x !== x || last.y !== y) trail.push({ x, y, ...step });
      if (trail.length > MAX_STEPS) trail.splice(1, trail.length - MAX_STEPS);
      root.dataset.trail = String(trail.length);
      root.dataset.point = `${x},${y}`;
      redraw();
    },
    /** Show the tangent at the current point until the point moves. @param {Arrow | null} tangent */
    point(tangent) {
      arrow = tangent;
      root.dataset.tangent = String(tangent !== null);
      redraw();
    },
    /** Fit the path and its identity's faces, or the whole gallery. @param {boolean} on */
    zoom(on) {
      close = on;
      redraw();
    },
    /** @param {string} text */
    describe(text) {
      canvas.setAttribute("aria-label", text);
    },
  };
}

/**
 * Cut a sprite, square RGB pictures in one column, into canvases.
 * @param {DataView} view
 * @param {number} side
 * @param {number} count
 */
export function cutSprite(view, side, count) {
  const bytes = 3 * side * side;
  return Array.from({ length: Math.min(count, Math.floor(view.byteLength / bytes)) }, (_, i) => {
    const canvas = h("canvas", { width: side, height: side });
    const c = canvas.getContext("2d");
    const image = c?.createImageData(side, side);
    if (c && image) {
      image.data.set(toRGBA(view, i * bytes, side * side));
      c.putImageData(image, 0, 0);
    }
    return canvas;
  });
}
