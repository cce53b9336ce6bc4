// FieldExplorer: a field's points and arrows in a plane, and its alignment energy as the scale slides. The kernel
// sends the energies of all points at all scales once for each cell of the field; everything else is looked up here.

import { followTheme, h, term, uid } from "../shared/dom.js";
import { createHistory, walkByKeys } from "../shared/history.js";
import { createLink } from "../shared/link.js";
import { createNotices, watchKernel } from "../shared/notice.js";
import { listen } from "../shared/view.js";
import { createKey } from "./key.js";
import { createField } from "./plane.js";
import { createProfile } from "./profile.js";
import { decode, nullAt, PLANES } from "./sheet.js";
import { createAttributes, createCurve, createRadios, createStrip } from "./side.js";
import { GLOSSARY, planeText, scaleText } from "./words.js";

/** @typedef {import("./types").FieldSetup} FieldSetup */
/** @typedef {import("./types").FieldState} FieldState */
/** @typedef {import("./types").Kind} Kind */
/** @typedef {import("./types").Near} Near */
/** @typedef {import("./types").Sheet} Sheet */
/** @typedef {import("../shared/types").Model} Model */
/** @typedef {{strengths: number[] | null, frame: DataView | null}} Look */

const KINDS = /** @type {Kind[]} */ (["knn", "ball"]);
const PLANE_NAMES = {
  points: "of the faces: PCA of the base points",
  directions: "of the arrows: PCA of the directions",
  mean: "mean direction across, first PC of the faces up",
};
const LOST = "The kernel is gone. What this page was sent already can still be looked at.";
const LACK = {
  what: "The kernel had not sent this part of the field before it went.",
  todo: "Run the cell again to see it.",
};
const SILENT = "The kernel has not answered for some seconds: it is busy, or it was restarted.";
const LOOKS_KEPT = 150;

