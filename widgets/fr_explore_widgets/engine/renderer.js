// The host of renderer.wasm, whose interface fr_explore/engine/README.md describes: one head and its people.

import { bytes, deliver, floats, start, text } from "./module.js";

/** @typedef {import("./types").Drawn} Drawn */
/** @typedef {import("./types").DrawRequest} DrawRequest */
/** @typedef {import("./types").Picture} Picture */

/** @param {WebAssembly.Module} module */
export async function createRenderer(module) {
  const exports = await start(module);
  const lines = text(exports, exports.parameters()).trim().split("\n");
  const rules = lines.map((line) => line.split(" "));
  const names = rules.map(([name]) => name);
  const neutral = rules.map((rule) => Number(rule[3]));
  /** @type {Map<string, {blob: Uint8Array, slot: number}>} people; the one who was rendered last is at the end */
  const people = new Map();
  const check = (/** @type {number} */ code) => {
    if (!code) return;
    const about = text(exports, exports.subject());
    throw new Error(`${text(exports, exports.words(code))}${about ? ` (${about})` : ""}.`);
  };

  /** @param {Record<string, number>} values */
  function setValues(values) {
    const unknown = Object.keys(values).find((name) => !names.includes(name));
    if (unknown) throw new Error(`unknown attribute ${unknown}: choose from ${names.join(", ")}.`);
    floats(exports, exports.values(), names.length).set(names.map((name, i) => values[name] ?? neutral[i]));
  }

  /** The slot of a person. Whoever was not rendered for longest makes room. @param {string} key */
  function slotOf(key) {
    const person = people.get(key);
    if (!person) throw new Error(`unknown person ${key}: add it first.`);
    people.delete(key);
    people.set(key, person);
    if (person.slot >= 0) return person.slot;
    const seated = [...people.values()].filter((other) => other.slot >= 0);
    person.slot = seated.length;
    if (seated.length === exports.slots()) {
      person.slot = seated[0].slot;
      seated[0].slot = -1;
    }
    const { slot } = person;
    person.slot = -1; // until it is attached
    deliver(exports, person.blob, "a person");
    check(exports.attach_person(person.blob.length, slot));
    person.slot = slot;
    return slot;
  }

  /** @param {number} width @param {number} height */
  const result = (width, height) => new Uint8ClampedArray(bytes(exports, exports.rgba(), width * height * 4));

  return {
    names,
    /** @param {Uint8Array} blob */
    attachHead(blob) {
      deliver(exports, blob, "the head");
      check(exports.attach_head(blob.length));
    },
    /** @param {string} key @param {Uint8Array} blob */
    addPerson(key, blob) {
      if (!people.has(key)) people.set(key, { blob, slot: -1 });
    },
    /**
     * Draw a person. `picture` is a view of the module's memory: read it before the next call.
     * @param {string} key @param {number} size @param {Record<string, number>} values
     */
    render(key, size, values) {
      const slot = slotOf(key);
      setValues(values);
      check(exports.render(slot, size));
      const marks = floats(exports, exports.landmarks(), 10);
      const landmarks = [0, 1, 2, 3, 4].map((i) => [marks[2 * i], marks[2 * i + 1]]);
      const pixels = result(size, size);
      /** @type {Picture} */
      const picture = {
        data: floats(exports, exports.out(), size * size * 3),
        width: size,
        height: size,
        channels: 3,
      };
      return { pixels, landmarks, picture };
    },
    /**
     * Apply image attributes to any picture. `picture` of the result is a view of the module's memory.
     * @param {Picture} given @param {Record<string, number>} values @param {number} seed of the grain
     */
    adjust({ data, width, height, channels }, values, seed) {
      const at = exports.picture(width, height);
      if (!at) throw new Error(`a picture of ${width} x ${height} px is too large: reduce it first.`);
      const target = floats(exports, at, width * height * 3);
      const scale = data instanceof Float32Array ? 1 : 1 / 255;
      for (let i = 0, o = 0; o < target.length; i += channels, o += 3)
        for (let k = 0; k < 3; k++) target[o + k] = data[i + k] * scale;
      setValues(values);
      check(exports.adjust(seed));
      const pixels = result(width, height);
      /** @type {Picture} */
      const picture = {
        data: floats(exports, exports.out(), width * height * 3),
        width,
        height,
        channels: 3,
      };
      return { pixels, picture };
    },
  };
}

/** A person as pixels for the page and, with `keep`, as a picture for the networks.
 * @param {Awaited<ReturnType<typeof createRenderer>>} renderer @param {Omit<DrawRequest, "head">} request @returns {Drawn} */
export function drawnBy(renderer, { person, size, values, keep = false }) {
  const { pixels, landmarks, picture } = renderer.render(person, size, values);
  return { pixels, size, landmarks, ...(keep && { picture: { ...picture, data: picture.data.slice() } }) };
}
