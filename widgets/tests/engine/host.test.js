// The engine's host: pure functions against closed forms, the client against a fake worker. Pictures, crops and
// embeddings are compared with Python's in real browsers: tests/widgets/test_engine_page.py.

import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { alignedCrop, normalisedInput, similarityFit } from "../../fr_explore_widgets/engine/align.js";
import { EngineUnavailable, latest, REASONS, startEngine } from "../../fr_explore_widgets/engine/client.js";
import { distance, project, unit } from "../../fr_explore_widgets/engine/measure.js";
import { inflate } from "../../fr_explore_widgets/engine/module.js";

const TEMPLATE = [
  [3, 4],
  [7, 4],
  [5, 6],
  [3.5, 8],
  [6.5, 8],
];

describe("alignment", () => {
  it("recovers a similarity", () => {
    const [a, b, x, y] = [1.2, -0.7, 30, -4];
    const moved = TEMPLATE.map(([u, v]) => [a * u - b * v + x, b * u + a * v + y]);
    const expected = [a, -b, x, b, a, y];
    similarityFit(TEMPLATE, moved).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 12);
    });
  });

  it("refuses landmarks that coincide or are missing", () => {
    for (const bad of [1, Number.NaN]) {
      const points = TEMPLATE.map(() => [bad, bad]);
      expect(() => similarityFit(points, TEMPLATE)).toThrow("five distinct points");
    }
  });

  // a picture whose values are its own coordinates
  const size = 12;
  const ramp = new Float32Array(size * size * 3);
  for (let row = 0, at = 0; row < size; row++)
    for (let column = 0; column < size; column++, at += 3)
      ramp.set([(column + 0.5) / 10, (row + 0.5) / 10, 0.25], at);

  it("is the picture itself where landmarks are at the template's places", () => {
    const picture = { data: ramp, width: size, height: size, channels: 3 };
    const crop = alignedCrop(picture, TEMPLATE, TEMPLATE, size);
    crop.forEach((value, i) => {
      expect(value).toBeCloseTo(ramp[i], 6);
    });
  });

  it("reads 8-bit RGBA, averages samples of a reduced picture and repeats edges", () => {
    const data = Uint8ClampedArray.from({ length: size * size * 4 }, (_, i) => [51, 102, 255, 7][i % 4]);
    const halved = TEMPLATE.map((point) => point.map((x) => 2 * x));
    const crop = alignedCrop({ data, width: size, height: size, channels: 4 }, halved, TEMPLATE, 20);
    crop.forEach((value, i) => {
      expect(value).toBeCloseTo([0.2, 0.4, 1][i % 3], 6);
    });
  });

  it("normalises in the network's own order of colours", () => {
    const card = { mean: [10, 20, 30], std: [2, 4, 5] };
    const crop = new Float32Array([0.2, 0.4, 1]);
    const input = (/** @type {string} */ color_order) => [...normalisedInput(crop, { ...card, color_order })];
    expect(input("RGB").map((v) => Math.round(1000 * v))).toEqual([20500, 20500, 45000]);
    expect(input("BGR").map((v) => Math.round(1000 * v))).toEqual([122500, 20500, 4200]);
  });
});

describe("measures", () => {
  it("are those of base/distance.py", () => {
    expect(distance([3, 0], [0, 4], "euclidean")).toBe(5);
    expect(distance([3, 0], [0, 4], "cosine")).toBeCloseTo(1, 12);
    expect(distance([1, 2], [2, 4], "cosine")).toBeCloseTo(0, 15);
    expect(distance([1, 0], [-2, 0], "cosine")).toBeCloseTo(2, 12);
    expect(distance([1, 0], [0, 0], "cosine")).toBe(1);
    expect([...unit([0, 0])]).toEqual([0, 0]);
    expect(project([2, 3, 4], { mean: [1, 1, 1], axes: [[1, 0, 0], [0, 0.6, 0.8]] })).toEqual([1, 0.6 * 2 + 0.8 * 3]); // biome-ignore format: a matrix
  });
});

it("unpacks gzip and refuses damaged data in words", async () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
  const packed = new Uint8Array(gzipSync(bytes));
  expect(await inflate(packed)).toEqual(bytes);
  packed[packed.length - 6] ^= 1; // its checksum
  await expect(inflate(packed)).rejects.toThrow("the engine's data is damaged");
  await expect(inflate(packed.slice(0, 50))).rejects.toThrow("the engine's data is damaged");
});

describe("latest", () => {
  it("drops what a newer request replaces, and never the newest", async () => {
    const seen = [];
    let release = () => {};
    const work = latest(async (request) => {
      seen.push(request);
      if (request === 1) await new Promise((resolve) => (release = resolve));
      if (request === 3) throw new Error("three");
      return 10 * request;
    });
    const answers = [1, 2, 3].map((request) => work(request).catch((error) => error.message));
    release();
    expect(await Promise.all(answers)).toEqual([10, null, "three"]);
    expect(await work(4)).toBe(40);
    expect(seen).toEqual([1, 3, 4]);
  });
});

