// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { mark, overlap, placeLabel } from "../../fr_explore_widgets/shared/brush.js";
import { fakeCanvas } from "../fake_model.js";

let calls;

beforeEach(() => {
  calls = fakeCanvas(vi);
});

afterEach(() => vi.restoreAllMocks());

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
