// The page's side of the engine: two workers per page, shared by all widgets. One draws, the other one runs the
// networks, so that a picture never waits for the figures of an earlier one.
//
//     const engine = await startEngine(parts);          // throws EngineUnavailable: use the kernel's pictures
//     await engine.addHead(key, data);                  // compressed blobs from the kernel or from the page's own data
//     await engine.addPerson(head, key, data);
//     await engine.addModel(card, data);
//     const { pixels, landmarks, picture } = await engine.draw({ head, person, size, values, keep: true });
//     const vectors = await engine.embed({ picture, landmarks, models });
//
// Each worker answers in order. `latest` serves a slider: while a request is under way only the newest one waits.

import { inflate } from "./module.js";

/** @typedef {import("./types").AdjustRequest} AdjustRequest */
/** @typedef {import("./types").Adjusted} Adjusted */
/** @typedef {import("./types").Drawn} Drawn */
/** @typedef {import("./types").DrawRequest} DrawRequest */
/** @typedef {import("./types").EmbedRequest} EmbedRequest */
/** @typedef {import("./types").FinderParts} FinderParts */
/** @typedef {import("./types").LookRequest} LookRequest */
/** @typedef {import("./types").PageCard} PageCard */
/** @typedef {import("./types").Portrait} Portrait */
/** @typedef {import("./types").Parts} Parts */
/** @typedef {import("./types").Picture} Picture */
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

/** A worker that answers requests. @param {Data} code @param {(problem: EngineUnavailable) => void} failed */
function createPort(code, failed) {
  const worker = createWorker(code);
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
  worker.onerror = ({ message }) => failed(new EngineUnavailable(message ? "failed" : "policy"));

  return {
    /** @param {string} action @param {object} request @param {Transferable[]} [transfer] @returns {Promise<any>} */
    ask(action, request, transfer = []) {
      if (broken) return Promise.reject(broken);
      const id = ++count;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ ...request, id, action }, transfer);
      });
    },
    /** End the worker and refuse all requests. @param {EngineUnavailable} problem */
    end(problem) {
      broken = problem;
      worker.terminate();
      for (const { reject } of waiting.values()) reject(problem);
      waiting.clear();
    },
  };
}

/** @param {Parts} parts */
async function create({ worker, renderer, network, network_relaxed }) {
  if (typeof DecompressionStream === "undefined" || typeof WebAssembly === "undefined")
    throw new EngineUnavailable("browser");
  const code = await inflate(worker);
  /** @type {ReturnType<typeof createPort>[]} one without the other is of no use */
  const ports = [];
  const end = (/** @type {EngineUnavailable} */ problem) => ports.map((port) => port.end(problem));
  for (let i = 0; i < 2; i++) ports.push(createPort(code, end));
  const [drawing, embedding] = ports;
  const started = await Promise.all([
    drawing.ask("start", { renderer }),
    embedding.ask("start", { network, network_relaxed }),
  ]);
  const refused = started.find(({ kind }) => kind !== "ready");
  if (refused) {
    end(new EngineUnavailable(refused.kind));
    throw new EngineUnavailable(refused.kind);
  }

  /** @type {Map<string, Promise<void>>} what was added, so that two widgets add the same thing once */
  const added = new Map();
  /** @param {typeof ports[0]} to @param {string} action @param {string} key @param {object} request */
  const once = (to, action, key, request) => {
    const name = `${action} ${key}`;
    const adding = added.get(name) ?? to.ask(action, request);
    added.set(name, adding);
    adding.catch(() => added.delete(name));
    return adding;
  };

  return {
    /** whether the networks run with relaxed SIMD */
    relaxed: Boolean(started[1].relaxed),
    /** @param {string} key @param {Data} data */
    addHead: (key, data) => once(drawing, "addHead", key, { key, data }),
    /** @param {string} head @param {string} key @param {Data} data */
    addPerson: (head, key, data) => once(drawing, "addPerson", `${head} ${key}`, { head, key, data }),
    /** @param {PageCard} card @param {Data} data */
    addModel: (card, data) => once(embedding, "addModel", card.name, { card, data }),
    /** Only pages with a camera find faces, so only they give the drawing worker the networks' module.
     * @param {FinderParts} finder */
    async addFinder(finder) {
      await drawing.ask("start", { network, network_relaxed });
      await drawing.ask("addFinder", finder);
    },
    /** @param {LookRequest} request the picture's bytes move to the worker @returns {Promise<Portrait[]>} */
    look: (request) => drawing.ask("look", request, [request.picture.data.buffer]),
    /** @param {DrawRequest} request @returns {Promise<Drawn>} */
    draw: (request) => drawing.ask("draw", request),
    /** The compiled renderer, for an instance in the page's own thread. @returns {Promise<WebAssembly.Module>} */
    renderer: () => drawing.ask("renderer", {}),
    /** @param {EmbedRequest} request @returns {Promise<Record<string, Float32Array>>} */
    embed: (request) => embedding.ask("embed", request),
    /** @param {{picture: Picture, landmarks: number[][], model: string}} request @returns {Promise<Float32Array>} */
    crop: (request) => embedding.ask("crop", request),
    /** @param {AdjustRequest} request @returns {Promise<Adjusted>} */
    adjust: (request) => drawing.ask("adjust", request),
    /** End the workers; only tests need it, as a page keeps its engine. */
    stop: () => end(new EngineUnavailable("failed")),
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