describe("the client", () => {
  const empty = new Uint8Array(gzipSync(""));
  const parts = (id) => ({ id, worker: empty, renderer: empty, network: empty, network_relaxed: empty });
  const ready = { kind: "ready", relaxed: true };
  let workers = [];
  let reply = () => {};

  class FakeWorker {
    constructor() {
      workers.push(this);
      this.asked = [];
    }
    postMessage(message) {
      this.asked.push(message.action);
      reply(this, message);
    }
    terminate() {
      this.ended = true;
    }
  }
  const answer = (worker, id, result) => setTimeout(() => worker.onmessage({ data: { id, result } }));

  beforeEach(() => {
    workers = [];
    delete globalThis.frExploreEngines;
    vi.stubGlobal("Worker", FakeWorker);
    vi.stubGlobal("URL", { createObjectURL: () => "blob:x", revokeObjectURL: () => {} });
    reply = (worker, { id, action }) => answer(worker, id, action === "start" ? ready : action);
  });
  afterEach(() => vi.unstubAllGlobals());

  it("starts one pair of workers for the same parts, and adds the same blob once", async () => {
    const [first, second] = await Promise.all([startEngine(parts("a")), startEngine(parts("a"))]);
    expect(second).toBe(first);
    await Promise.all([
      first.addHead("h", empty),
      second.addHead("h", empty),
      first.addPerson("h", "p", empty),
    ]);
    expect(workers.map(({ asked }) => asked)).toEqual([["start", "addHead", "addPerson"], ["start"]]);
    expect(await startEngine(parts("b"))).not.toBe(first);
    expect(workers).toHaveLength(4);
  });

  it("tries again what could not be added", async () => {
    const engine = await startEngine(parts("a"));
    reply = (worker, { id }) => setTimeout(() => worker.onmessage({ data: { id, error: "too large" } }));
    await expect(engine.addModel({ name: "m" }, empty)).rejects.toThrow("too large");
    reply = (worker, { id }) => answer(worker, id);
    await engine.addModel({ name: "m" }, empty);
    expect(workers[1].asked).toEqual(["start", "addModel", "addModel"]);
  });

  it("draws in one worker and embeds what was drawn in the other", async () => {
    const picture = { data: new Float32Array(3), width: 1, height: 1, channels: 3 };
    const asked = [];
    reply = (worker, { id, action, ...request }) => {
      asked.push([workers.indexOf(worker), action, request]);
      if (action === "start") answer(worker, id, ready);
      else if (action === "embed") answer(worker, id, { m: [1, 2] });
      else answer(worker, id, { pixels: [9], landmarks: [[0, 0]], ...(request.keep && { picture }) });
    };
    const engine = await startEngine(parts("a"));
    const request = { head: "h", person: "p", size: 160, values: {} };
    const drawn = await engine.draw({ ...request, keep: true });
    expect(drawn).toEqual({ pixels: [9], landmarks: [[0, 0]], picture });
    const embedding = { picture, landmarks: drawn.landmarks, models: ["m"] };
    expect(await engine.embed(embedding)).toEqual({ m: [1, 2] });
    expect(asked.slice(2)).toEqual([
      [0, "draw", { ...request, keep: true }],
      [1, "embed", embedding],
    ]);
  });

  it("says in a line why there is no engine", async () => {
    for (const kind of ["policy", "browser"]) {
      reply = (worker, { id }) => answer(worker, id, { kind });
      const failure = await startEngine(parts(kind)).catch((error) => error);
      expect(failure).toBeInstanceOf(EngineUnavailable);
      expect([failure.kind, failure.message]).toEqual([kind, REASONS[kind]]);
      expect(workers.slice(-2).map(({ ended }) => ended)).toEqual([true, true]);
    }
    // a blocked worker: an error without words before the first answer, or an exception
    reply = (worker) => setTimeout(() => worker.onerror({}));
    await expect(startEngine(parts("blocked"))).rejects.toMatchObject({ kind: "policy" });
    vi.stubGlobal("Worker", class { constructor() { throw new Error("no"); } }); // biome-ignore format: short
    await expect(startEngine(parts("refused"))).rejects.toMatchObject({ kind: "policy" });
    vi.stubGlobal("DecompressionStream", undefined);
    await expect(startEngine(parts("old"))).rejects.toMatchObject({ kind: "browser" });
  });

  it("refuses all requests after its worker has broken", async () => {
    const engine = await startEngine(parts("a"));
    reply = () => {};
    const waiting = engine.draw({ head: "h", person: "p", size: 160, values: {} });
    workers[1].onerror({ message: "out of memory" });
    for (const request of [waiting, engine.embed({ models: [] })])
      await expect(request).rejects.toMatchObject({ kind: "failed", message: REASONS.failed });
  });
});
