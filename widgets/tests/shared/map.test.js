// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createMap } from "../../fr_explore_widgets/shared/map.js";
import { createGrid, fitView, towards, zoomAt } from "../../fr_explore_widgets/shared/map_math.js";
import { fakeCanvas } from "../fake_model.js";

let calls;
let frames;
let stop;

beforeEach(() => {
  calls = fakeCanvas(vi);
  frames = [];
  stop = new AbortController();
  vi.stubGlobal("requestAnimationFrame", (callback) => frames.push(callback));
});

afterEach(() => {
  stop.abort();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Numbers that look random and are the same in every run. */
function numbers(count, seed = 1) {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  });
}

function frame() {
  for (const callback of frames.splice(0)) callback();
}

function createTestMap(options = {}) {
  const one = createMap({ signal: stop.signal, label: "Map", ...options });
  document.body.append(one.root);
  // 28 px of the height are for the tools
  Object.defineProperties(one.canvas, { clientWidth: { value: 400 }, clientHeight: { value: 348 } });
  return one;
}

function pointer(type, x, y, more = {}) {
  const event = new MouseEvent(type, { bubbles: true, button: 0, ...more });
  Object.defineProperties(event, {
    offsetX: { value: x },
    offsetY: { value: y },
    pointerId: { value: more.id ?? 1 },
  });
  return event;
}

const press = (node, key, more = {}) =>
  node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
const square = Float32Array.of(0, 0, 1, 0, 0, 1, 1, 1);
const look = { kind: Uint8Array.of(0, 0, 0, 0), kinds: [{ color: "#123456" }] };
/** The points that were painted, [x, y]; a ring has another radius. */
const dots = () => calls.filter(([name, , , r]) => name === "arc" && r === 4).map(([, x, y]) => [x, y]);
const rings = () => calls.filter(([name, , , r]) => name === "arc" && r === 8).map(([, x, y]) => [x, y]);
const copies = () =>
  calls.filter(([name]) => name === "drawImage").map(([, , ...where]) => where.map(Math.round));

test("all points fit, with one scale and y upwards; points with NaN are ignored", () => {
  expect(fitView(Float32Array.of(0, 0, 2, 1, Number.NaN, 9), 220, 220, 10)).toEqual({
    k: 100,
    x: 10,
    y: 160,
  });
  expect(fitView(Float32Array.of(3, 3), 100, 100)).toEqual({ k: 1, x: 47, y: 53 });
  expect(Object.values(fitView(new Float32Array(0), 100, 100)).every(Number.isFinite)).toBe(true);
});

test("zooming keeps the point under the pointer fixed", () => {
  const view = { k: 10, x: 50, y: 60 };
  const after = zoomAt(view, 3, 80, 20);
  const under = (v) => [(80 - v.x) / v.k, (v.y - 20) / v.k];
  expect(after.k).toBe(30);
  expect(under(after)[0]).toBeCloseTo(under(view)[0]);
  expect(under(after)[1]).toBeCloseTo(under(view)[1]);
});

test("the grid finds the same nearest point as an exhaustive search", () => {
  const xy = numbers(2000);
  xy[10] = Number.NaN;
  const grid = createGrid(xy);
  const asked = numbers(400, 7);
  let missed = 0;
  for (let a = 0; a < asked.length; a += 2) {
    const reach = [0.01, 0.05, 0.8][(a / 2) % 3];
    let [best, least] = [-1, reach];
    for (let i = 0; i < xy.length / 2; i += 1) {
      const d = Math.hypot(xy[2 * i] - asked[a] * 1.4, xy[2 * i + 1] - asked[a + 1] * 1.4);
      if (d < least) [best, least] = [i, d];
    }
    expect(grid.near(asked[a] * 1.4, asked[a + 1] * 1.4, reach)).toBe(best);
    missed += Number(best < 0);
  }
  expect(missed).toBeGreaterThan(20);
  expect(missed).toBeLessThan(180);
  expect(createGrid(new Float32Array(0)).near(0, 0, 1)).toBe(-1);
  expect(createGrid(Float32Array.of(2, 2)).near(0, 0, Infinity)).toBe(0);
});

test("arrow keys go to the nearest point ahead", () => {
  const xy = Float32Array.of(0, 0, 2, 0.1, 1, 3, -1, 0, Number.NaN, 0);
  expect(towards(xy, 0, 1, 0)).toBe(1);
  expect(towards(xy, 0, 0, 1)).toBe(2);
  expect(towards(xy, 3, -1, 0)).toBe(-1);
});

test("points are painted where they fit, the others of a selection faint and first", () => {
  const map = createTestMap();
  map.setPoints(square);
  map.setLook(look);
  frame();
  expect(dots()).toEqual([
    [60, 300],
    [340, 300],
    [60, 20],
    [340, 20],
  ]);
  calls.length = 0;
  map.setLook({ lit: Uint8Array.of(1, 0, 0, 0), chosen: 0 });
  frame();
  expect(dots()[3]).toEqual([60, 300]);
  expect(
    calls
      .filter(([name]) => name === "arc")
      .at(-1)
      .slice(1, 4),
  ).toEqual([60, 300, 8]);
});

test("a kind of points has its own size, and the whole map may show more than its points", () => {
  const map = createTestMap();
  map.setPoints(square);
  map.setLook({ kind: Uint8Array.of(0, 1, 0, 0), kinds: [{ color: "ink" }, { color: "soft", radius: 2 }] });
  frame();
  expect(dots()).toHaveLength(3);
  calls.length = 0;
  map.setExtent([0, 0, 2, 2]);
  frame();
  expect(dots()).toEqual([[60, 300], [60, 160], [200, 160]]); // biome-ignore format: three points
});

