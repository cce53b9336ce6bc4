// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { mark, overlap, placeLabel } from "../../fr_explore_widgets/shared/brush.js";
import { createMap, cutSprite, fitBox, nearest } from "../../fr_explore_widgets/shared/map.js";
import { fakeCanvas } from "../fake_model.js";

let calls;

beforeEach(() => {
  calls = fakeCanvas(vi);
});

afterEach(() => vi.restoreAllMocks());

test("points fit into the box with one scale, y upwards", () => {
  const { k, to } = fitBox(
    [
      [0, 0],
      [2, 1],
    ],
    220,
    220,
    10,
  );
  expect(k).toBe(100);
  expect(to([0, 0])).toEqual([10, 160]);
  expect(to([2, 1])).toEqual([210, 60]);
  expect(fitBox([[3, 3]], 100, 100).to([3, 3])).toEqual([50, 50]);
});

test("the nearest point within reach", () => {
  const points = [
    [0, 0],
    [10, 0],
  ];
  expect(nearest(points, 8, 1, 5)).toBe(1);
  expect(nearest(points, 5, 20, 5)).toBe(-1);
  expect(nearest([], 0, 0, 5)).toBe(-1);
});

test("labels take the first free position inside the map, or are omitted", () => {
  const first = placeLabel([50, 50], 20, 15, 100, []);
  expect([first.x, first.y]).toEqual([50, 65]);
  const second = placeLabel([50, 50], 20, 15, 100, [first.box]);
  expect(second.y).toBe(35);
  expect(overlap(first.box, second.box)).toBe(false);
  expect(placeLabel([2, 50], 20, 15, 100, []).x).toBe(20);
  expect(placeLabel([50, 50], 20, 15, 100, [[0, 0, 100, 100]])).toBeNull();
});

test.each([
  ["circle", "arc", 1],
  ["square", "lineTo", 3],
  ["triangle-up", "lineTo", 2],
  ["cross", "lineTo", 11],
])("a %s is drawn with its corners", (shape, call, count) => {
  const c = document.createElement("canvas").getContext("2d");
  mark(c, shape, 5, 5, 2);
  expect(calls.filter(([name]) => name === call)).toHaveLength(count);
});

test("a sprite is cut into pictures by its bytes, with an offset into the buffer", () => {
  const bytes = new Uint8Array(2 + 2 * 3 * 4).fill(7);
  const view = new DataView(bytes.buffer, 2, 24);
  expect(cutSprite(view, 2, 2)).toHaveLength(2);
  expect(cutSprite(view, 2, 5)).toHaveLength(2);
  const [, image] = calls.find(([name]) => name === "putImageData");
  expect([...image.data.slice(0, 4)]).toEqual([7, 7, 7, 255]);
});

test("the trail grows with each new point and restarts with another face", () => {
  const stop = new AbortController();
  const map = createMap({ signal: stop.signal, nameOf: String });
  const step = { color: "#123456", shape: "circle", label: "age", name: "age" };
  const at = (point, more = {}) =>
    map.move(point, { who: 0, fresh: false, reference: [0, 0], step, ...more });
  at([0, 0]);
  at([1, 0]);
  at([1, 0]); // the same point is not a step
  at([1, 1]);
  expect(map.root.dataset.trail).toBe("3");
  expect(map.root.dataset.point).toBe("1,1");
  at([5, 5], { who: 1 });
  expect(map.root.dataset.trail).toBe("1");
  at([6, 5], { who: 1 });
  at([7, 5], { who: 1, fresh: true });
  expect(map.root.dataset.trail).toBe("1");
  stop.abort();
});
