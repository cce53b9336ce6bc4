// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  AGAIN_MS,
  CALM_MS,
  CALMEST_MS,
  CROWD_MS,
  createLink,
  enqueue,
  PATIENCE_MS,
} from "../../fr_explore_widgets/shared/link.js";
import { fakeModel } from "../fake_model.js";

const set = (values, phase = "drag") => ({ action: "set", values, moved: Object.keys(values)[0], phase });

let model;
let stop;
let silence;
let link;

beforeEach(() => {
  vi.useFakeTimers();
  model = fakeModel({});
  stop = new AbortController();
  silence = [];
  link = createLink(model, { signal: stop.signal, banner: (text) => silence.push(text !== "") });
});

afterEach(() => {
  stop.abort();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const requests = () => model.sent.map((message) => message.request);
const answer = (seq) => link.settle({ client: link.client, seq });

test("slider values merge, buttons keep their order", () => {
  let waiting = [];
  for (const command of [
    set({ age: 1 }),
    set({ age: 2 }),
    set({ hue: 3 }, "commit"),
    { action: "undo" },
    set({ age: 4 }),
  ]) {
    waiting = enqueue(waiting, command);
  }
  expect(waiting).toEqual([
    { action: "set", values: { age: 2, hue: 3 }, moved: "hue", phase: "commit" },
    { action: "undo" },
    set({ age: 4 }),
  ]);
});

test("one request is in flight and the last value of a burst arrives exactly", () => {
  for (let i = 1; i <= 200; i += 1) link.send(set({ age: i / 3 }));
  link.send(set({ age: 200 / 3 }, "commit"));
  expect(requests()).toHaveLength(1);
  expect(answer(1)).toBe(true);
  expect(requests()).toHaveLength(2);
  expect(requests()[1]).toMatchObject({ seq: 2, values: { age: 200 / 3 }, phase: "commit" });
  expect(link.busy).toBe(true);
  answer(2);
  expect(link.busy).toBe(false);
});

test("answers to other views and to older requests are ignored", () => {
  link.send(set({ age: 1 }));
  expect(link.settle({ client: "another", seq: 1 })).toBe(false);
  expect(answer(0)).toBe(false);
  expect(link.busy).toBe(true);
  answer(1);
});

test("a silent kernel is reported, and the next command is still sent", () => {
  link.send(set({ age: 1 }));
  vi.advanceTimersByTime(PATIENCE_MS);
  expect(silence).toEqual([true]);
  link.send(set({ age: 2 }));
  expect(requests()).toHaveLength(2);
  expect(answer(1)).toBe(false); // the answer to the abandoned request
  expect(answer(2)).toBe(true);
  expect(silence).toEqual([true, false]);
});

test("nothing is sent while the kernel is gone", () => {
  link.send(set({ age: 1 }));
  link.connect(false);
  link.send(set({ age: 2 }));
  expect(requests()).toHaveLength(1);
  link.connect(true);
  link.send(set({ age: 3 }));
  expect(requests()[1].values).toEqual({ age: 3 });
  answer(2);
});

test("moves of a user, one per frame, wait only for the answer", () => {
  for (let i = 1; i <= 5; i += 1) {
    link.send(set({ age: i }));
    expect(requests()).toHaveLength(i);
    answer(i);
    vi.advanceTimersByTime(17);
  }
});

test("more moves than frames become few requests, and the last value is sent at once", () => {
  for (let i = 1; i <= 200; i += 1) {
    link.send(set({ age: i }));
    vi.advanceTimersByTime(5);
    answer(requests().length); // an answer within 5 ms
  }
  link.send(set({ age: 200 }, "commit"));
  expect(requests()[0].values).toEqual({ age: 1 });
  expect(requests().at(-1)).toMatchObject({ values: { age: 200 }, phase: "commit" });
  expect(requests().length).toBeGreaterThan(5);
  expect(requests().length).toBeLessThanOrEqual(Math.ceil(1000 / CROWD_MS) + 4);
  answer(requests().length);
});

test("while the page draws a drag itself, the kernel hears of it when it pauses, and a few times a second", () => {
  const drawn = (age) => ({ ...set({ age }), drawn: true });
  for (let i = 1; i <= 200; i += 1) {
    link.send(drawn(i));
    vi.advanceTimersByTime(5);
    answer(requests().length);
  }
  expect(requests()).toHaveLength(1000 / CALMEST_MS - 1);
  link.send({ ...set({ age: 200 }, "commit"), drawn: true });
  expect(requests().at(-1)).toMatchObject({ values: { age: 200 }, phase: "commit" });
  answer(requests().length);
  link.send(drawn(201));
  link.send({ action: "undo" }); // a button does not wait, and comes after the slider
  expect(requests().at(-1)).toMatchObject({ values: { age: 201 } });
  answer(requests().length);
  answer(requests().length);
  link.send(drawn(202));
  vi.advanceTimersByTime(CALM_MS);
  expect(requests().at(-1)).toMatchObject({ values: { age: 202 }, phase: "drag" });
  answer(requests().length);
});

test("the end of a move waits for the pending request, in order", () => {
  link.send(set({ age: 1 }));
  link.send(set({ age: 2 }));
  link.send({ action: "undo" });
  expect(requests()).toHaveLength(1);
  answer(1);
  expect(requests()[1].values).toEqual({ age: 2 });
  answer(2);
  link.send(set({ age: 3 }, "commit"));
  expect(requests()[2].action).toBe("undo");
  answer(3);
  expect(requests()[3].values).toEqual({ age: 3 });
  answer(4);
});

test("a request replaced by another view's is repeated unchanged", () => {
  link.send({ action: "undo" });
  model.receive({ request: { client: "another", seq: 7, action: "set" } });
  vi.advanceTimersByTime(AGAIN_MS);
  expect(requests()).toHaveLength(2);
  expect(requests()[1]).toEqual(requests()[0]);
  answer(1);
  model.receive({ request: { client: "another", seq: 8, action: "set" } });
  vi.advanceTimersByTime(AGAIN_MS);
  expect(requests()).toHaveLength(2);
});
