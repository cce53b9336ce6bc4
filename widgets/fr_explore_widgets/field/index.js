// FieldExplorer: a field's points and arrows in a plane, and its alignment energy as a function of the scale. The kernel
// sends the energies of all points at all scales once for each cell of the field; the page looks everything up.

import { createSelect, div, h, section, term, uid } from "../shared/dom.js";
import { createFrame, createState, widget } from "../shared/frame.js";
import { createLink } from "../shared/link.js";
import { createRadios } from "../shared/radios.js";
import { listen } from "../shared/view.js";
import { createKey } from "./key.js";
import { decode, nullAt, PLANES } from "./payload.js";
import { createField } from "./plane.js";
import { createProfile } from "./profile.js";
import { createAttributes, createCurve, createIdentityEnergies } from "./side.js";
import { GLOSSARY, planeText, scaleText } from "./words.js";

/** @typedef {import("./types").FieldSetup} FieldSetup */
/** @typedef {import("./types").FieldState} FieldState */
/** @typedef {import("./types").Kind} Kind */
/** @typedef {import("./types").Neighbors} Neighbors */
/** @typedef {import("./types").Payload} Payload */
/** @typedef {{strengths: number[] | null, frame: DataView | null}} Faces */
/** @typedef {{identity: number, attribute: number}} Cell */

const START = { knn: 10, ball: 0.6 };
const PLANE_NAMES = {
  points: "of the faces: PCA of the base points",
  directions: "of the arrows: PCA of the directions",
  mean: "mean direction across, first PC of the faces up",
};
const LOST = "The kernel is gone. The parts of the field that this page has received still work.";
const LACK = {
  what: "This page has not received this part of the field.",
  todo: "Run the cell again to see it.",
};
const CURVES_KEPT = 150;

