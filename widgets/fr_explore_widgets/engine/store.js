// Blobs by key: in the page's memory, shared by its widgets; in the browser's cache between reloads; else from the kernel.

/** @typedef {import("../shared/types").Model} Model */
/** @typedef {Uint8Array<ArrayBuffer>} Data */

const CACHE = "fr-explore-1";
/** Blobs of earlier versions make room. */
const MOST = 64;

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
  /** @type {Map<string, (data: Data) => void>} */
  const waiting = new Map();
  const receive = (/** @type {any} */ content, /** @type {any[]} */ buffers) => {
    if (content?.kind !== "blob") return;
    const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(buffers[0])
      ? buffers[0]
      : new DataView(buffers[0]);
    waiting.get(content.key)?.(
      new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength).slice(),
    );
    waiting.delete(content.key);
  };
  model.on("msg:custom", receive);
  signal.addEventListener("abort", () => model.off("msg:custom", receive));

  /** @param {string} key @returns {Promise<Data>} */
  async function load(key) {
    const kept = await fromCache(key);
    if (kept) return kept;
    /** @type {Data} */
    const data = await new Promise((resolve, reject) => {
      waiting.set(key, resolve);
      signal.addEventListener("abort", () => reject(new Error("the view was closed.")));
      model.send?.({ kind: "blobs", keys: [key] });
    });
    toCache(key, data);
    return data;
  }

  /** @param {string} key */
  return function blob(key) {
    const found = blobs.get(key) ?? load(key);
    blobs.set(key, found);
    found.catch(() => blobs.delete(key));
    return found;
  };
}
