// The kernel of a live page: AttributeExplorer's answers, drawn and embedded by the engine in the page. It publishes the
// traits that display.py publishes, in the same order: first the picture, then the figures, then what takes longer.

import { latest } from "../engine/client.js";
import { distance, project, unit } from "../engine/measure.js";
import { createHistory } from "../shared/history.js";
import { startLive, toFrame, unavailable } from "../shared/live.js";
import { estimate } from "./estimate.js";
import { pathDistances, STEPS } from "./path.js";
import { after, checkState, faceOf, referenceOf } from "./session.js";
import { stops } from "./sweep.js";

/** @typedef {import("../engine/types").Drawn} Drawn */
/** @typedef {import("./session").Face} Face */
/** @typedef {import("./session").State} State */
/** @typedef {{moved?: string | null, phase?: string, fresh?: boolean, record?: boolean, tag?: object, path?: number[][], still?: boolean}} Change */
/** @typedef {{state: State, drawn: Drawn, tag: Record<string, any> & {serial: number}, path?: number[][]}} Shown */
/** @typedef {{card: import("../engine/types").PageCard, gallery: Record<string, any>, order: number[], plane: import("../engine/types").Projection, neutral: number[][], energies: Record<string, any>}} View */

const KEPT = 32; // embeddings of references, snapshots and neutral faces
const NEAREST = 3;
/** A slider that rests for so long gets the whole picture; the estimate waits longer. */
const REST_MS = 120;
const CALM_MS = 400;
const PROGRESS_EVERY = 8;

