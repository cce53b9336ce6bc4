// The page's own distance, shown with a "~" while the kernel's takes long. The network that this needs is large: the page
// asks for it only after the kernel has been slow several times.

import { distance } from "../engine/measure.js";

/** @typedef {import("./hand").Face} Face */

/** An answer that takes longer is slow. */
export const SLOW_MS = 80;
/** While the kernel is slow and the face moves on, the page's figure is renewed after this time. */
export const RENEW_MS = 250;
/** After so many slow answers in a row the page gets the network. */
export const OFTEN = 3;

/**
 * @param {{signal: AbortSignal, names: () => string[], reference: () => Face,
 *   hand: Pick<ReturnType<typeof import("./hand").createHand>, "card" | "draws" | "embed" | "prepare" | "prepareModel" | "seen">,
 *   show: (place: number, distance: number, face: Face) => void}} options `names` of the models shown, `reference` of the
 *   distance; `show` takes the place of a model among them
 */
export function createGuess({ signal, names, reference, hand, show }) {
  /** @type {Face | null} */
  let face = null;
  /** @type {Face | null} the one whose figure was shown last */
  let shown = null;
  let newest = 0; // the last request
  let ahead = 0; // the last request that a figure of the page has overtaken
  let answered = 0; // how often the kernel has told the figures of the newest face
  let slow = 0; // answers in a row
  let waited = false; // for the newest request, longer than SLOW_MS
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Map<string, {of: string, vector: Promise<Float32Array | undefined>}>} each model's of the reference, by size */
  const kept = new Map();
  signal.addEventListener("abort", stop);

  function stop() {
    clearTimeout(timer);
    timer = undefined;
  }

  /** A face in motion is small, which moves its embedding; so the reference is as small. @param {string} name
   * @param {Face} face @param {number} [side] */
  function ofReference(name, face, side) {
    const [key, of] = [`${name} ${side}`, JSON.stringify(face)];
    const found = kept.get(key);
    if (found?.of === of) return found.vector;
    const vector = hand.embed(name, face, side);
    kept.set(key, { of, vector });
    vector.catch(() => kept.delete(key));
    return vector;
  }

  /** @param {string} name @param {number} i @param {Face} now */
  async function tell(name, i, now) {
    const [mine, beside, card] = [answered, reference(), hand.card(name)];
    if (!card) return hand.prepareModel(name);
    if (!hand.draws(beside.place)) return hand.prepare(beside.place);
    const [a, b] = [await hand.embed(name, now), await ofReference(name, beside, now.drawn?.size)];
    if (!a || !b || mine !== answered || signal.aborted) return;
    ahead = newest;
    show(i, distance(a, b, card.metric), now);
  }

  async function late() {
    timer = undefined;
    if (!waited) slow += 1;
    waited = true;
    const now = face && (hand.seen() ?? face);
    if (slow < OFTEN || !now) return;
    const mine = answered;
    if (now !== shown) await Promise.all(names().map((name, i) => tell(name, i, now))).catch(() => {});
    shown = now;
    if (mine === answered && !signal.aborted) timer ??= setTimeout(late, RENEW_MS);
  }

  return {
    /** The face in hand, if the page draws it. @param {Face | null} now */
    move(now) {
      face = now;
    },
    /** A request was sent. @param {number} seq @param {boolean} moved whether it moves the face in hand */
    sent(seq, moved) {
      newest = seq;
      if (moved) timer ??= setTimeout(late, SLOW_MS);
      else face = null;
    },
    /** The kernel has told the figures of a request of this page. @param {number} seq */
    told(seq) {
      if (seq < newest) return;
      stop();
      if (!waited) slow = 0;
      waited = false;
      answered += 1;
      ahead = 0;
      shown = null;
    },
    /** Whether a figure of the page is newer than the kernel's answer to this request. @param {number} seq */
    overtook: (seq) => seq < ahead,
  };
}
