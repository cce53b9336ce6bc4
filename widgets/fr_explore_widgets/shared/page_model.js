// Replaces anywidget's model in a page without a kernel: traits, their listeners, and answers: stored ones, or those of
// a live page's own kernel.

import { createHistory } from "./history.js";

/**
 * @typedef {Record<string, any>} Place a point: one value on each axis
 * @typedef {{at: Place, traits: Record<string, any>}} Answer
 * @typedef {{traits: Record<string, any>, axes?: Record<string, any[]>, start?: Place,
 *   answers?: [Place, Record<string, any>][], blobs?: string[], live?: Record<string, any>, note?: string}} Data
 * @typedef {Record<string, any>} Traits
 * @typedef {object} Page what a page offers to its kernel
 * @property {Record<string, any>} live the data of core/live.py; `bytes` reads its bytes
 * @property {(value: any) => Uint8Array<ArrayBuffer>} bytes
 * @property {(value: any) => Promise<Uint8Array<ArrayBuffer>>} load the same for what pages of one site share as files
 * @property {import("./types").Model} model
 * @property {(update: Traits) => void} receive set traits, as a message from a kernel does
 * @property {(request: Record<string, any>) => Promise<Traits | null>} stored the stored answer to a request
 * @typedef {{answer: (request: Record<string, any>) => Promise<void>}} Kernel
 */

const ALONE = {
  what: "This page has no kernel.",
  todo: "Move a slider; for everything else run the notebook that wrote this page.",
};

const FAILED = {
  what: "The page could not compute this.",
  todo: "Try another change, or load the page again.",
};

const MISSING =
  "A file of this page was not found: keep the site's folders together, or load the page again.";

/** @param {string} text base64 */
function toBytes(text) {
  const quick = /** @type {{fromBase64?: (text: string) => Uint8Array<ArrayBuffer>}} */ (Uint8Array);
  if (quick.fromBase64) return quick.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** A page that nobody touches loads its late files after this time. */
const UNTOUCHED_MS = 8000;
const TOUCHES = ["pointerover", "pointerdown", "keydown", "focusin"];

/** When the page is touched, or has been there for a while. */
function touched() {
  return new Promise((done) => {
    for (const event of TOUCHES) addEventListener(event, done, { once: true });
    setTimeout(done, UNTOUCHED_MS);
  });
}

/** Load a file from the folder that the page's other files come from. @param {string} name */
function loadScript(name) {
  const others = /** @type {NodeListOf<HTMLScriptElement>} */ (document.querySelectorAll("script[src]"));
  const script = document.createElement("script");
  script.src = others[others.length - 1].src.replace(/[^/]*$/, name);
  script.onerror = () => dispatchEvent(new Event("fr-missing"));
  document.head.append(script);
}

/** The text of a file that pages share; its script may still be on its way. @param {string} key @returns {Promise<string>} */
function fileOf(key) {
  const page = /** @type {{frExploreFiles?: Record<string, string>}} */ (globalThis);
  return new Promise((resolve, reject) => {
    const look = () => {
      const text = page.frExploreFiles?.[key];
      if (text === undefined) return;
      removeEventListener("fr-file", look);
      resolve(text);
    };
    addEventListener("fr-file", look);
    addEventListener("fr-missing", () => reject(new Error(MISSING)));
    look();
  });
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

/** @param {Data} data @param {(page: Page) => Kernel} [createKernel] of a live page @returns {Promise<import("./types").Model>} */
export async function createModel(
  { traits, axes = {}, start = {}, answers: pairs = [], blobs = [], live = {} },
  createKernel,
) {
  /** @type {Map<string, (() => void)[]>} */
  const listeners = new Map();
  const changed = new Set();
  const answers = pairs.map(([at, answer]) => ({ at, traits: answer }));

  const bytes = (/** @type {any} */ value) => toBytes(blobs[value.$bytes ?? value.$jpeg]);
  const touch = touched();
  /** @type {Set<string>} */
  const late = new Set();
  /** @param {any} value */
  async function load({ $file, $late, ...value }) {
    if ($file === undefined) return bytes(value);
    if ($late && !late.has($late)) {
      late.add($late);
      await touch;
      loadScript($late);
    }
    return toBytes(await fileOf($file));
  }
  /** @param {any} value */
  async function revive(value) {
    if (value?.$jpeg !== undefined) return toPixels(bytes(value));
    if (value?.$bytes !== undefined) return new DataView(bytes(value).buffer);
    return value;
  }
  /** @param {Record<string, any>} given */
  async function reviveAll(given) {
    const entries = await Promise.all(
      Object.entries(given).map(async ([name, value]) => [name, await revive(value)]),
    );
    return /** @type {Record<string, any>} */ (Object.fromEntries(entries));
  }
  const values = /** @type {Traits} */ (await reviveAll({ ...traits, offline: !createKernel }));
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

  /** The nearest stored answer, tagged as one to this request; null if there is none.
   * @param {Record<string, any>} request @returns {Promise<Traits | null>} */
  async function stored(request) {
    const found = answers.length ? step(request) : null;
    const best = found && nearest(answers, axes, found.to, found.moved);
    if (!best) return null;
    at = best.at;
    const { client, seq } = request;
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
    // the state of a widget whose kernel keeps it
    const { state } = values;
    if (state?.strengths && !update.state)
      update.state = { ...state, strengths: { ...state.strengths, ...at } };
    return update;
  }

  /** @param {Record<string, any>} request */
  async function answer(request) {
    const { client, seq } = request;
    try {
      if (kernel) await kernel.answer(request);
      else {
        const update = await stored(request);
        if (!update) receive({ error: { client, seq, ...ALONE } });
        else receive(values.error?.what ? { ...update, error: {} } : update);
      }
    } catch (problem) {
      receive({ error: { client, seq, ...FAILED, why: String(problem) } });
    }
  }

  /** @param {Record<string, any>} request */
  function ask(request) {
    last = last.then(() => answer(request));
  }

  /** @type {import("./types").Model} */
  const model = {
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      changed.add(name);
      // restored from a link
      const strengths = name === "state" && /** @type {any} */ (value)?.strengths;
      if (strengths && !kernel) ask({ action: "set", values: strengths });
      for (const callback of [...(listeners.get(`change:${name}`) ?? [])]) callback();
    },
    save_changes() {
      if (changed.has("request")) ask(values.request);
      changed.clear();
    },
    on: (event, callback) => listeners.set(event, [...(listeners.get(event) ?? []), callback]),
    off: (event, callback) =>
      listeners.set(
        event,
        (listeners.get(event) ?? []).filter((one) => one !== callback),
      ),
  };
  const kernel = createKernel?.({ live, bytes, load, model, receive, stored });
  return model;
}
