// Pointer input on a map: hover, choose, drag, pinch and wheel, as calls of a few actions.

const STILL = 4;

/**
 * A drag moves the map. The wheel zooms if the map has the focus or Ctrl is pressed, so that scrolling the page across
 * the map continues; one finger that moves vertically scrolls the page too, and two fingers zoom.
 * @param {HTMLElement} canvas
 * @param {{signal: AbortSignal, pan: (dx: number, dy: number) => void,
 *   zoom: (factor: number, x: number, y: number) => void, hover: (at: [number, number] | null) => void,
 *   choose: (x: number, y: number) => void}} actions positions and distances in canvas pixels
 */
export function follow(canvas, { signal, pan, zoom, hover, choose }) {
  /** @type {Map<number, [number, number]>} */
  const fingers = new Map();
  let moved = 0;
  /** @param {PointerEvent | WheelEvent} event @returns {[number, number]} */
  const at = (event) => [event.offsetX, event.offsetY];

  /** The middle of the fingers and their distance. */
  function grip() {
    const places = [...fingers.values()];
    const [[ax, ay], [bx, by]] = [places[0], places[places.length - 1]];
    return { x: (ax + bx) / 2, y: (ay + by) / 2, apart: Math.hypot(ax - bx, ay - by) };
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    if (!fingers.size) moved = 0;
    fingers.set(event.pointerId, at(event));
    canvas.setPointerCapture?.(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) {
      if (!fingers.size) hover(at(event));
      return;
    }
    const before = grip();
    fingers.set(event.pointerId, at(event));
    const after = grip();
    const [dx, dy] = [after.x - before.x, after.y - before.y];
    const still = moved < STILL;
    moved += Math.hypot(dx, dy);
    if (moved < STILL && fingers.size < 2) return;
    if (still) {
      hover(null);
      canvas.classList.add("fr-held");
    }
    pan(dx, dy);
    if (before.apart > 0 && after.apart > 0) zoom(after.apart / before.apart, after.x, after.y);
  });
  /** @param {PointerEvent} event */
  function leave(event) {
    if (!fingers.delete(event.pointerId) || fingers.size) return;
    canvas.classList.remove("fr-held");
    if (event.type === "pointerup" && moved < STILL) choose(...at(event));
  }
  canvas.addEventListener("pointerup", leave);
  canvas.addEventListener("pointercancel", leave);
  canvas.addEventListener("pointerleave", () => fingers.size || hover(null));
  canvas.addEventListener("dblclick", (event) =>
    zoom(event.shiftKey ? 0.5 : 2, event.offsetX, event.offsetY),
  );
  canvas.addEventListener(
    "wheel",
    (event) => {
      const root = /** @type {Document | ShadowRoot} */ (canvas.getRootNode());
      if (!(event.ctrlKey || event.metaKey || root.activeElement === canvas)) return;
      event.preventDefault();
      const lines = event.deltaMode ? 16 * event.deltaY : event.deltaY;
      zoom(Math.exp(-Math.min(Math.max(lines, -200), 200) / 400), ...at(event));
    },
    { passive: false, signal },
  );
}
