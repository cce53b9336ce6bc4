// The host of network.wasm: a model in the page, from an aligned face to its embedding.

import { alignedCrop, normalisedInput } from "./align.js";
import { unit } from "./measure.js";
import { deliver, floats, start, text } from "./module.js";

/** @typedef {import("./types").PageCard} PageCard */
/** @typedef {import("./types").Picture} Picture */

/**
 * @param {WebAssembly.Module} module @param {Uint8Array} blob a packed network @param {PageCard} card
 */
export async function createModel(module, blob, card) {
  const exports = await start(module);
  const check = (/** @type {number} */ code) => {
    if (!code) return;
    const layer = exports.subject();
    throw new Error(
      `${card.name}: ${text(exports, exports.words(code))}${layer >= 0 ? ` (layer ${layer})` : ""}.`,
    );
  };
  deliver(exports, blob, `the network of ${card.name}`);
  check(exports.load(blob.length));
  const size = card.input_size;
  const [height, width, dim] = [exports.input_size(0), exports.input_size(1), exports.output_size(0, 2)];
  if (height !== size || width !== size || dim !== card.dim)
    throw new Error(
      `${card.name}: its network takes ${width} x ${height} pixels and gives ${dim} numbers, but its card says ` +
        `${size} x ${size} and ${card.dim}: pack both from the same model.`,
    );

  /** The embedding of an aligned crop, float RGB in [0, 1]. @param {Float32Array} crop */
  function embedCrop(crop) {
    const input = normalisedInput(crop, card);
    floats(exports, exports.input(), input.length).set(input);
    check(exports.run());
    const vector = floats(exports, exports.output(0), dim).slice();
    return card.normalized ? Float32Array.from(unit(vector)) : vector;
  }

  return {
    card,
    embedCrop,
    /** @param {Picture} picture @param {number[][]} landmarks */
    embed: (picture, landmarks) => embedCrop(alignedCrop(picture, landmarks, card.template, size)),
  };
}
