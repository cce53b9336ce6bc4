// Pointer and keys on a map: hover, choose, pan and zoom, as calls of a few actions.

const STILL = 4;

/**
 * A drag moves the map. The wheel zooms if the map has the focus or Ctrl is pressed, so that scrolling the page across
 * the map continues; one finger that moves vertically scrolls the page too, and two fingers zoom.
 * @param {HTMLElement} canvas
 * @param {{signal: AbortSignal, pan: (dx: number, dy: number) => void,
 *   zoom: (factor: number, x: number, y: number) => void, hover: (at: [number, number] | null) => void,
 *   choose: (x: number, y: number) => void}} actions positions and distances in canvas pixels
 */
export function followPointer(canvas, { signal, pan, zoom, hover, choose }) {
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

/**
 * @param {HTMLElement} canvas
 * @param {{first: () => void, last: () => void, choose: () => void, leave: () => void, showAll: () => void,
 *   zoom: (factor: number) => void, pan: (dx: number, dy: number) => void, step: (dx: number, dy: number) => void}} actions
 *   `step` goes to the next point in a direction, y upwards
 */
export function followKeys(canvas, { first, last, choose, leave, showAll, zoom, pan, step }) {
  /** @type {Record<string, [number, number]>} */
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const [nearer, farther] = [() => zoom(1.5), () => zoom(1 / 1.5)];
  /** @type {Record<string, () => void>} */
  const acts = {
    Home: first,
    End: last,
    Enter: choose,
    " ": choose,
    "+": nearer,
    "=": nearer,
    PageUp: nearer,
    "-": farther,
    PageDown: farther,
    0: showAll,
  };
  canvas.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape") return leave(); // other parts of the widget hear it too
    if (key in ways && event.shiftKey) pan(-60 * ways[key][0], 60 * ways[key][1]);
    else if (key in ways) step(...ways[key]);
    else if (key in acts) acts[key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
