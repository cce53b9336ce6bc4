// Replaces anywidget's model in a page without a kernel: traits, their listeners, and answers computed in advance.

import { createHistory } from "./history.js";

/**
 * @typedef {Record<string, any>} Place a point: one value on each axis
 * @typedef {{at: Place, traits: Record<string, any>}} Answer
 * @typedef {{traits: Record<string, any>, axes?: Record<string, any[]>, start?: Place,
 *   answers?: [Place, Record<string, any>][], blobs?: string[]}} Data
 */

const ALONE = {
  what: "This page has no kernel.",
  todo: "Move a slider; for everything else run the notebook that wrote this page.",
};

/** @param {string} text base64 */
function toBytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** A JPEG as raw RGB bytes, as the kernel sends them. @param {Uint8Array<ArrayBuffer>} data */
async function toPixels(data) {
  const picture = await createImageBitmap(new Blob([data], { type: "image/jpeg" }));
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(picture, 0, 0);
  const rgba = context.getImageData(0, 0, picture.width, picture.height).data;
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, o = 0; i < rgba.length; i += 4, o += 3) {
    rgb[o] = rgba[i];
    rgb[o + 1] = rgba[i + 1];
    rgb[o + 2] = rgba[i + 2];
  }
  return new DataView(rgb.buffer);
}

/** The point on the axes that a request asks for, or null if it sets none of them.
 * @param {Record<string, any[]>} axes @param {Place} place @param {Record<string, any>} request */
export function aim(axes, place, request) {
  const asked = { ...request, ...request.values };
  const moved = Object.keys(axes).filter((name) => name in asked);
  if (!moved.length) return null;
  return { to: { ...place, ...Object.fromEntries(moved.map((name) => [name, asked[name]])) }, moved };
}

/**
 * The answer nearest to a point: the axes that moved count first, then the others.
 * @template {{at: Place}} T
 * @param {T[]} answers @param {Record<string, any[]>} axes @param {Place} to @param {string[]} moved
 * @returns {T | undefined}
 */
export function nearest(answers, axes, to, moved) {
  const spans = Object.entries(axes).map(([name, values]) => {
    const numbers = values.every((value) => typeof value === "number");
    const span = numbers ? Math.max(...values) - Math.min(...values) || 1 : 0;
    return { name, span, weight: moved.includes(name) ? 1e6 : 1 };
  });
  let best;
  let least = Number.POSITIVE_INFINITY;
  for (const answer of answers) {
    let far = 0;
    for (const { name, span, weight } of spans) {
      const [a, b] = [answer.at[name], to[name]];
      far += weight * (span ? Math.abs(a - b) / span : Number(a !== b));
    }
    if (far < least) [least, best] = [far, answer];
  }
  return best;
}

/** @param {Data} data @returns {Promise<import("./types").Model>} */
export async function createModel({ traits, axes = {}, start = {}, answers: pairs = [], blobs = [] }) {
  /** @type {Map<string, (() => void)[]>} */
  const listeners = new Map();
  const changed = new Set();
  const answers = pairs.map(([at, answer]) => ({ at, traits: answer }));

  /** @param {any} value */
  async function revive(value) {
    if (value?.$jpeg !== undefined) return toPixels(toBytes(blobs[value.$jpeg]));
    if (value?.$bytes !== undefined) return new DataView(toBytes(blobs[value.$bytes]).buffer);
    return value;
  }
  /** @param {Record<string, any>} given */
  async function reviveAll(given) {
    const entries = await Promise.all(
      Object.entries(given).map(async ([name, value]) => [name, await revive(value)]),
    );
    return /** @type {Record<string, any>} */ (Object.fromEntries(entries));
  }
  const values = await reviveAll({ ...traits, offline: true });
  const serials = Object.values(values).map((value) => Number(value?.serial) || 0);
  let serial = Math.max(0, ...serials);
  let at = start;
  const history = createHistory(start);
  let last = Promise.resolve();

  /** @param {Record<string, any>} update all traits first, then their events, as Jupyter does */
  function receive(update) {
    Object.assign(values, update);
    for (const name of Object.keys(update)) {
      for (const callback of [...(listeners.get(`change:${name}`) ?? [])]) callback();
    }
  }

  /** @param {Record<string, any>} request */
  function step(request) {
    if (request.action === "reset") return { to: start, moved: Object.keys(axes) };
    if (request.action !== "undo" && request.action !== "redo") return aim(axes, at, request);
    return { to: history.step(request.action === "undo" ? -1 : 1), moved: Object.keys(axes) };
  }

  /** @param {Record<string, any>} request */
  async function answer(request) {
    const { client, seq } = request;
    const found = answers.length ? step(request) : null;
    const best = found && nearest(answers, axes, found.to, found.moved);
    if (!best) return receive({ error: { client, seq, ...ALONE } });
    at = best.at;
    const drag = request.phase === "drag";
    if (!drag && request.phase !== "step" && !["undo", "redo"].includes(request.action))
      history.commit(at, request.moved ?? "");
    serial += 1;
    const tag = { client, seq, serial, drag, moved: request.moved ?? null };
    const can = { undo: history.canUndo, redo: history.canRedo };
    const update = await reviveAll(best.traits);
    for (const [name, value] of Object.entries(update)) {
      if (value && typeof value === "object" && "seq" in value) update[name] = { ...value, ...tag };
      if (value && typeof value === "object" && "can" in value) update[name] = { ...update[name], can };
    }
    receive(values.error?.what ? { ...update, error: {} } : update);
  }

  return {
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      changed.add(name);
      for (const callback of [...(listeners.get(`change:${name}`) ?? [])]) callback();
    },
    save_changes() {
      if (changed.has("request")) {
        const request = values.request;
        last = last.then(() => answer(request));
      }
      changed.clear();
    },
    on: (event, callback) => listeners.set(event, [...(listeners.get(event) ?? []), callback]),
    off: (event, callback) =>
      listeners.set(
        event,
        (listeners.get(event) ?? []).filter((one) => one !== callback),
      ),
  };
}
