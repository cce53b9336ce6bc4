// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createHand, QUICK_MS, REST_MS } from "../../fr_explore_widgets/attribute/hand.js";
import { createStore } from "../../fr_explore_widgets/engine/store.js";
import { fakeModel } from "../fake_model.js";

const engine = {
  addHead: vi.fn(async () => {}),
  addPerson: vi.fn(async () => {}),
  addModel: vi.fn(async () => {}),
  draw: vi.fn(async ({ size, values }) => {
    return {
      pixels: new Uint8ClampedArray(4 * size * size),
      size,
      landmarks: [],
      picture: [values.age, size],
    };
  }),
  embed: vi.fn(async ({ picture, models: [name] }) => ({ [name]: picture })),
};
vi.mock("../../fr_explore_widgets/engine/client.js", async (original) => ({
  ...(await original()),
  startEngine: vi.fn(async () => engine),
}));

/** The page's own instance. */
const near = {
  attachHead: vi.fn(),
  addPerson: vi.fn(),
  render: vi.fn((_person, size) => {
    return { pixels: new Uint8ClampedArray(4 * size * size), landmarks: [], picture: {} };
  }),
};
vi.mock("../../fr_explore_widgets/engine/renderer.js", async (original) => ({
  ...(await original()),
  createRenderer: vi.fn(async () => near),
}));
vi.mock("../../fr_explore_widgets/engine/module.js", async (original) => ({
  ...(await original()),
  inflate: async (data) => data,
}));

const PACKED = { parts: "p", files: ["worker"], people: { 0: ["h", "ann"], 1: ["h", "bob"] } };

/** A browser's cache. */
function fakeCaches() {
  const kept = new Map();
  const cache = {
    match: async (address) => kept.get(address),
    put: async (address, response) => void kept.set(address, response),
    keys: async () => [...kept.keys()],
    delete: async (address) => kept.delete(address),
  };
  vi.stubGlobal("caches", { open: async () => cache });
  return kept;
}

/** A model whose kernel sends each blob: one byte for each letter of its key. */
function talking(traits = {}, content = {}) {
  const sent = [];
  const model = fakeModel({ packed: PACKED, ...traits });
  const listeners = [];
  const { on } = model;
  model.on = (event, callback) => {
    if (event === "msg:custom") listeners.push(callback);
    else on(event, callback);
  };
  model.send = (message) => {
    sent.push(message);
    for (const key of message.keys ?? []) {
      const all = content[key] ?? Uint8Array.from(key, (letter) => letter.charCodeAt(0));
      const { from = 0, size = all.length } = message;
      const data = new DataView(all.slice(from, from + size).buffer);
      for (const listener of listeners) listener({ kind: "blob", key, all: all.length }, [data]);
    }
  };
  return { model, sent };
}

