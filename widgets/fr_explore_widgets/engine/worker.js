// The engine's worker: renders and embeds beside the page's own thread. core/engine.py joins this module and its
// imports into a classic script, because Chromium refuses module workers in a page from disk.
//
// A message is {id, action, ...}; the answer {id, result} or {id, error}. Messages are answered in their order.

import { alignedCrop } from "./align.js";
import { createFinder, portraitOf } from "./detect.js";
import { inflate } from "./module.js";
import { createModel } from "./network.js";
import { createRenderer, drawnBy } from "./renderer.js";

/** @typedef {import("./types").AdjustRequest} AdjustRequest */
/** @typedef {import("./types").DrawRequest} DrawRequest */
/** @typedef {import("./types").EmbedRequest} EmbedRequest */
/** @typedef {import("./types").FinderParts} FinderParts */
/** @typedef {import("./types").LookRequest} LookRequest */
/** @typedef {import("./types").PageCard} PageCard */
/** @typedef {import("./types").Parts} Parts */
/** @typedef {import("./types").Picture} Picture */
/** @typedef {Awaited<ReturnType<typeof createModel>>} PageModel */
/** @typedef {Awaited<ReturnType<typeof createRenderer>>} Renderer */

// the smallest module: only a policy refuses it
const NOTHING = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
// a browser compiles the hot loops for speed during the first runs: they happen before anyone waits for a picture
const WARM_UP = 3;
const WARM_UP_MODEL = 1; // one run of a network is long enough
const WARM_SIZE = 96;

/** @type {{renderer?: WebAssembly.Module, network?: WebAssembly.Module, relaxed: boolean}} */
const modules = { relaxed: false };
/** @type {Map<string, Renderer>} */
const heads = new Map();
/** @type {Map<string, PageModel>} */
const models = new Map();
/** @type {Set<string>} */
const warm = new Set();
/** @type {Promise<Renderer> | undefined} */
let retouching;
/** @type {Awaited<ReturnType<typeof createFinder>> | undefined} */
let finder;

/** @template T @param {Map<string, T>} map @param {string} key @param {string} what @returns {T} */
function known(map, key, what) {
  const found = map.get(key);
  if (!found) throw new Error(`unknown ${what} ${key}: add it first.`);
  return found;
}

/** @param {string[]} names @param {Picture} picture @param {number[][]} landmarks */
function embedded(names, picture, landmarks) {
  return Object.fromEntries(
    names.map((name) => [name, known(models, name, "model").embed(picture, landmarks)]),
  );
}

const ACTIONS = {
  /** Compile the modules that are given. `kind` says why it is impossible. @param {Partial<Parts>} parts */
  async start({ renderer, network, network_relaxed }) {
    try {
      new WebAssembly.Module(NOTHING);
    } catch {
      return { kind: "policy" };
    }
    const unpacked = async (/** @type {Uint8Array<ArrayBuffer> | undefined} */ data) => data && inflate(data);
    const files = await Promise.all([renderer, network, network_relaxed].map(unpacked));
    if (files.some((file, i) => file && i < 2 && !WebAssembly.validate(file))) return { kind: "browser" };
    modules.relaxed = Boolean(files[2] && WebAssembly.validate(files[2]));
    const chosen = [files[0], modules.relaxed ? files[2] : files[1]];
    const [draw, run] = await Promise.all(chosen.map((file) => file && WebAssembly.compile(file)));
    modules.renderer ??= draw;
    modules.network ??= run;
    return { kind: "ready", relaxed: modules.relaxed };
  },

  /** @param {{key: string, data: Uint8Array<ArrayBuffer>}} head */
  async addHead({ key, data }) {
    if (heads.has(key)) return;
    const renderer = await createRenderer(/** @type {WebAssembly.Module} */ (modules.renderer));
    renderer.attachHead(await inflate(data));
    heads.set(key, renderer);
  },

  /** @param {{head: string, key: string, data: Uint8Array<ArrayBuffer>}} person */
  async addPerson({ head, key, data }) {
    const renderer = known(heads, head, "head");
    renderer.addPerson(key, await inflate(data));
    for (let i = 0; i < WARM_UP && !warm.has(head); i++) renderer.render(key, WARM_SIZE, { age: 30 + i });
    warm.add(head);
  },

  /** @param {{card: PageCard, data: Uint8Array<ArrayBuffer>}} model */
  async addModel({ card, data }) {
    if (models.has(card.name)) return;
    const module = /** @type {WebAssembly.Module} */ (modules.network);
    const model = await createModel(module, await inflate(data), card);
    const grey = new Float32Array(card.input_size ** 2 * 3).fill(0.5);
    for (let i = 0; i < WARM_UP_MODEL; i++) model.embedCrop(grey);
    models.set(card.name, model);
  },

  /** @param {FinderParts & {yunet: Uint8Array<ArrayBuffer>, onet: Uint8Array<ArrayBuffer>}} parts */
  async addFinder(parts) {
    const module = /** @type {WebAssembly.Module} */ (modules.network);
    const [yunet, onet] = await Promise.all([inflate(parts.yunet), inflate(parts.onet)]);
    finder = await createFinder(module, { ...parts, yunet, onet });
    finder.find({
      data: new Uint8Array(WARM_SIZE ** 2 * 3),
      width: WARM_SIZE,
      height: WARM_SIZE,
      channels: 3,
    });
  },

  /** The portraits of the largest faces in a picture. @param {LookRequest} request */
  look({ picture, most, size, near = [] }) {
    if (!finder) throw new Error("no finder of faces: add it first.");
    const followed = near.length ? finder.follow(picture, near) : null;
    return (followed ?? finder.find(picture))
      .slice(0, most)
      .map(({ box, landmarks }) => ({ box, ...portraitOf(picture, landmarks, size) }));
  },

  /** @param {DrawRequest} request */
  draw: ({ head, ...request }) => drawnBy(known(heads, head, "head"), request),

  renderer: () => modules.renderer,

  /** @param {EmbedRequest} request */
  embed: ({ picture, landmarks, models: names }) => embedded(names, picture, landmarks),

  /** What a model sees of a picture. @param {{picture: Picture, landmarks: number[][], model: string}} request */
  crop({ picture, landmarks, model }) {
    const { template, input_size } = known(models, model, "model").card;
    return alignedCrop(picture, landmarks, template, input_size);
  },

  /** @param {AdjustRequest} request */
  async adjust({ picture, values, seed, keep = false }) {
    retouching ??= createRenderer(/** @type {WebAssembly.Module} */ (modules.renderer));
    const { pixels, picture: edited } = (await retouching).adjust(picture, values, seed);
    return {
      pixels,
      width: picture.width,
      height: picture.height,
      ...(keep && { picture: { ...edited, data: edited.data.slice() } }),
    };
  },
};

/** @param {{id: number, action: string}} message */
async function answer({ id, action, ...request }) {
  try {
    const act = /** @type {Record<string, (request: any) => any>} */ (ACTIONS)[action];
    const result = await act(request);
    const transfer = [result?.pixels, result?.picture?.data].filter(Boolean).map(({ buffer }) => buffer);
    self.postMessage({ id, result }, { transfer });
  } catch (reason) {
    self.postMessage({ id, error: reason instanceof Error ? reason.message : String(reason) });
  }
}

// one message after the other, as an instance serves one request at a time
let last = Promise.resolve();
self.onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};
