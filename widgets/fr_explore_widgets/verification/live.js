// A live page of a VerificationExplorer: the genuine distances with an attribute changed, computed by its engine.

import { distance } from "../engine/measure.js";
import { startLive, toFrame, unavailable } from "../shared/live.js";
import { decodeShift } from "./data.js";

const MOST = 3; // pairs of a kind whose faces are shown; as in faces.py

/** @typedef {(Float64Array | null)[]} Shift ascending distances at each strength */

/** @param {import("../shared/page_model").Page} page @returns {import("../shared/page_model").Kernel} */
export function createKernel({ live, bytes, load, model, receive }) {
  const engine = startLive({ live, load });
  engine.catch((problem) => receive({ error: unavailable(problem) }));
  const { size, images, dim, recipes, names } = live.gallery;
  const { card } = live.models[0];
  const people = live.people.length;
  const numbers = new Float32Array(bytes(live.gallery.vectors).buffer);
  /** The kernel's embedding of an image. @param {number} person @param {number} image */
  const known = (person, image) => numbers.subarray((person * images + image) * dim).subarray(0, dim);
  /** @type {Map<string, Shift>} those that the kernel has computed are exact */
  const shifts = new Map(
    Object.entries(model.get("shifts") ?? {}).map(([name, record]) => [
      name,
      decodeShift(model.get("shift_data"), record),
    ]),
  );
  /** @type {Map<number, Float64Array>} */
  const shifted = new Map();
  let wanted = "";

  /** A changed first image, moved by what the page's weights change about the neutral one.
   * @param {number} person @param {Record<string, number>} values */
  async function embed(person, values) {
    const { draw, embed } = await engine;
    const own = async (/** @type {Record<string, number>} */ one) =>
      embed(card.name, await draw(person, one, size));
    if (!shifted.has(person)) {
      const vector = await own({});
      shifted.set(
        person,
        Float64Array.from(vector, (x, i) => known(person, 0)[i] - x),
      );
    }
    const shift = /** @type {Float64Array} */ (shifted.get(person));
    return Float64Array.from(await own(values), (x, i) => x + shift[i]);
  }

  /** The genuine, then the impostor pair nearest to a distance, each with more within reach.
   * @param {number} at @param {number} reach */
  function nearestPairs(at, reach) {
    /** @type {import("./types").Pair[][]} */
    const kinds = [[], []];
    const vectors = recipes.map((/** @type {object} */ _, /** @type {number} */ k) =>
      known(Math.floor(k / images), k % images),
    );
    for (let a = 0; a < vectors.length; a++) {
      for (let b = a + 1; b < vectors.length; b++) {
        const people = [a, b].map((k) => Math.floor(k / images));
        const same = people[0] === people[1];
        const far = distance(vectors[a], vectors[b], card.metric);
        kinds[same ? 0 : 1].push({
          distance: far,
          images: [a, b],
          people: people.map((one) => names[one]),
          same,
        });
      }
    }
    const away = (/** @type {{distance: number}} */ pair) => Math.abs(pair.distance - at);
    return kinds.flatMap((kind) => {
      kind.sort((one, other) => away(one) - away(other));
      return kind.filter((pair, place) => !place || (place < MOST && away(pair) <= reach));
    });
  }

  /** @param {Record<string, any>} request */
  async function viewPairs({ client, seq, values }) {
    const pairs = nearestPairs(values.distance, values.reach);
    const { draw } = await engine;
    const shown = pairs.flatMap((pair) => pair.images);
    const faces = await Promise.all(shown.map((k) => draw(Math.floor(k / images), recipes[k], size, false)));
    receive({ frame: toFrame(...faces), pairs_view: { client, seq, pairs } });
  }

  /** Ascending distances of the changed first images to the others of the same people. @param {Float64Array[]} moved */
  function genuine(moved) {
    const found = new Float64Array(people * (images - 1));
    moved.forEach((vector, person) => {
      for (let image = 1; image < images; image++)
        found[person * (images - 1) + image - 1] = distance(vector, known(person, image), card.metric);
    });
    return found.sort();
  }

  function publish() {
    const records = Object.fromEntries(
      [...shifts].map(([name, shift], place) => {
        const done = shift.map((row) => row !== null);
        return [name, { place, done, pairs: people * (images - 1), people }];
      }),
    );
    const rows = [...shifts.values()].flat();
    const data = new Float64Array(rows.length * people * (images - 1)).fill(Number.NaN);
    for (const [i, row] of rows.entries()) if (row) data.set(row, i * people * (images - 1));
    receive({ shift_data: new DataView(data.buffer), shifts: records });
  }

  /** The distances at each strength, those near the neutral one first, as FaceGallery.shift. @param {string} name */
  async function compute(name) {
    const {
      label,
      neutral: middle,
      grid,
    } = model.get("setup").attributes.find((/** @type {any} */ one) => one.name === name);
    const shift = shifts.get(name) ?? grid.map(() => null);
    shifts.set(name, shift);
    const away = (/** @type {number} */ k) => Math.abs(grid[k] - middle);
    const order = [...grid.keys()].sort((a, b) => away(a) - away(b));
    for (const [step, k] of order.entries()) {
      if (shift[k]) continue;
      const moved = [];
      for (let person = 0; person < people; person++) {
        if (name !== wanted) return;
        receive({
          progress: { what: `Drawing ${label}`, done: step * people + person, all: grid.length * people },
        });
        moved.push(step ? await embed(person, { [name]: grid[k] }) : Float64Array.from(known(person, 0)));
      }
      shift[k] = genuine(moved);
      publish();
    }
    receive({ progress: {} });
  }

  function follow() {
    const { attribute } = model.get("state");
    if ((attribute ?? "") === wanted) return;
    wanted = attribute ?? "";
    receive({ progress: {} });
    if (wanted) compute(wanted).catch((problem) => receive({ error: unavailable(problem) }));
  }

  model.on("change:state", follow);
  follow();
  return { answer: viewPairs };
}
