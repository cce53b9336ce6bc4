// The page's own picture of the face in hand: while a slider is dragged it does not wait for the kernel, whose picture of
// the released slider is the same. Where the engine may not run, or until it has its data, the kernel's pictures are shown.
//
// A face in motion is drawn in the page's own thread, within the slider's event: so it is painted in the same frame as the
// slider. A worker would draw it beside the browser's work on that frame, and both would be late where cores are few. The
// worker draws faces of full size, and all faces on a machine where a small one takes long.

import { latest, startEngine } from "../engine/client.js";
import { inflate } from "../engine/module.js";
import { createRenderer, drawnBy } from "../engine/renderer.js";
import { createStore } from "../engine/store.js";

/** @typedef {import("../shared/types").Strengths} Strengths */
/** @typedef {import("../engine/types").Drawn} Drawn */
/** @typedef {import("../engine/types").PageCard} PageCard */
/** @typedef {{place: number, strengths: Strengths, drawn?: Drawn}} Face `drawn`: its picture */
/** @typedef {{parts: string, files: string[], people: Record<string, [head: string, person: string]>,
 *   models: Record<string, [card: PageCard, key: string] | null>}} Packed keys; null for a model that runs in the kernel only */
/** @typedef {{place: number, strengths: Strengths, side: number, mine: number}} Move */

/** In motion a face is drawn smaller, in half the time; a slider that rests for so long gets the whole picture. */
export const REST_MS = 120;
/** The page's own thread draws while that takes less. */
export const QUICK_MS = 20;
/** Pictures until the engine's code is as fast as it gets. */
const WARM_UP = 24;

/** When the browser has painted the frame that comes next. */
const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
const pause = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/**
 * @param {{model: import("../shared/types").Model, signal: AbortSignal, setup: {size: number, drag_size: number},
 *   paint: (drawn: Drawn, place: number, strengths: Strengths) => void}} options
 */
