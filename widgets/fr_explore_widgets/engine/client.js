// The page's side of the engine: one worker per page, shared by all widgets.
//
//     const engine = await startEngine(parts);          // throws EngineUnavailable: use the kernel's pictures
//     await engine.addHead(key, data);                  // compressed blobs from the kernel or from the page's own data
//     await engine.addPerson(head, key, data);
//     await engine.addModel(card, data);
//     const { pixels, landmarks, vectors } = await engine.render({ head, person, size, values, models });
//
// The worker answers in order. `latest` serves a slider: while a request is under way only the newest one waits.

import { inflate } from "./module.js";

/** @typedef {import("./types").AdjustRequest} AdjustRequest */
/** @typedef {import("./types").Adjusted} Adjusted */
/** @typedef {import("./types").EmbedRequest} EmbedRequest */
/** @typedef {import("./types").PageCard} PageCard */
/** @typedef {import("./types").Parts} Parts */
/** @typedef {import("./types").Picture} Picture */
/** @typedef {import("./types").Rendered} Rendered */
/** @typedef {import("./types").RenderRequest} RenderRequest */
/** @typedef {Awaited<ReturnType<typeof create>>} Engine */
/** @typedef {Uint8Array<ArrayBuffer>} Data */

/** Why there is no engine in this page, in a line for the reader. */
export const REASONS = {
  policy:
    "This page's security policy forbids WebAssembly (it needs 'wasm-unsafe-eval' and blob: workers), so pictures come from the kernel.",
  browser:
    "This browser is too old for the engine (it lacks WebAssembly SIMD or DecompressionStream), so pictures come from the kernel.",
  failed:
    "The engine stopped in this page, so pictures come from the kernel. Load the page again to restart it.",
};

/** The engine cannot run in this page; `message` is a sentence for the reader. */
export class EngineUnavailable extends Error {
  /** @param {keyof typeof REASONS} kind */
  constructor(kind) {
    super(REASONS[kind]);
    this.kind = kind;
  }
}

/** A worker that runs `code`. @param {Uint8Array<ArrayBuffer>} code */
function createWorker(code) {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return new Worker(url, { name: "fr-explore engine" });
  } catch {
    throw new EngineUnavailable("policy"); // only a policy makes this throw
  } finally {
    // after the worker has read it
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}

/** @param {Parts} parts */
async function create(parts) {
  if (typeof DecompressionStream === "undefined" || typeof WebAssembly === "undefined")
    throw new EngineUnavailable("browser");
  const worker = createWorker(await inflate(parts.worker));
  /** @type {Map<number, {resolve: (value: any) => void, reject: (reason: Error) => void}>} */
  const waiting = new Map();
  let count = 0;
  /** @type {EngineUnavailable | null} */
  let broken = null;

  worker.onmessage = ({ data: { id, result, error } }) => {
    const request = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) request?.resolve(result);
    else request?.reject(new Error(error));
  };
  // an error without a message: a policy blocks the worker
  worker.onerror = ({ message }) => {
    broken = new EngineUnavailable(message ? "failed" : "policy");
    for (const { reject } of waiting.values()) reject(broken);
    waiting.clear();
  };

  /** @param {string} action @param {object} request @param {Transferable[]} [transfer] @returns {Promise<any>} */
  function ask(action, request, transfer = []) {
    if (broken) return Promise.reject(broken);
    const id = ++count;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ ...request, id, action }, transfer);
    });
  }

  const { kind, relaxed } = await ask("start", parts);
  if (kind !== "ready") {
    worker.terminate();
    throw new EngineUnavailable(kind);
  }

  /** @type {Map<string, Promise<void>>} what was added, so that two widgets add the same thing once */
  const added = new Map();
  /** @param {string} action @param {string} key @param {object} request */
  const once = (action, key, request) => {
    const name = `${action} ${key}`;
    const adding = added.get(name) ?? ask(action, request);
    added.set(name, adding);
    adding.catch(() => added.delete(name));
    return adding;
  };

  return {
    /** whether the networks run with relaxed SIMD */
    relaxed: Boolean(relaxed),
    /** @param {string} key @param {Data} data */
    addHead: (key, data) => once("addHead", key, { key, data }),
    /** @param {string} head @param {string} key @param {Data} data */
    addPerson: (head, key, data) => once("addPerson", `${head} ${key}`, { head, key, data }),
    /** @param {PageCard} card @param {Data} data */
    addModel: (card, data) => once("addModel", card.name, { card, data }),
    /** @param {RenderRequest} request @returns {Promise<Rendered>} */
    render: (request) => ask("render", request),
    /** @param {EmbedRequest} request @returns {Promise<Record<string, Float32Array>>} */
    embed: (request) => ask("embed", request),
    /** @param {{picture: Picture, landmarks: number[][], model: string}} request @returns {Promise<Float32Array>} */
    crop: (request) => ask("crop", request),
    /** @param {AdjustRequest} request @returns {Promise<Adjusted>} */
    adjust: (request) => ask("adjust", request),
    /** End the worker; only tests need it, as a page keeps its engine. */
    stop: () => worker.terminate(),
  };
}

/**
 * The page's engine. All widgets of a page share one, as long as they bring the same parts.
 * @param {Parts} parts @returns {Promise<Engine>}
 */
export function startEngine(parts) {
  const page = /** @type {{frExploreEngines?: Map<string, Promise<Engine>>}} */ (globalThis);
  page.frExploreEngines ??= new Map();
  const engine = page.frExploreEngines.get(parts.id) ?? create(parts);
  page.frExploreEngines.set(parts.id, engine);
  return engine;
}

/**
 * Run `work` for the newest request only: while one is under way, a newer request replaces the one that waits, whose
 * promise resolves to null.
 * @template R, T
 * @param {(request: R) => Promise<T>} work
 * @returns {(request: R) => Promise<T | null>}
 */
export function latest(work) {
  let busy = false;
  /** @type {{request: R, resolve: (value: any) => void, reject: (reason: unknown) => void} | null} */
  let next = null;
  async function run() {
    while (next) {
      const { request, resolve, reject } = next;
      next = null;
      await work(request).then(resolve, reject);
    }
    busy = false;
  }
  return (request) =>
    new Promise((resolve, reject) => {
      next?.resolve(null);
      next = { request, resolve, reject };
      if (busy) return;
      busy = true;
      run();
    });
}
