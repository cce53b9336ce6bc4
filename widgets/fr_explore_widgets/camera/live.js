// What judges faces in the page of a PhotoExplorer: finds them, edits and embeds their portraits, all in workers.

import { startLive, unavailable } from "../shared/live.js";
import { COVERS, covered } from "./cover.js";

/** @typedef {import("../engine/types").Picture} Picture */
/** @typedef {import("../engine/types").Portrait} Portrait */
/** @typedef {Awaited<ReturnType<typeof startJudge>>} Judge */

const FACES = 2;
const SIZE = 160; // of the portraits that an AttributeExplorer shows
const SEED = 0; // of the grain

/** @param {Pick<import("../shared/page_model").Page, "live" | "load">} page */
async function startJudge({ live, load }) {
  const { engine, model } = await startLive({ live, load });
  const [{ card }] = live.models;
  const { yunet, onet, ...numbers } = live.finder;
  await Promise.all([
    engine.addFinder({ ...numbers, yunet: await load(yunet), onet: await load(onet) }),
    model(card.name),
  ]);
  document.documentElement.dataset.live = "ready";
  /** @type {WeakMap<Picture, Promise<Float32Array>>} */
  const known = new WeakMap();
  const embed = async (/** @type {Portrait} */ { picture, landmarks }) =>
    (await engine.embed({ picture, landmarks, models: [card.name] }))[card.name];

  return {
    /** The largest faces of a picture, whose bytes are given away. @param {Picture & {data: {buffer: ArrayBuffer}}} picture
     * @param {number[][]} [near] boxes of the faces in the picture before it */
    look: (picture, near) => engine.look({ picture, most: FACES, size: SIZE, near }),
    /** @param {Portrait} portrait @param {Record<string, number>} values @returns {Promise<Portrait>} */
    async edit(portrait, values) {
      const { picture: before } = covered(portrait, values);
      const rest = Object.fromEntries(Object.entries(values).filter(([name]) => !COVERS.includes(name)));
      if (!Object.keys(rest).length) return { ...portrait, picture: before };
      const { picture } = await engine.adjust({ picture: before, values: rest, seed: SEED, keep: true });
      return { ...portrait, picture: /** @type {Picture} */ (picture) };
    },
    /** Its embedding, computed once. @param {Portrait} portrait */
    vectorOf(portrait) {
      const found = known.get(portrait.picture) ?? embed(portrait);
      known.set(portrait.picture, found);
      return found;
    },
  };
}

/** @param {import("../shared/page_model").Page} page @returns {import("../shared/page_model").Kernel} */
export function createKernel({ live, load, receive }) {
  const judge = startJudge({ live, load });
  judge.catch((problem) =>
    receive({ error: { ...unavailable(problem), what: "No face can be judged here." } }),
  );
  receive({ judge });
  return { async answer() {} };
}