export function createHand({ model, signal, setup: { size, drag_size: small }, paint }) {
  const blob = createStore(model, signal);
  /** @type {Promise<import("../engine/client").Engine> | null} */
  let starting = null;
  /** @type {import("../engine/client").Engine | null} */
  let engine = null;
  /** @type {Set<number>} */
  const ready = new Set();
  /** @type {Set<number>} people that are ready, or will be */
  const begun = new Set();
  /** @type {Set<number | string>} people and models that the kernel was asked to pack */
  const asked = new Set();
  /** @type {Map<string, PageCard | null>} models that are ready; null for those that will be, or never */
  const models = new Map();
  let broken = !model.send;
  let dropped = 0; // how often the kernel's picture was newer
  /** @type {Move | null} */
  let newest = null;
  /** @type {Face | null} the face painted last, until the kernel paints another one */
  let seen = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let rest;
  /** @type {{head: string, people: Set<string>, renderer: Awaited<ReturnType<typeof createRenderer>>} | null} in this thread */
  let near = null;
  let coming = false;
  let cost = 0; // of its pictures, in ms, a running mean

  const packed = () => /** @type {Packed} */ (model.get("packed") ?? {});
  signal.addEventListener("abort", () => clearTimeout(rest));

  /** @param {Packed} keys */
  async function start({ parts, files }) {
    const data = await Promise.all(files.map((name) => blob(`${parts}-${name}`)));
    /** @type {any} */
    const found = Object.fromEntries(files.map((name, i) => [name, data[i]]));
    return startEngine({ id: parts, ...found });
  }

  /** Ask the kernel once. @param {number | string} what @param {object} content */
  function request(what, content) {
    if (!asked.has(what)) model.send?.({ kind: "pack", ...content });
    asked.add(what);
  }

  /** @param {number} place */
  async function prepare(place) {
    const [head, person] = packed().people?.[place] ?? [];
    if (broken || begun.has(place)) return;
    if (!head || !person) return request(place, { place });
    begun.add(place);
    try {
      starting ??= start(packed());
      const started = await starting;
      await started.addHead(head, await blob(head));
      await started.addPerson(head, person, await blob(person));
      await started.draw({ head, person, values: {}, size: small });
      engine = started;
      ready.add(place);
      approach(head, person);
    } catch {
      broken = true; // the kernel's pictures do it
    }
  }

  /** Get ready to draw a person in this thread. @param {string} head @param {string} person */
  async function approach(head, person) {
    if (coming || !engine) return;
    coming = true;
    try {
      const known = near?.head === head ? near : null;
      const module = await engine.renderer();
      // the threads share the code of a module, which a browser compiles for speed while one of them uses it
      for (let i = 0; i < WARM_UP && !near; i++)
        await engine.draw({ head, person, values: { age: 20 + i }, size: small });
      const renderer = known?.renderer ?? (await createRenderer(module));
      if (!known) renderer.attachHead(await inflate(await blob(head)));
      renderer.addPerson(person, await inflate(await blob(person)));
      renderer.render(person, small, {}); // its textures
      near = { head, renderer, people: new Set(known?.people).add(person) };
      coming = false;
    } catch {
      // the worker draws
    }
  }

  /** The picture at once, or null: the worker draws it. @param {Move} move */
  function atOnce({ place, strengths: values, side }) {
    const [head, person] = packed().people[place];
    if (side !== small) return null;
    if (near?.head !== head || !near.people.has(person)) approach(head, person);
    else if (cost < QUICK_MS) {
      const began = performance.now();
      const drawn = drawnBy(near.renderer, { person, size: side, values, keep: models.size > 0 });
      cost += (performance.now() - began - cost) / 4;
      return drawn;
    } else cost *= 0.99; // tried again, later
    return null;
  }

  /** @param {string} name */
  async function prepareModel(name) {
    const known = packed().models?.[name];
    if (broken || !engine || models.has(name) || known === null) return;
    if (!known) return request(name, { model: name });
    models.set(name, null);
    const [card, key] = known;
    await engine.addModel(card, await blob(key, true));
    models.set(name, card);
  }

  const draw = latest(async (/** @type {Move} */ move) => {
    const { place, strengths, side, mine } = move;
    if (mine !== dropped || signal.aborted) return;
    const [head, person] = packed().people[place];
    const own = atOnce(move);
    const request = { head, person, values: strengths, size: side, keep: models.size > 0 };
    const drawn = own ?? (await engine?.draw(request));
    // the worker keeps what belongs to one size: it gets ready for the next drag, whose first picture needs it
    if (side !== small && !near) engine?.draw({ ...request, size: small }).catch(() => {});
    if (!drawn || mine !== dropped || signal.aborted) return;
    seen = { place, strengths, drawn };
    paint(drawn, place, strengths);
    if (own)
      await pause(cost); // the page has other work as well
    // where the slider is faster than the pictures, the browser paints this one before the next one is drawn
    else if (newest !== move) await painted();
  });

  /** @param {number} place @param {Strengths} strengths @param {number} side */
  function ask(place, strengths, side) {
    newest = { place, strengths, side, mine: dropped };
    draw(newest).catch(() => {
      broken = true;
    });
  }

  return {
    /** Ask for what a person's pictures need. @param {number} place */
    prepare,
    /** Whether `move` draws this person. @param {number} place */
    draws: (place) => !broken && ready.has(place),
    /** Get a model's network, which is large. @param {string} name */
    prepareModel: (name) => prepareModel(name).catch(() => {}),
    /** The card of a model whose network runs in the page. @param {string} name */
    card: (name) => models.get(name) ?? null,
    /** The face that the page painted last, if it is still shown. */
    seen: () => seen,
    /** The embedding of a face that `draws`. @param {string} name @param {Face} face @param {number} [side] of a picture
     * that has yet to be drawn @returns {Promise<Float32Array | undefined>} */
    async embed(name, { place, strengths, drawn }, side = size) {
      const [head, person] = packed().people[place];
      const ask = { head, person, values: strengths, size: side, keep: true };
      const { picture, landmarks = [] } = (drawn?.picture ? drawn : await engine?.draw(ask)) ?? {};
      return picture && (await engine?.embed({ picture, landmarks, models: [name] }))?.[name];
    },
    /** Draw and paint a face, in the order of the moves; moves that come meanwhile become one. `still`: the user
     * has let go. @param {Face} face @param {boolean} [still] */
    move({ place, strengths }, still = false) {
      ask(place, strengths, still ? size : small);
      clearTimeout(rest);
      if (!still && small !== size) rest = setTimeout(() => ask(place, strengths, size), REST_MS);
    },
    /** Forget what is being drawn: the kernel's picture is newer. */
    drop() {
      dropped += 1;
      seen = null;
      clearTimeout(rest);
    },
  };
}
