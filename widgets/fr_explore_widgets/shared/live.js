// What live pages share: the engine with the page's people and networks, each unpacked when it is first needed.

import { EngineUnavailable, startEngine } from "../engine/client.js";

/** @typedef {import("../engine/types").Drawn} Drawn */
/** @typedef {import("./page_model").Page} Page */
/** @typedef {Awaited<ReturnType<typeof startLive>>} Live */

/** Why a page cannot compute here: there is no kernel that could. */
const WORDS = {
  policy: "The program that shows it forbids WebAssembly.",
  browser: "This browser lacks WebAssembly SIMD or DecompressionStream.",
  failed: "The engine stopped.",
};

/** The words for the reader when nothing can be computed. @param {unknown} problem */
export function unavailable(problem) {
  const why = problem instanceof EngineUnavailable ? WORDS[problem.kind] : String(problem);
  return {
    what: "This page shows its last state only, because its engine does not run here.",
    why,
    todo: "Open the file in a current Firefox, Chrome, Edge or Safari.",
  };
}

/** @param {Pick<Page, "live" | "load">} page */
export async function startLive({ live, load }) {
  const files = Object.entries(live.parts).map(async ([name, part]) => [
    name,
    name === "id" ? part : await load(part),
  ]);
  const engine = await startEngine(Object.fromEntries(await Promise.all(files)));
  const { head, people, models } = live;
  const added = head && load(head.data).then((data) => engine.addHead(head.key, data));
  const person = async (/** @type {number} */ place) => {
    await added;
    await engine.addPerson(head.key, people[place].key, await load(people[place].data));
    return people[place].key;
  };
  /** @type {Map<string, Promise<void>>} */
  const loaded = new Map();
  const model = (/** @type {string} */ name) => {
    const { card, data } = models.find((/** @type {any} */ one) => one.card.name === name);
    const loading = loaded.get(name) ?? load(data).then((weights) => engine.addModel(card, weights));
    loaded.set(name, loading);
    return loading;
  };
  const waiting = new Map();

  return {
    engine,
    model,
    /** A person's face; `keep` it as float for the networks. @param {number} place @param {Record<string, number>} values
     * @param {number} size @param {boolean} [keep] @returns {Promise<Drawn>} */
    async draw(place, values, size, keep = true) {
      // a person's bytes are decoded once
      if (!waiting.has(place)) waiting.set(place, person(place));
      return engine.draw({ head: head.key, person: await waiting.get(place), values, size, keep });
    },
    /** @param {string} name @param {Drawn} drawn @returns {Promise<Float32Array>} */
    async embed(name, { picture, landmarks }) {
      await model(name);
      if (!picture) throw new Error("this face was drawn for display only: draw it with `keep`.");
      return (await engine.embed({ picture, landmarks, models: [name] }))[name];
    },
  };
}

/** Raw RGB bytes, as the kernel sends them. @param {Drawn[]} faces one below the other */
export function toFrame(...faces) {
  const rgb = new Uint8Array(faces.reduce((sum, { pixels }) => sum + (3 * pixels.length) / 4, 0));
  let o = 0;
  for (const { pixels } of faces) {
    for (let i = 0; i < pixels.length; i += 4, o += 3) {
      rgb[o] = pixels[i];
      rgb[o + 1] = pixels[i + 1];
      rgb[o + 2] = pixels[i + 2];
    }
  }
  return new DataView(rgb.buffer);
}