/** @param {import("../shared/frame").Context} context */
function build(context) {
  const { model, signal } = context;
  const setup = /** @type {FieldSetup} */ (model.get("setup"));
  let gone = false;
  /** @type {Map<string, Payload>} */
  const cells = new Map();
  /** @type {Map<string, {order: Int32Array, counts: Neighbors["counts"]}>} */
  const neighbors = new Map();
  /** @type {Map<string, Faces>} */
  const faces = new Map();
  const requested = new Set();
  /** @type {Record<Kind, number>} */
  const lastScale = { ...START };
  let hovered = -1;
  let requestedCurve = "";

  const frame = createFrame("fr-field");
  const { root, notices } = frame;
  const state = createState(context, root, {
    defaults: /** @type {FieldState} */ ({}),
    draw,
    saved: () => frame.say(key.words()),
  });
  const identities = createSelect(
    "Identity",
    setup.identities.map((name, place) => [place, String(name)]),
    (place) => change({ identity: setup.identities[Number(place)] }),
  );
  const attributes = createAttributes(setup.attributes, (attribute) => change({ attribute }));
  const planes = createSelect(
    "Plane",
    PLANES.map((name) => [name, PLANE_NAMES[name]]),
    (plane) => change({ plane: /** @type {FieldState["plane"]} */ (plane) }),
  );
  const long = h("input", {
    type: "checkbox",
    id: uid("length"),
    onchange: () => change({ length: long.checked ? "magnitude" : "direction" }),
  });
  const kinds = createRadios(
    "Neighbours",
    Object.entries(setup.kinds).map(([value, text]) => ({ value, text })),
    (kind) => change({ kind }),
  );
  const field = createField({
    signal,
    curves: setup.curves,
    onHover: (curve) => {
      hovered = curve;
      drawCurve();
      if (field.root.querySelector("canvas")?.matches(":focus-visible")) frame.say(curveView.words());
    },
    onChoose: (curve) => change({ curve: curve < 0 || curve === state.now.curve ? null : curve }),
  });
  const key = createKey();
  const profile = createProfile({
    signal,
    onMove: (place, phase) =>
      change({ scale: setup.grid[state.now.kind][place] }, { drag: phase === "drag" }),
  });
  const identityEnergies = createIdentityEnergies(signal, setup.identities, (place) =>
    change({ identity: setup.identities[place] }),
  );
  const curveView = createCurve(setup);
  const note = h("p", { class: "fr-sub" });
  const scaleWords = h("b", { class: "fr-scale-words" });
  const pick = (/** @type {Node[]} */ ...parts) => h("p", { class: "fr-row" }, ...parts);
  root.append(
    div(
      "fr-top fr-flow",
      pick(identities.label, identities.select),
      attributes.root,
      div("fr-actions fr-end", state.buttons.undo, state.buttons.redo),
    ),
    div(
      "fr-stage",
      section(
        "fr-map fr-stack",
        "Field",
        div(
          "fr-map-head fr-flow",
          pick(planes.label, planes.select),
          pick(long, h("label", { for: long.id, text: "length = magnitude" })),
        ),
        field.root,
        field.legend,
        note,
      ),
      div(
        "fr-side fr-stack fr-apart",
        key.root,
        section(
          "fr-scales fr-stack",
          "Scale",
          div("fr-flow", term("scale", GLOSSARY.scale), scaleWords, div("fr-end", kinds.root)),
          profile.root,
        ),
        identityEnergies.root,
        curveView.root,
      ),
    ),
  );
  const link = createLink(model, { signal, banner: notices.showBanner, merging: "view_curve" });

  const cellOf = (/** @type {FieldState} */ { identity, attribute }) => ({
    identity: setup.identities.indexOf(identity),
    attribute: setup.attributes.findIndex(({ name }) => name === attribute),
  });
  const cellKey = (/** @type {Cell} */ c, /** @type {Kind} */ kind) => `${c.identity},${c.attribute},${kind}`;
  const curveKey = (/** @type {Cell} */ c, /** @type {number} */ i) => `${c.identity},${c.attribute},${i}`;
  const place = () =>
    setup.grid[state.now.kind].findIndex((scale) => Math.abs(scale - state.now.scale) < 1e-9);
  const shownCurve = () => (hovered >= 0 ? hovered : (state.now.curve ?? -1));
  const currentCell = () => cells.get(cellKey(cellOf(state.now), state.now.kind));

  /** Request the current cell, unless it is here or on its way. */
  function requestCell() {
    const cell = cellOf(state.now);
    const wanted = cellKey(cell, state.now.kind);
    if (cells.has(wanted) || requested.has(wanted)) return;
    requested.add(wanted);
    const values = { what: 0, ...cell, kind: Object.keys(setup.kinds).indexOf(state.now.kind), curve: 0 };
    link.send({ action: "load_cell", values });
  }

  function draw() {
    const { plane, length, attribute, kind, scale } = state.now;
    requestCell();
    identities.select.value = String(cellOf(state.now).identity);
    attributes.set(attribute);
    planes.select.value = plane;
    long.checked = length === "magnitude";
    kinds.set(kind);
    lastScale[kind] = scale;
    scaleWords.textContent = scaleText(kind, scale, setup.kinds[kind]);
    const cell = currentCell();
    root.classList.toggle("fr-waiting", !cell);
    if (cell) drawCell(cell);
    else if (gone) notices.showError(LACK);
  }

  /** @param {Payload} cell */
  function drawCell(cell) {
    const { kind, scale, plane, identity } = state.now;
    const at = place();
    const { label, color } = setup.attributes[cell.attribute];
    const random = model.get("nulls")?.[cellKey(cell, kind)];
    const energy = cell.energy[at] ?? Number.NaN;
    const magnitude = cell.magnitude ?? Number.NaN;
    const facts = { coverage: cell.coverage[at], known: cell.known, curves: setup.curves, magnitude };
    key.show({ ...facts, energy, random: nullAt(random, at), kind, scale, label });
    const axis = {
      kind,
      words: setup.kinds[kind],
      grid: setup.grid[kind],
      label,
      color,
      place: at,
      random: random ?? [],
    };
    profile.show({ ...axis, energy: cell.energy, coverage: cell.coverage });
    const rows = model.get("identity_energies")?.[`${cell.attribute},${kind}`];
    identityEnergies.show({ rows, scale: at, place: cell.identity, now: energy, color });
    note.textContent = planeText(cell.flat[plane], setup.dim);
    field.describe(
      `Field of ${label}, identity ${identity}: ${setup.curves} points with arrows. ${note.textContent}`,
    );
    drawCurve();
    root.dataset.energy = String(energy);
    root.dataset.scale = String(scale);
  }

  /** Show the curve under the pointer, or else the chosen one, with its neighbours; request what is missing. */
  function drawCurve() {
    const cell = currentCell();
    if (!cell) return;
    const { kind, plane, length, curve: chosen } = state.now;
    const curve = shownCurve();
    const wanted = curveKey(cell, curve);
    const found = neighbors.get(wanted);
    const count = found?.counts[kind][place()] ?? null;
    field.show({
      payload: cell,
      place: place(),
      plane,
      magnitude: length === "magnitude",
      curve,
      chosen: chosen ?? -1,
      near: found && count !== null ? { order: found.order, count } : null,
    });
    if (curve < 0) {
      curveView.describe(null);
      return;
    }
    curveView.describe({ curve, energy: cell.energies(place())[curve], count, move: cell.moves[curve] });
    curveView.show(setup.attributes[cell.attribute], faces.get(wanted) ?? null);
    if ((found && faces.has(wanted)) || requestedCurve === wanted) return;
    requestedCurve = wanted;
    const { identity, attribute } = cell;
    link.send({ action: "view_curve", values: { what: 1, identity, attribute, kind: 0, curve } });
  }

  /** @param {Partial<FieldState>} more @param {{drag?: boolean}} [how] */
  function change(more, how = {}) {
    const wanted = { ...state.now, ...more };
    if (wanted.kind !== state.now.kind) wanted.scale = nearestScale(wanted.kind);
    const lacks = gone && !cells.has(cellKey(cellOf(wanted), wanted.kind));
    if (gone) notices.showError(lacks ? LACK : {});
    const names = Object.keys(more);
    if (lacks) state.show();
    else state.change(wanted, { ...how, moved: names.length === 1 ? names[0] : "" });
  }

  /** The last scale of a kind, if it is in the grid. @param {Kind} kind */
  function nearestScale(kind) {
    const away = (/** @type {number} */ scale) => Math.abs(scale - (lastScale[kind] ?? scale));
    return setup.grid[kind].reduce((a, b) => (away(b) < away(a) ? b : a));
  }

  function takeCell() {
    const head = model.get("payload");
    if (head.kind === undefined) return;
    try {
      cells.set(cellKey(head, head.kind), decode(head, model.get("payload_data"), setup.curves));
    } catch (problem) {
      const todo = "Run the cell again; if the error returns, report it with the widget's .state.";
      notices.showError({ what: "The field could not be read.", why: String(problem), todo });
    }
    requested.delete(cellKey(head, head.kind));
    link.settle(head);
    state.show();
  }

  function takeNeighbors() {
    const head = /** @type {Neighbors} */ (model.get("neighbors"));
    if (head.curve === undefined) return;
    const view = /** @type {DataView} */ (model.get("neighbor_data"));
    const order = new Int32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    keep(neighbors, curveKey(head, head.curve), { order, counts: head.counts });
    if (curveKey(cellOf(state.now), shownCurve()) === curveKey(head, head.curve)) drawCurve();
  }

  function takeFaces() {
    const reply = model.get("curve_view");
    if (reply.curve === undefined) return;
    const { strengths } = reply;
    const pixels = strengths ? /** @type {DataView} */ (model.get("frame")) : null;
    keep(faces, curveKey(reply, reply.curve), { strengths, frame: pixels });
    root.dataset.curve = String(reply.curve);
    link.settle(reply);
    if (curveKey(cellOf(state.now), shownCurve()) === curveKey(reply, reply.curve)) drawCurve();
  }

  /** @param {import("../shared/types").Problem} problem */
  function failed(problem) {
    requested.clear();
    // a curve that failed is not requested again while the pointer stays on it
    const failed = curveKey(cellOf(state.now), shownCurve());
    if (shownCurve() >= 0 && !faces.has(failed)) keep(faces, failed, { strengths: null, frame: null });
    link.settle(problem);
  }

  const redraw = () => currentCell() && state.show();
  listen(model, signal, {
    payload: takeCell,
    neighbors: takeNeighbors,
    curve_view: takeFaces,
    nulls: redraw,
    identity_energies: redraw,
  });
  frame.open(context, {
    lost: LOST,
    failed,
    themed: () => field.setTheme(root.dataset.theme === "dark"),
    kernel: (now) => {
      gone = now;
      link.connect(!gone);
      if (gone) return;
      requested.clear();
      requestedCurve = "";
      state.show();
    },
  });
  takeNeighbors();
  takeFaces();
  takeCell();
}

/** Keep the newest values of a map. @template V @param {Map<string, V>} map @param {string} name @param {V} value */
function keep(map, name, value) {
  map.delete(name);
  map.set(name, value);
  const oldest = map.keys().next().value;
  if (map.size > CURVES_KEPT && oldest !== undefined) map.delete(oldest);
}

export default widget(build);