/** @param {{model: Model, el: HTMLElement, signal?: AbortSignal}} context */
function render({ model, el, signal: given }) {
  const stop = new AbortController();
  given?.addEventListener("abort", () => stop.abort());
  const { signal } = stop;
  const setup = /** @type {FieldSetup} */ (model.get("setup"));
  let state = /** @type {FieldState} */ (model.get("state"));
  let gone = false;
  const history = createHistory(state);
  /** @type {Map<string, Sheet>} */
  const sheets = new Map();
  /** @type {Map<string, {order: Int32Array, counts: Near["counts"]}>} */
  const nears = new Map();
  /** @type {Map<string, Look>} */
  const pictures = new Map();
  const asked = new Set();
  /** @type {Record<Kind, number | null>} */
  const scales = { knn: null, ball: null };
  let hovered = -1;
  let looked = "";

  const notices = createNotices();
  const people = h("select", { class: "fr-select", id: uid("identity") });
  setup.identities.forEach((name, place) => {
    people.append(h("option", { value: place, text: String(name) }));
  });
  people.addEventListener("change", () => change({ identity: setup.identities[Number(people.value)] }));
  const attributes = createAttributes(setup.attributes, (attribute) => change({ attribute }));
  const planes = h("select", { class: "fr-select", id: uid("plane") });
  for (const name of PLANES) planes.append(h("option", { value: name, text: PLANE_NAMES[name] }));
  planes.addEventListener("change", () =>
    change({ plane: /** @type {FieldState["plane"]} */ (planes.value) }),
  );
  const long = h("input", { type: "checkbox", id: uid("length") });
  long.addEventListener("change", () => change({ length: long.checked ? "magnitude" : "direction" }));
  const kinds = createRadios(
    "Neighbours",
    [
      { value: "knn", text: "k nearest" },
      { value: "ball", text: "radius" },
    ],
    (kind) => change({ kind: /** @type {Kind} */ (kind) }),
  );
  const button = (/** @type {string} */ text, /** @type {-1 | 1} */ by) => {
    const node = h("button", { type: "button", class: "fr-button", text });
    node.addEventListener("click", () => walk(by));
    return node;
  };
  const [undo, redo] = [button("Undo", -1), button("Redo", 1)];
  const field = createField({
    signal,
    curves: setup.curves,
    onHover: (curve) => {
      hovered = curve;
      lookAt(true);
    },
    onChoose: (curve) => change({ curve: curve < 0 || curve === state.curve ? null : curve }),
  });
  const key = createKey();
  const profile = createProfile({
    signal,
    onMove: (place, phase) => change({ scale: setup.grid[state.kind][place] }, { hold: phase === "drag" }),
  });
  const strip = createStrip(setup.identities, (place) => change({ identity: setup.identities[place] }));
  const curve = createCurve(setup.size);
  const note = h("p", { class: "fr-sub" });
  const scaleWords = h("b", { class: "fr-scale-words" });
  const spoken = h("div", { class: "fr-hidden", role: "status", "aria-live": "polite" });
  const root = h(
    "div",
    { class: "fr-lab fr-field", "data-lm-suppress-shortcuts": "true" },
    notices.root,
    h(
      "div",
      { class: "fr-top" },
      h("p", { class: "fr-pick" }, h("label", { for: people.id, text: "Identity" }), people),
      attributes.root,
      h("div", { class: "fr-actions" }, undo, redo),
    ),
    h(
      "div",
      { class: "fr-stage" },
      h(
        "section",
        { class: "fr-map", "aria-label": "Field" },
        h(
          "div",
          { class: "fr-map-head" },
          h("p", { class: "fr-pick" }, h("label", { for: planes.id, text: "Plane" }), planes),
          h("p", { class: "fr-pick" }, long, h("label", { for: long.id, text: "length = magnitude" })),
        ),
        field.root,
        field.legend,
        note,
      ),
      h(
        "div",
        { class: "fr-side" },
        key.root,
        h(
          "section",
          { class: "fr-scales", "aria-label": "Scale" },
          h("div", { class: "fr-scale-head" }, term("scale", GLOSSARY.scale), scaleWords, kinds.root),
          profile.root,
        ),
        strip.root,
        curve.root,
      ),
    ),
    spoken,
  );
  el.append(root);
  const link = createLink(model, {
    signal,
    onSilence: (silent) => notices.showBanner(silent ? SILENT : ""),
  });

  const cell = () => ({
    identity: setup.identities.indexOf(state.identity),
    attribute: setup.attributes.findIndex(({ name }) => name === state.attribute),
  });
  const sheetKey = (/** @type {{identity: number, attribute: number}} */ c, /** @type {Kind} */ kind) =>
    `${c.identity},${c.attribute},${kind}`;
  const lookKey = (/** @type {{identity: number, attribute: number}} */ c, /** @type {number} */ i) =>
    `${c.identity},${c.attribute},${i}`;
  const place = () => setup.grid[state.kind].findIndex((scale) => Math.abs(scale - state.scale) < 1e-9);
  const shownCurve = () => (hovered >= 0 ? hovered : (state.curve ?? -1));

  /** The sheet of the present cell; asked for where it is not here yet. */
  function sheet() {
    const at = cell();
    const wanted = sheetKey(at, state.kind);
    const found = sheets.get(wanted);
    if (!found && !asked.has(wanted)) {
      asked.add(wanted);
      const values = { what: 0, ...at, kind: KINDS.indexOf(state.kind), curve: 0 };
      link.send({ action: "sheet", values });
    }
    return found;
  }

  function draw() {
    const now = sheet();
    people.value = String(cell().identity);
    attributes.set(state.attribute);
    planes.value = state.plane;
    long.checked = state.length === "magnitude";
    kinds.set(state.kind);
    scales[state.kind] = state.scale;
    undo.disabled = !history.canUndo;
    redo.disabled = !history.canRedo;
    scaleWords.textContent = scaleText(state.kind, state.scale);
    root.classList.toggle("fr-waiting", !now);
    if (now) drawSheet(now);
  }

  /** @param {Sheet} now */
  function drawSheet(now) {
    const at = place();
    const attribute = setup.attributes[now.attribute];
    const drawn = model.get("nulls")?.[sheetKey(now, state.kind)];
    const energy = now.energy[at] ?? Number.NaN;
    key.show({
      energy,
      coverage: now.coverage[at],
      known: now.known,
      curves: setup.curves,
      magnitude: now.magnitude ?? Number.NaN,
      none: nullAt(drawn, at),
      kind: state.kind,
      scale: state.scale,
      label: attribute.label,
    });
    const shared = { place: at, color: attribute.color, kind: state.kind };
    const axis = { grid: setup.grid[state.kind], label: attribute.label, none: drawn ?? [] };
    profile.show({ ...shared, ...axis, energy: now.energy, coverage: now.coverage });
    const rows = model.get("strip")?.[`${now.attribute},${state.kind}`];
    strip.show(rows, at, now.identity, energy, attribute.color);
    note.textContent = planeText(now.flat[state.plane], setup.dim);
    field.describe(
      `Field of ${attribute.label}, identity ${state.identity}: ${setup.curves} points with arrows. ${note.textContent}`,
    );
    lookAt(false);
    root.dataset.energy = String(energy);
    root.dataset.scale = String(state.scale);
    root.dispatchEvent(new CustomEvent("fr-told", { detail: { scale: state.scale, energy }, bubbles: true }));
  }

  /** Show the curve under the hand, or the chosen one, with its neighbours. @param {boolean} moved by the hand */
  function lookAt(moved) {
    const now = sheets.get(sheetKey(cell(), state.kind));
    if (!now) return;
    const at = shownCurve();
    const wanted = lookKey(now, at);
    const near = nears.get(wanted);
    const count = near?.counts[state.kind][place()] ?? 0;
    field.show({
      sheet: now,
      place: place(),
      plane: state.plane,
      magnitude: state.length === "magnitude",
      curve: at,
      chosen: state.curve ?? -1,
      near: near ? { order: near.order, count } : null,
    });
    if (at < 0) {
      curve.say(null);
      return;
    }
    const look = { curve: at, energy: now.energies(place())[at], count, move: now.moves[at] };
    curve.say(look);
    curve.show(setup.attributes[now.attribute], pictures.get(wanted) ?? null);
    if ((!near || !pictures.has(wanted)) && looked !== wanted) {
      looked = wanted;
      const { identity, attribute } = now;
      link.send({ action: "set", values: { what: 1, identity, attribute, kind: 0, curve: at } });
    }
    const byKeys = moved && field.root.querySelector("canvas")?.matches(":focus-visible");
    if (byKeys) spoken.textContent = curve.root.querySelector(".fr-curve-words")?.textContent ?? "";
  }

  /** @param {Partial<FieldState>} partial @param {{hold?: boolean, from?: "kernel" | "history"}} [how] */
  function change(partial, { hold = false, from } = {}) {
    const before = state;
    state = { ...state, ...partial };
    if (state.kind !== before.kind && partial.scale === undefined) state.scale = otherScale(state.kind);
    if (gone) {
      const lacks = !sheets.has(sheetKey(cell(), state.kind));
      notices.showError(lacks ? LACK : {});
      if (lacks) state = before;
    }
    draw();
    if (state === before) return;
    if (hold || from === "kernel") return;
    const names = Object.keys(partial);
    if (from !== "history") history.commit(state, names.length === 1 ? names[0] : "");
    undo.disabled = !history.canUndo;
    redo.disabled = !history.canRedo;
    model.set("state", { ...state });
    model.save_changes();
    if (names.some((name) => name !== "curve")) spoken.textContent = key.words();
  }

  /** Where the other kind stood last, else about ten neighbours or 0.6 mean distances. @param {Kind} kind */
  function otherScale(kind) {
    const wanted = scales[kind] ?? { knn: 10, ball: 0.6 }[kind];
    return setup.grid[kind].reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a));
  }

  /** @param {-1 | 1} by */
  function walk(by) {
    if (by < 0 ? history.canUndo : history.canRedo) change({ ...history.step(by) }, { from: "history" });
  }

  function takeSheet() {
    const head = model.get("sheet");
    if (head.kind === undefined) return;
    try {
      sheets.set(sheetKey(head, head.kind), decode(head, model.get("sheet_data"), setup.curves));
    } catch (problem) {
      const todo = "Run the cell again; if it stays, report it with the widget's .state.";
      notices.showError({ what: "The field could not be read.", why: String(problem), todo });
    }
    asked.delete(sheetKey(head, head.kind));
    link.settle(head);
    draw();
  }

  function takeNear() {
    const head = /** @type {Near} */ (model.get("near"));
    if (head.curve === undefined) return;
    const view = /** @type {DataView} */ (model.get("near_data"));
    const order = new Int32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    keep(nears, lookKey(head, head.curve), { order, counts: head.counts });
    if (lookKey(cell(), shownCurve()) === lookKey(head, head.curve)) lookAt(false);
  }

  function takeLook() {
    const reply = model.get("look");
    if (reply.curve === undefined) return;
    const { strengths } = reply;
    const frame = strengths ? /** @type {DataView} */ (model.get("frame")) : null;
    keep(pictures, lookKey(reply, reply.curve), { strengths, frame });
    root.dataset.looked = String(reply.curve);
    link.settle(reply);
    if (lookKey(cell(), shownCurve()) === lookKey(reply, reply.curve)) lookAt(false);
  }

  function fromKernel() {
    const given = /** @type {FieldState} */ (model.get("state"));
    if (JSON.stringify(given) === JSON.stringify(state)) return;
    const names = /** @type {(keyof FieldState)[]} */ (Object.keys(given));
    if (names.every((name) => given[name] === state[name])) return;
    history.commit(given);
    change(given, { from: "kernel" });
  }

  function showError() {
    const problem = model.get("error") ?? {};
    notices.showError(problem);
    if (!problem.what) return;
    asked.clear();
    // what failed is not asked for again until the hand comes back to it
    const at = shownCurve();
    if (at >= 0 && !pictures.has(lookKey(cell(), at))) {
      keep(pictures, lookKey(cell(), at), { strengths: null, frame: null });
    }
    link.settle(problem);
  }

  const redraw = () => {
    if (sheets.has(sheetKey(cell(), state.kind))) draw();
  };
  listen(model, signal, {
    sheet: takeSheet,
    near: takeNear,
    look: takeLook,
    nulls: redraw,
    strip: redraw,
    state: fromKernel,
    error: showError,
  });
  walkByKeys(root, walk);
  followTheme(root, signal, () => field.setTheme(root.dataset.theme === "dark"));
  watchKernel(el, model, signal, (now) => {
    gone = now;
    notices.showBanner(gone ? LOST : "");
    root.classList.toggle("fr-lost", gone);
    link.connect(!gone);
    if (gone) return;
    asked.clear();
    looked = "";
    draw();
  });
  showError();
  takeNear();
  takeLook();
  takeSheet();
  return () => stop.abort();
}

/** Keep the newest values of a map. @template V @param {Map<string, V>} map @param {string} name @param {V} value */
function keep(map, name, value) {
  map.delete(name);
  map.set(name, value);
  const oldest = map.keys().next().value;
  if (map.size > LOOKS_KEPT && oldest !== undefined) map.delete(oldest);
}

export default { render };