test("many changes cost one frame", () => {
  const map = createTestMap();
  map.setPoints(square);
  map.setLook(look);
  map.redraw();
  expect(frames).toHaveLength(1);
});

test("hovering draws a ring and repaints no points", () => {
  const map = createTestMap();
  map.setPoints(square);
  map.setLook(look);
  frame();
  calls.length = 0;
  press(map.canvas, "End");
  frame();
  expect(dots()).toEqual([]);
  expect(copies()).toHaveLength(1);
  expect(rings()).toEqual([[340, 20]]);
});

test("many points move as an image during a drag, and are repainted when it pauses", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const map = createTestMap();
  map.setPoints(numbers(2000));
  map.setLook({ kind: new Uint8Array(1000), kinds: look.kinds });
  frame();
  expect(dots()).toHaveLength(1000);
  expect(copies()).toEqual([[-100, -100, 600, 548]]);
  calls.length = 0;
  press(map.canvas, "ArrowLeft", { shiftKey: true });
  frame();
  expect(dots()).toEqual([]);
  expect(copies()).toEqual([[-40, -100, 600, 548]]);
  press(map.canvas, "+");
  frame();
  expect(copies()[1][2]).toBe(900);
  vi.advanceTimersByTime(500);
  calls.length = 0;
  frame();
  expect(dots().length).toBeGreaterThan(500);
  vi.useRealTimers();
});

test("a drag pans, a click chooses, and moving the pointer hovers", () => {
  const seen = [];
  const chosen = [];
  const map = createTestMap({ onHover: (i) => seen.push(i), onChoose: (i) => chosen.push(i) });
  map.setPoints(square);
  map.setLook(look);
  const { canvas } = map;
  canvas.dispatchEvent(pointer("pointermove", 338, 298));
  canvas.dispatchEvent(pointer("pointermove", 200, 160));
  expect(seen).toEqual([1, -1]);
  canvas.dispatchEvent(pointer("pointerdown", 62, 22));
  canvas.dispatchEvent(pointer("pointerup", 62, 22));
  expect(chosen).toEqual([2]);
  canvas.dispatchEvent(pointer("pointerdown", 100, 100));
  for (const x of [110, 120, 130]) canvas.dispatchEvent(pointer("pointermove", x, 90));
  canvas.dispatchEvent(pointer("pointerup", 130, 90));
  calls.length = 0;
  frame();
  expect(dots()[0]).toEqual([90, 290]);
  expect(chosen).toHaveLength(1);
});

test("two fingers zoom, the wheel zooms if the map has the focus", () => {
  const map = createTestMap();
  map.setPoints(square);
  map.setLook(look);
  const { canvas } = map;
  canvas.dispatchEvent(pointer("pointerdown", 150, 160, { id: 1 }));
  canvas.dispatchEvent(pointer("pointerdown", 250, 160, { id: 2 }));
  canvas.dispatchEvent(pointer("pointermove", 350, 160, { id: 2 }));
  frame();
  expect(map.root.dataset.zoom).toBe("2.000");
  const wheel = () => {
    const event = new WheelEvent("wheel", { deltaY: -100, bubbles: true, cancelable: true });
    Object.defineProperties(event, { offsetX: { value: 10 }, offsetY: { value: 10 } });
    canvas.dispatchEvent(event);
    frame();
    return event.defaultPrevented;
  };
  expect(wheel()).toBe(false);
  expect(map.root.dataset.zoom).toBe("2.000");
  canvas.focus();
  expect(wheel()).toBe(true);
  expect(Number(map.root.dataset.zoom)).toBeCloseTo(2 * Math.exp(0.25), 2);
});

test("keys replace the pointer", () => {
  const seen = [];
  const chosen = [];
  const map = createTestMap({ onHover: (i) => seen.push(i), onChoose: (i) => chosen.push(i) });
  map.setPoints(square);
  map.setLook(look);
  frame();
  press(map.canvas, "Home");
  press(map.canvas, "ArrowRight");
  press(map.canvas, "ArrowUp");
  press(map.canvas, "Enter");
  press(map.canvas, "End");
  press(map.canvas, "Escape");
  expect(seen).toEqual([0, 1, 3, -1]);
  expect(chosen).toEqual([3, -1]);
  press(map.canvas, "+");
  frame();
  expect(map.root.dataset.zoom).toBe("1.500");
  press(map.canvas, "0");
  frame();
  press(map.canvas, "ArrowLeft", { shiftKey: true });
  calls.length = 0;
  frame();
  expect(dots()[0]).toEqual([120, 300]);
  for (let i = 0; i < 40; i += 1) press(map.canvas, "PageUp");
  frame();
  expect(map.root.dataset.zoom).toBe("60.000");
  expect(press(map.canvas, "z", { ctrlKey: true })).toBe(true); // left to the widget, which undoes
});

test("a map that cannot be painted reports it", () => {
  HTMLCanvasElement.prototype.getContext.mockReturnValue(null);
  const map = createTestMap();
  map.setPoints(square);
  frame();
  const alert = map.root.querySelector("[role=alert]");
  expect(alert.hidden).toBe(false);
  expect(alert.textContent).toContain("The map could not be drawn: Error: this browser gives no 2D canvas");
});