let stop;
beforeEach(() => {
  stop = new AbortController();
  globalThis.frExploreBlobs?.clear();
});
afterEach(() => {
  stop.abort();
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

test("the kernel sends a blob once per page, and it is kept in the browser's cache between reloads", async () => {
  const kept = fakeCaches();
  const first = talking();
  const blob = createStore(first.model, stop.signal);
  const [a, b] = await Promise.all([blob("ab"), createStore(first.model, stop.signal)("ab")]);
  expect([...a]).toEqual([97, 98]);
  expect(b).toBe(a);
  expect(first.sent).toEqual([{ kind: "blobs", keys: ["ab"], from: 0, size: 2 ** 16 }]);
  await vi.waitFor(() => expect(kept.size).toBe(1));
  globalThis.frExploreBlobs.clear(); // the page was loaded again
  const second = talking();
  expect([...(await createStore(second.model, stop.signal)("ab"))]).toEqual([97, 98]);
  expect(second.sent).toEqual([]);
});

test("where the browser refuses its cache, blobs come from the kernel", async () => {
  vi.stubGlobal("caches", { open: () => Promise.reject(new Error("not secure")) });
  const { model } = talking();
  expect([...(await createStore(model, stop.signal)("c"))]).toEqual([99]);
});

test.each([
  ["at once on a fast line", [], false, [2 ** 16, 600_000]],
  ["in pieces if it need not be soon", [], true, [2 ** 16, 2 ** 18, 2 ** 18, 2 ** 18]],
  [
    "in small pieces on a slow line, so that a slider is answered between them",
    Array(10).fill(1500),
    false,
    Array(10).fill(2 ** 16),
  ],
  ["in larger pieces after a busy moment", [1500], false, [16, 16, 17, 18, 19].map((power) => 2 ** power)],
])("a large blob comes %s, and whole", async (_, slow, patient, sizes) => {
  fakeCaches();
  let calls = 0; // one before each piece, one after it
  const clock = vi
    .spyOn(performance, "now")
    .mockImplementation(() => (calls++ % 2 && (slow.shift() ?? 10)) || 0);
  const large = Uint8Array.from({ length: 600_000 }, (_, i) => i % 251);
  const { model, sent } = talking({}, { large });
  expect(Buffer.compare(await createStore(model, stop.signal)("large", patient), large)).toBe(0);
  clock.mockRestore();
  expect(sent.map(({ size }) => size)).toEqual(sizes);
  let next = 0;
  for (const { from, size } of sent) {
    expect(from).toBe(next);
    next += size;
  }
});

test("the page draws a person once it has what that needs, and paints in the order of the moves", async () => {
  fakeCaches();
  const { model } = talking();
  const painted = [];
  const paint = (_drawn, place, strengths) => painted.push([place, strengths]);
  const hand = createHand({ model, signal: stop.signal, setup: { size: 2, drag_size: 2 }, paint });
  expect(hand.draws(1)).toBe(false);
  await hand.prepare(1);
  expect([hand.draws(0), hand.draws(1)]).toEqual([false, true]);
  expect(engine.addPerson.mock.calls[0].slice(0, 2)).toEqual(["h", "bob"]);
  for (const age of [40, 41, 42]) hand.move({ place: 1, strengths: { age } });
  await vi.waitFor(() => expect(painted).toEqual([40, 42].map((age) => [1, { age }]))); // 41 was overtaken
  hand.move({ place: 1, strengths: { age: 50 } });
  hand.drop(); // the kernel's picture came
  await new Promise((done) => setTimeout(done, 10));
  expect(painted).toHaveLength(2);
});

test("the page asks once for a person that is not packed, and draws him when the keys have come", async () => {
  fakeCaches();
  const { model, sent } = talking({ packed: {} });
  const hand = createHand({ model, signal: stop.signal, setup: { size: 2, drag_size: 2 }, paint: () => {} });
  await Promise.all([hand.prepare(1), hand.prepare(1)]);
  expect(sent).toEqual([{ kind: "pack", place: 1 }]);
  model.set("packed", PACKED);
  await hand.prepare(1);
  expect([hand.draws(0), hand.draws(1)]).toEqual([false, true]);
  expect(sent.flatMap(({ keys }) => keys ?? [])).toEqual(["p-worker", "h", "bob"]); // and nobody else
});

test("the page asks once for a network, which embeds the faces that it draws", async () => {
  fakeCaches();
  const { model, sent } = talking();
  const hand = createHand({ model, signal: stop.signal, setup: { size: 2, drag_size: 2 }, paint: () => {} });
  await hand.prepare(0);
  await hand.prepareModel("m");
  await hand.prepareModel("m");
  expect(sent.filter(({ kind }) => kind === "pack")).toEqual([{ kind: "pack", model: "m" }]);
  expect(hand.card("m")).toBe(null);
  const card = { name: "m", metric: "euclidean" };
  model.set("packed", { ...PACKED, models: { m: [card, "weights"], n: null } });
  await Promise.all([hand.prepareModel("m"), hand.prepareModel("n")]);
  expect([hand.card("m"), hand.card("n")]).toEqual([card, null]);
  expect(await hand.embed("m", { place: 0, strengths: { age: 40 } })).toEqual([40, 2]);
});

test("the picture on the screen is embedded as it is, until the kernel's picture replaces it", async () => {
  fakeCaches();
  const { model } = talking({ packed: { ...PACKED, models: { m: [{ name: "m" }, "weights"] } } });
  const hand = createHand({
    model,
    signal: stop.signal,
    setup: { size: 160, drag_size: 80 },
    paint: () => {},
  });
  await hand.prepare(0);
  await hand.prepareModel("m");
  expect(hand.seen()).toBe(null);
  hand.move({ place: 0, strengths: { age: 40 } });
  await vi.waitFor(() => expect(hand.seen()?.strengths).toEqual({ age: 40 }));
  engine.draw.mockClear();
  expect(await hand.embed("m", hand.seen())).toEqual([40, 80]);
  expect(engine.draw).not.toHaveBeenCalled();
  expect(await hand.embed("m", { place: 0, strengths: { age: 20 } }, 80)).toEqual([20, 80]);
  hand.drop();
  expect(hand.seen()).toBe(null);
});

test("a face in motion is drawn at once, unless it was waiting: then the browser paints the one before it", async () => {
  fakeCaches();
  const frames = [];
  vi.stubGlobal("requestAnimationFrame", (callback) => frames.push(callback));
  const { model } = talking();
  const hand = createHand({ model, signal: stop.signal, setup: { size: 2, drag_size: 2 }, paint: () => {} });
  await hand.prepare(0);
  engine.draw.mockClear();
  for (const age of [40, 41, 42]) hand.move({ place: 0, strengths: { age } });
  await vi.waitFor(() => expect(frames).toHaveLength(1));
  hand.move({ place: 0, strengths: { age: 43 } });
  expect(engine.draw.mock.calls.map(([{ values }]) => values.age)).toEqual([40]);
  frames[0]();
  await vi.waitFor(() => expect(engine.draw.mock.calls.map(([{ values }]) => values.age)).toEqual([40, 43]));
  await vi.waitFor(() => expect(hand.seen()?.strengths).toEqual({ age: 43 }));
  hand.move({ place: 0, strengths: { age: 44 } }); // no frame has passed
  await vi.waitFor(() => expect(hand.seen()?.strengths).toEqual({ age: 44 }));
  expect(frames).toHaveLength(1);
});

test("a face is drawn smaller while the slider moves, and whole when it rests or is let go", async () => {
  fakeCaches();
  const { model } = talking();
  const sides = [];
  const hand = createHand({
    model,
    signal: stop.signal,
    setup: { size: 160, drag_size: 80 },
    paint: ({ size }, _place, { age }) => sides.push([age, size]),
  });
  await hand.prepare(0);
  hand.move({ place: 0, strengths: { age: 40 } });
  await vi.waitFor(() => expect(sides).toEqual([[40, 80], [40, 160]])); // biome-ignore format: pairs
  expect(engine.draw.mock.lastCall[0].size).toBe(80); // the engine is ready for the next move
  hand.move({ place: 0, strengths: { age: 41 } });
  hand.move({ place: 0, strengths: { age: 42 } }, true);
  await vi.waitFor(() => expect(sides.at(-1)).toEqual([42, 160]));
  await new Promise((done) => setTimeout(done, REST_MS + 20));
  expect(sides.filter(([age]) => age === 42)).toHaveLength(1);
});

test("the page's own thread draws a face in motion within the slider's event, and the worker whole faces", async () => {
  fakeCaches();
  const { model } = talking();
  const painted = [];
  const setup = { size: 160, drag_size: 80 };
  const paint = ({ size }, _place, { age }) => painted.push([age, size]);
  const hand = createHand({ model, signal: stop.signal, setup, paint });
  engine.renderer = vi.fn(async () => "module");
  await hand.prepare(0);
  await vi.waitFor(() => expect(near.render).toHaveBeenCalledTimes(1));
  await new Promise((done) => setTimeout(done));
  expect(engine.draw.mock.calls.every(([{ size }]) => size === 80)).toBe(true); // until its code is fast
  engine.draw.mockClear();
  hand.move({ place: 0, strengths: { age: 40 } });
  expect(painted).toEqual([[40, 80]]);
  expect(hand.seen()?.strengths).toEqual({ age: 40 });
  await vi.waitFor(() => expect(painted.at(-1)).toEqual([40, 160]));
  expect(engine.draw.mock.calls.map(([{ size }]) => size)).toEqual([160]);
  await hand.prepare(1); // another person of the same head
  hand.move({ place: 1, strengths: { age: 50 } });
  await vi.waitFor(() => expect(near.addPerson).toHaveBeenCalledTimes(2));
  await vi.waitFor(() => expect(painted.at(-1)).toEqual([50, 160]));
  hand.move({ place: 1, strengths: { age: 51 } });
  expect(painted.at(-1)).toEqual([51, 80]);
  expect([near.attachHead.mock.calls.length, near.render.mock.lastCall[0]]).toEqual([1, "bob"]);
  delete engine.renderer;
});

test("where a small face takes long, the worker draws it", async () => {
  fakeCaches();
  const { model } = talking();
  const setup = { size: 160, drag_size: 80 };
  const hand = createHand({ model, signal: stop.signal, setup, paint: () => {} });
  engine.renderer = vi.fn(async () => "module");
  await hand.prepare(0);
  await vi.waitFor(() => expect(near.render).toHaveBeenCalledTimes(1));
  await new Promise((done) => setTimeout(done));
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 5 * QUICK_MS)); // a slow machine
  near.render.mockClear();
  for (const age of [40, 41, 42]) {
    hand.move({ place: 0, strengths: { age } });
    await vi.waitFor(() => expect(hand.seen()?.strengths).toEqual({ age }));
  }
  expect(near.render).toHaveBeenCalledTimes(1);
  delete engine.renderer;
  vi.restoreAllMocks();
});

test("without an engine, or without messages, the kernel's pictures are shown", async () => {
  fakeCaches();
  const { model } = talking();
  engine.addHead.mockRejectedValueOnce(new Error("no WebAssembly"));
  const hand = createHand({ model, signal: stop.signal, setup: { size: 2, drag_size: 2 }, paint: () => {} });
  await hand.prepare(0);
  expect(hand.draws(0)).toBe(false);
  const silent = createHand({
    model: fakeModel({ packed: PACKED }),
    signal: stop.signal,
    setup: { size: 2, drag_size: 2 },
    paint: () => {},
  });
  await silent.prepare(0);
  expect(silent.draws(0)).toBe(false);
});
