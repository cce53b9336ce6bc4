// What the hosts of both WebAssembly modules share: starting one, its memory, its words.

/** @typedef {import("./types").Exports} Exports */

/** @param {WebAssembly.Module} module @returns {Promise<Exports>} */
export async function start(module) {
  const { exports } = await WebAssembly.instantiate(module, {});
  return /** @type {any} */ (exports);
}

/**
 * Compressed bytes, unpacked. Not `Blob.stream()`: WebKit cannot read a Blob in the worker of a page from disk.
 * @param {Uint8Array<ArrayBuffer>} data
 */
export async function inflate(data) {
  const stream = new DecompressionStream("gzip");
  const writer = stream.writable.getWriter();
  // a failure shows when the result is read
  writer.write(data).catch(() => {});
  writer.close().catch(() => {});
  try {
    return new Uint8Array(await new Response(stream.readable).arrayBuffer());
  } catch {
    throw new Error("the engine's data is damaged: load the page again, or export it again.");
  }
}

/** Bytes of the module's memory; memory that grows later leaves this view empty, so use it at once.
 * @param {Exports} exports @param {number} at @param {number} length */
export function bytes(exports, at, length) {
  return new Uint8Array(exports.memory.buffer, at >>> 0, length);
}

/** @param {Exports} exports @param {number} at @param {number} length */
export function floats(exports, at, length) {
  return new Float32Array(exports.memory.buffer, at >>> 0, length);
}

/** Text that ends with a zero byte. @param {Exports} exports @param {number} at */
export function text(exports, at) {
  const { buffer } = exports.memory;
  const all = new Uint8Array(buffer, at >>> 0);
  return new TextDecoder().decode(all.slice(0, all.indexOf(0)));
}

/** Write a blob where the module reads it. @param {Exports} exports @param {Uint8Array} blob @param {string} what */
export function deliver(exports, blob, what) {
  const at = exports.inbox(blob.length);
  if (!at) throw new Error(`${what}, ${blob.length} bytes: there is not enough memory for it.`);
  bytes(exports, at, blob.length).set(blob);
}