const same = (/** @type {any} */ a, /** @type {any} */ b) => JSON.stringify(a) === JSON.stringify(b);
const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** @param {import("../shared/page_model").Page} page @returns {import("../shared/page_model").Kernel} */
export function createKernel({ live, load, model, receive }) {
  const { attributes, size, drag_size: small } = model.get("setup");
  const { identities, lattice, greeting } = live;
  /** @type {View[]} */
  const views = live.models;
  const known = { attributes, identities, models: views.map(({ card }) => card.name) };
  const viewOf = (/** @type {string} */ name) => views[known.models.indexOf(name)];
  const placeOf = (/** @type {Face} */ face) => identities.indexOf(face.identity);
  const everything = (/** @type {Record<string, number>} */ strengths) =>
    Object.fromEntries(attributes.map((/** @type {any} */ a) => [a.name, strengths[a.name] ?? a.neutral]));
  const engine = startLive({ live, load });
  engine.then(({ model }) => model(now.model)).catch(() => {}); // while the first face is drawn
  /** @type {State} */
  let now = checkState(live.state, known);
  const history = createHistory(now);
  let serial = 1; // of the stored face
  let told = 1;
  /** @type {any} the snapshots, and the model, whose pictures and distance the page has */
  let stored = [now.snapshots, now.model];
  let asked = 0;
  let touched = false;
  let estimating = 0;
  /** @type {Map<string, Promise<any>>} */
  const kept = new Map();

  /** @template T @param {any[]} parts of the key @param {() => Promise<T>} make @returns {Promise<T>} */
  function once(parts, make) {
    const key = JSON.stringify(parts);
    const found = kept.get(key) ?? make();
    kept.delete(key);
    kept.set(key, found);
    found.catch(() => kept.delete(key));
    const oldest = kept.keys().next().value;
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    return found;
  }

  /** @param {Face} face @param {number} [side] */
  const draw = async (face, side = size) => (await engine).draw(placeOf(face), face.strengths, side);

  /** What the page's weights and a smaller picture change about a person's neutral face; it is taken off all
   * embeddings of this person, so that they lie where the kernel's lie among the other people.
   * @param {View} view @param {number} place @param {number} side of the picture */
  async function shift(view, place, side) {
    const row = view.neutral[view.order.indexOf(place)];
    if (!row && side === size) return null;
    return once(["shift", view.card.name, place, side], async () => {
      const { draw, embed } = await engine;
      const of = async (/** @type {number} */ side) => embed(view.card.name, await draw(place, {}, side));
      const [wanted, own] = [row ?? (await of(size)), await of(side)];
      return Float64Array.from(wanted, (value, i) => value - own[i]);
    });
  }

  /** @param {View} view @param {Face} face @param {Drawn} drawn */
  async function embed(view, face, drawn) {
    const off = await shift(view, placeOf(face), drawn.size);
    const vector = await (await engine).embed(view.card.name, drawn);
    return Float64Array.from(vector, (value, i) => value + (off?.[i] ?? 0));
  }

  /** @param {View} view @param {Face} face */
  const vectorOf = (view, face) =>
    once([view.card.name, face.identity, face.strengths], async () => embed(view, face, await draw(face)));
  /** @type {WeakMap<Drawn, DataView>} the view paints a reference only once */
  const frames = new WeakMap();
  /** @param {Drawn} drawn */
  const frameOf = (drawn) => {
    const frame = frames.get(drawn) ?? toFrame(drawn);
    frames.set(drawn, frame);
    return frame;
  };
  /** @param {Face} face */
  const pictureOf = (face) =>
    once(["picture", face.identity, face.strengths], async () =>
      (await engine).draw(placeOf(face), face.strengths, size, false),
    );

  /** @param {View} view @param {ArrayLike<number>} vector */
  const onMap = ({ card, plane }, vector) => project(card.metric === "cosine" ? unit(vector) : vector, plane);

  /** @param {View} view @param {State} state @param {Float64Array} vector */
  async function reading(view, state, vector) {
    const reference = await vectorOf(view, referenceOf(state));
    const { card, order, neutral } = view;
    const near = order.map((place, i) => [place, distance(neutral[i], vector, card.metric)]);
    return {
      model: card.name,
      distance: distance(vector, reference, card.metric),
      point: onMap(view, vector),
      reference_point: onMap(view, reference),
      nearest: near.sort((a, b) => a[1] - b[1]).slice(0, NEAREST),
    };
  }

  /** The reading of a face; that of the greeting is stored, so that it needs no network. @param {View} view @param {Shown} shown */
  const readingOf = async (view, { state, drawn, path = [] }) =>
    (path.length && greeting.reads[view.card.name]) || reading(view, state, await embed(view, state, drawn));

  /** @param {Face} face @param {Drawn} drawn */
  const described = (face, drawn) => ({
    place: placeOf(face),
    strengths: everything(face.strengths),
    shape: [drawn.size, drawn.size],
  });

  /** The traits of stored faces, unless the page has them. @param {State} state */
  async function snapshotsOf(state) {
    if (same(stored, [state.snapshots, state.model])) return {};
    const faces = Object.entries(state.snapshots);
    const pictures = await Promise.all(faces.map(([, face]) => pictureOf(face)));
    /** @type {Record<string, any>} */
    const found = Object.fromEntries(faces.map(([name, face], i) => [name, described(face, pictures[i])]));
    const view = viewOf(state.model);
    if (faces.length === 2) {
      const [a, b] = await Promise.all(faces.map(([, face]) => vectorOf(view, face)));
      found.distance = distance(a, b, view.card.metric);
    }
    stored = [state.snapshots, state.model];
    return { snapshots: found, snapshot_frame: toFrame(...pictures) };
  }

  /** The figures of a face, unless newer ones were published. @param {Shown} shown */
  async function tell(shown) {
    const { state, tag, path = [] } = shown;
    const view = viewOf(state.model);
    const reference = referenceOf(state);
    const read = await readingOf(view, shown);
    const beside = await pictureOf(reference);
    const more = tag.phase === "commit" || tag.phase === "again" ? await snapshotsOf(state) : {};
    if (tag.serial < told) return;
    told = tag.serial;
    const models = same(
      [state.model, state.compare],
      [model.get("figures").model, model.get("figures").compare],
    )
      ? {}
      : {
          gallery: view.gallery,
          second_gallery: state.compare ? viewOf(state.compare).gallery : {},
          energies: view.energies,
          tangent: {},
        };
    receive({
      ...models,
      ...more,
      ...(tag.phase !== "drag" && (tag.phase !== "step" || path.length) && { state }),
      ...(model.get("error")?.what && { error: {} }),
      reference_frame: frameOf(beside),
      figures: {
        ...tag,
        ...read,
        ...(path.length && { path }),
        reference: { ...described(reference, beside), pinned: Boolean(state.reference) },
        compare: state.compare,
        can: { undo: history.canUndo, redo: history.canRedo },
      },
    });
    if (state.compare) await tellSecond(shown);
    document.documentElement.dataset.live = "ready";
  }

  /** @param {Shown} shown */
  async function tellSecond(shown) {
    const { state, tag } = shown;
    const view = viewOf(state.compare ?? "");
    const read = await readingOf(view, shown);
    if (tag.serial >= told) receive({ second: { ...tag, ...read } });
  }

  /** The finite difference along the attribute that moved, one default step both ways, on the map.
   * @param {Shown} shown @param {string} name */
  async function point({ state, tag }, name) {
    const attribute = attributes.find((/** @type {any} */ one) => one.name === name);
    if (!attribute) return;
    const view = viewOf(state.model);
    const { low, high, step, neutral } = attribute;
    const middle = Math.min(Math.max(state.strengths[name] ?? neutral, low + step), high - step);
    const ends = [];
    for (const sign of [-1, 1]) {
      if (tag.serial < serial) return;
      const face = { ...faceOf(state), strengths: { ...state.strengths, [name]: middle + sign * step } };
      ends.push(await embed(view, face, await draw(face)));
    }
    const [a, b] = view.card.metric === "cosine" ? ends.map(unit) : ends;
    const move = b.map((value, i) => value - a[i]);
    const flat = project(move, { ...view.plane, mean: new Float64Array(move.length) });
    const [length, whole] = [Math.hypot(...flat), Math.hypot(...move)];
    const share = whole ? length / whole : 0;
    const apart = distance(ends[0], ends[1], view.card.metric);
    if (tag.serial === serial) receive({ tangent: { serial, name, vector: flat, share, length: apart } });
  }

  /** The path of a sweep, as measurements.py. @param {string} name @param {object} tag */
  async function walk(name, tag) {
    const attribute = attributes.find((/** @type {any} */ one) => one.name === name);
    const [state, view] = [now, viewOf(now.model)];
    const where = { name, model: state.model, place: placeOf(state), at: everything(state.strengths) };
    const strengths = stops(attribute, STEPS);
    receive({ path: { ...where, ...tag, done: 0, all: STEPS } });
    const vectors = [];
    for (const value of strengths) {
      const face = { ...faceOf(state), strengths: { ...state.strengths, [name]: value } };
      vectors.push(await embed(view, face, await draw(face)));
      receive({ path: { ...where, done: vectors.length, all: STEPS } });
    }
    receive({ path: { ...where, strengths, ...pathDistances(vectors, view.card.metric) } });
  }

  const figures = latest(tell); // during a drag only those of the newest face

  /** @param {State} state @param {Change} [change] */
  async function show(
    state,
    { moved = null, phase = "commit", fresh = false, record = true, tag = {}, path = [], still = false } = {},
  ) {
    const drag = phase === "drag";
    const drawn = await draw(state, drag && !still ? small : size);
    const otherFace = fresh || !same([now.identity, now.model], [state.identity, state.model]);
    if (phase !== "again") serial += 1;
    const shown = { state, drawn, path, tag: { ...tag, serial, moved, drag, phase, fresh: otherFace } };
    now = state;
    if (phase !== "again")
      receive({ frame: toFrame(drawn), reply: { ...shown.tag, ...described(state, drawn) } });
    if (phase === "commit" && record) history.commit(state, moved ?? "");
    if (drag) figures(shown).catch((problem) => receive({ error: { ...tag, ...failure(problem) } }));
    else await tell(shown);
    if (!drag || still) finish(shown, phase === "commit" || path.length ? moved : null).catch(() => {});
  }

  /** After a face: its tangent; then the engine, which keeps what belongs to one size, gets ready for a drag.
   * @param {Shown} shown @param {string | null} moved */
  async function finish(shown, moved) {
    if (moved) await point(shown, moved).catch(() => {});
    if (shown.tag.serial === serial) await draw(shown.state, small);
  }

  /** The first view of an untouched page shows a face that has moved a little. @param {object} tag */
  function greet(tag) {
    const untouched = greeting && serial === 1 && !touched;
    if (!untouched) return show(now, { phase: "step", tag });
    const { name, value, path } = greeting;
    const state = checkState({ ...now, strengths: { [name]: value } }, known);
    return show(state, { moved: name, phase: "step", tag, path });
  }

  const failure = (/** @type {unknown} */ problem) => ({
    what: "The page could not compute this.",
    why: problem instanceof Error ? problem.message : String(problem),
    todo: "Try another change.",
  });

  // --- the estimate of what the model depends on

  async function runEstimate() {
    const [view, mine] = [viewOf(now.model), ++estimating];
    const here = () => mine === estimating && viewOf(now.model) === view;
    const { draw, embed } = await engine;
    const faces = estimate(
      lattice,
      async (place, strengths) => {
        while (performance.now() - asked < CALM_MS) await sleep(CALM_MS / 4);
        return embed(view.card.name, await draw(place, strengths, size));
      },
      view.card.metric,
    );
    for await (const step of faces) {
      if (!here()) return;
      if (!("rows" in step) && step.done % PROGRESS_EVERY > 2) continue;
      view.energies = { ...view.energies, ...step, stoppable: true };
      receive({ energies: view.energies });
    }
  }

  /** @param {Record<string, any>} request */
  function depend({ client, seq, action }) {
    const view = viewOf(now.model);
    estimating += 1; // ends the one that runs
    if (action === "estimate")
      runEstimate().catch((problem) => receive({ energies: { failed: problem.message } }));
    else {
      view.energies = { ...view.energies, done: 0, all: 0 };
    }
    receive({ energies: { ...view.energies, client, seq } });
  }

  // a state from a link, or from the page's address
  model.on("change:state", () => {
    const state = model.get("state");
    if (same(state, now)) return;
    answer({ action: "restore", state }).catch((problem) => {
      receive({
        error: { ...failure(problem), what: "The state in the link does not fit this page." },
        state: now,
      });
    });
  });

  let last = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;
  /** One request after the other, those of links too. @param {Record<string, any>} request */
  function answer(request) {
    const done = last.then(() => act(request));
    last = done.catch(() => {});
    return done;
  }

  /** @param {Record<string, any>} request */
  async function act(request) {
    asked = performance.now();
    clearTimeout(resting);
    const { action, client, seq, moved, phase } = request;
    if (action !== "greet") touched = true;
    try {
      await engine;
    } catch (problem) {
      return receive({ error: { client, seq, ...unavailable(problem) } });
    }
    if (action === "estimate" || action === "stop") return depend(request);
    const tag = { client, seq };
    if (action === "path") {
      walk(moved, tag).catch((problem) => {
        receive({ path: { ...model.get("path"), failed: problem.message } });
      });
      return;
    }
    if (action === "greet") return greet(tag);
    if (action === "undo" || action === "redo")
      return show(history.step(action === "undo" ? -1 : 1), { record: false, tag });
    const fresh = action === "reset" || action === "restore";
    await show(after(now, request, known), { moved, phase, fresh, tag });
    if (phase !== "drag") return;
    resting = setTimeout(() => {
      last = last.then(() => show(now, { moved, phase, still: true })).catch(() => {});
    }, REST_MS);
  }

  engine
    .then(async () => {
      if (!asked) await show(now, { phase: "again", record: false });
    })
    .catch((problem) => receive({ error: unavailable(problem) }));
  return { answer };
}
