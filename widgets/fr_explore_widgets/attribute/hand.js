// The page's own picture of the face in hand: while a slider is dragged it does not wait for the kernel, whose picture of
// the released slider is the same. Where the engine may not run, or until it has its data, the kernel's pictures are shown.

import { latest, startEngine } from "../engine/client.js";
import { createStore } from "../engine/store.js";

/** @typedef {import("../shared/types").Strengths} Strengths */
/** @typedef {import("../engine/types").Drawn} Drawn */
/** @typedef {{parts: string, files: string[], head: string, people: string[]}} Packed keys */

/**
 * @param {{model: import("../shared/types").Model, signal: AbortSignal, size: number,
 *   paint: (drawn: Drawn, place: number, strengths: Strengths) => void}} options
 */
export function createHand({ model, signal, size, paint }) {
  const blob = createStore(model, signal);
  /** @type {Promise<import("../engine/client").Engine> | null} */
  let starting = null;
  /** @type {import("../engine/client").Engine | null} */
  let engine = null;
  /** @type {Set<number>} */
  const ready = new Set();
  /** @type {Set<number>} people that are ready, or will be */
  const begun = new Set();
  let broken = !model.send;
  let dropped = 0; // how often the kernel's picture was newer
  const packed = () => /** @type {Packed} */ (model.get("packed") ?? {});

  /** @param {Packed} keys */
  async function start({ parts, files, head }) {
    const data = await Promise.all(files.map((name) => blob(`${parts}-${name}`)));
    /** @type {any} */
    const found = Object.fromEntries(files.map((name, i) => [name, data[i]]));
    const started = await startEngine({ id: parts, ...found });
    await started.addHead(head, await blob(head));
    return started;
  }

  /** @param {number} place */
  async function prepare(place) {
    const keys = packed();
    if (broken || begun.has(place) || !keys.parts) return;
    begun.add(place);
    try {
      starting ??= start(keys);
      const started = await starting;
      await started.addPerson(keys.head, keys.people[place], await blob(keys.people[place]));
      await started.draw({ head: keys.head, person: keys.people[place], values: {}, size });
      engine = started;
      ready.add(place);
    } catch {
      broken = true; // the kernel's pictures do it
    }
  }

  const draw = latest(
    async (/** @type {{place: number, strengths: Strengths, mine: number}} */ { place, strengths, mine }) => {
      const { head, people } = packed();
      const drawn = await engine?.draw({ head, person: people[place], values: strengths, size });
      if (drawn && mine === dropped && !signal.aborted) paint(drawn, place, strengths);
    },
  );

  return {
    /** Ask for what a person's pictures need. @param {number} place */
    prepare,
    /** Whether `move` draws this person. @param {number} place */
    draws: (place) => !broken && ready.has(place),
    /** Draw and paint a face, in the order of the moves; moves that come meanwhile become one. @param {number} place @param {Strengths} strengths */
    move(place, strengths) {
      draw({ place, strengths, mine: dropped }).catch(() => {
        broken = true;
      });
    },
    /** Forget what is being drawn: the kernel's picture is newer. */
    drop() {
      dropped += 1;
    },
  };
}
