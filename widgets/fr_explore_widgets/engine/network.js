// The host of network.wasm: a model in the page, from an aligned face to its embedding.

import { alignedCrop, normalisedInput } from "./align.js";
import { unit } from "./measure.js";
import { deliver, floats, start, text } from "./module.js";

/** @typedef {import("./types").PageCard} PageCard */
/** @typedef {import("./types").Picture} Picture */

/**
 * An instance that holds one network. `size` is the height, width and channels of its input.
 * @param {WebAssembly.Module} module @param {Uint8Array} blob a packed network @param {string} name for messages
 */
export async function createNetwork(module, blob, name) {
  const exports = await start(module);
  const check = (/** @type {number} */ code) => {
    if (!code) return;
    const layer = exports.subject();
    throw new Error(
      `${name}: ${text(exports, exports.words(code))}${layer >= 0 ? ` (layer ${layer})` : ""}.`,
    );
  };
  deliver(exports, blob, `the network of ${name}`);
  check(exports.load(blob.length));
  const shape = (/** @type {number} */ i) => [0, 1, 2].map((axis) => exports.output_size(i, axis));
  return {
    size: [0, 1, 2].map((axis) => exports.input_size(axis)),
    shape,
    /** Results of the network for a normalised input, copied. @param {ArrayLike<number>} input @param {number} results */
    run(input, results = 1) {
      floats(exports, exports.input(), input.length).set(input);
      check(exports.run());
      return Array.from({ length: results }, (_, i) => {
        const [height, width, channels] = shape(i);
        return floats(exports, exports.output(i), height * width * channels).slice();
      });
    },
  };
}

/**
 * @param {WebAssembly.Module} module @param {Uint8Array} blob a packed network @param {PageCard} card
 */
export async function createModel(module, blob, card) {
  const network = await createNetwork(module, blob, card.name);
  const size = card.input_size;
  const [height, width] = network.size;
  const dim = network.shape(0)[2];
  if (height !== size || width !== size || dim !== card.dim)
    throw new Error(
      `${card.name}: its network takes ${width} x ${height} pixels and gives ${dim} numbers, but its card says ` +
        `${size} x ${size} and ${card.dim}: pack both from the same model.`,
    );

  /** The embedding of an aligned crop, float RGB in [0, 1]. @param {Float32Array} crop */
  function embedCrop(crop) {
    const [vector] = network.run(normalisedInput(crop, card));
    return card.normalized ? Float32Array.from(unit(vector)) : vector;
  }

  return {
    card,
    embedCrop,
    /** @param {Picture} picture @param {number[][]} landmarks */
    embed: (picture, landmarks) => embedCrop(alignedCrop(picture, landmarks, card.template, size)),
  };
}
