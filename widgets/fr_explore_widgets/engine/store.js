// Blobs by key: in the page's memory, shared by its widgets; in the browser's cache between reloads; else from the kernel.

/** @typedef {import("../shared/types").Model} Model */
/** @typedef {Uint8Array<ArrayBuffer>} Data */

const CACHE = "fr-explore-1";
/** Blobs of earlier versions make room. */
const MOST = 64;
/** Bytes of the first piece of a blob, and of all of them on a slow line: a slider's answer waits for one at most. */
const SMALL = 2 ** 16;
const PIECE = 2 ** 18;
/** A line is slow while a piece takes longer than this, in ms. */
const SLOW = 1000;

const page = /** @type {{frExploreBlobs?: Map<string, Promise<Data>>}} */ (globalThis);
page.frExploreBlobs ??= new Map();
const blobs = page.frExploreBlobs;

const addressOf = (/** @type {string} */ key) => `${location.origin}/fr-explore-blob/${key}`;

/** The browser's cache, or null where it is refused (a page without https, a private window). */
async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/** @param {string} key @returns {Promise<Data | null>} */
async function fromCache(key) {
  const cache = await openCache();
  const found = await cache?.match(addressOf(key));
  return found ? new Uint8Array(await found.arrayBuffer()) : null;
}

/** @param {string} key @param {Data} data */
async function toCache(key, data) {
  const cache = await openCache();
  try {
    await cache?.put(addressOf(key), new Response(data));
    const keys = (await cache?.keys()) ?? [];
    for (const old of keys.slice(0, Math.max(0, keys.length - MOST))) await cache?.delete(old);
  } catch {
    // the disk is full: the kernel has the blob
  }
}

/** @param {Model} model @param {AbortSignal} signal */
export function createStore(model, signal) {
  /** @type {Map<string, (piece: Data, all: number) => void>} */
  const waiting = new Map();
  const receive = (/** @type {any} */ content, /** @type {any[]} */ buffers) => {
    if (content?.kind !== "blob") return;
    const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(buffers[0])
      ? buffers[0]
      : new DataView(buffers[0]);
    const piece = new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength).slice();
    const resolve = waiting.get(content.key);
    waiting.delete(content.key);
    resolve?.(piece, content.all);
  };
  model.on("msg:custom", receive);
  signal.addEventListener("abort", () => model.off("msg:custom", receive));

  /** @param {string} key @param {object} part @returns {Promise<[piece: Data, all: number]>} */
  const ask = (key, part) =>
    new Promise((resolve, reject) => {
      waiting.set(key, (piece, all) => resolve([piece, all]));
      signal.addEventListener("abort", () => reject(new Error("the view was closed.")));
      model.send?.({ kind: "blobs", keys: [key], ...part });
    });

  /** @param {string} key @param {boolean} patient @returns {Promise<Data>} */
  async function load(key, patient) {
    const kept = await fromCache(key);
    if (kept) return kept;
    let began = performance.now();
    const [first, all] = await ask(key, { from: 0, size: SMALL });
    const slow = () => performance.now() - began > SLOW;
    const most = patient ? PIECE : all;
    const data = new Uint8Array(all);
    data.set(first);
    for (let from = first.length, size = slow() ? SMALL : most; from < data.length; ) {
      began = performance.now();
      const [piece] = await ask(key, { from, size });
      data.set(piece, from);
      from += piece.length;
      size = slow() ? SMALL : Math.min(2 * size, most); // a kernel may be busy for one piece
    }
    toCache(key, data);
    return data;
  }

  /** `patient`: always in pieces, so that other messages pass between them. @param {string} key @param {boolean} [patient] */
  return function blob(key, patient = false) {
    const found = blobs.get(key) ?? load(key, patient);
    blobs.set(key, found);
    found.catch(() => blobs.delete(key));
    return found;
  };
}
