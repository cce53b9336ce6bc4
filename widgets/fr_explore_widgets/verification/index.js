// VerificationExplorer: the page has all distances and counts at each threshold. The kernel keeps the state, and computes
// the genuine distances again when an attribute is changed.

import { button, div, h } from "../shared/dom.js";
import { createFrame, createState, widget } from "../shared/frame.js";
import { createLink } from "../shared/link.js";
import { listen } from "../shared/view.js";
import { decode, decodeShift, ratesAt, rocOf } from "./data.js";
import { createGroups } from "./groups.js";
import { createKey } from "./key.js";
import { createPairFaces } from "./pair_faces.js";
import { createDensity, topOf } from "./plot.js";
import { createRoc } from "./roc.js";
import { createShift, rejected } from "./shift.js";

/** @typedef {import("./types").Part} Part */
/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").ShiftRecord} ShiftRecord */
/** @typedef {import("./types").State} State */

const LOST =
  "The kernel is gone. The threshold still works on the pairs that are here; run the cell again to compute more.";

/** @param {import("../shared/frame").Context} context */
function build(context) {
  const { model, signal } = context;
  /** @type {Setup | null} */
  let setup = null;
  /** @type {Part[]} */
  let parts = [];
  /** @type {ReturnType<typeof rocOf>} */
  let roc = { far: [], tar: [], low: new Float64Array(0), high: new Float64Array(0) };
  /** @type {ReturnType<typeof createShift> | null} */
  let shift = null;
  /** @type {ReturnType<typeof createGroups> | null} */
  let groups = null;
  /** @type {ReturnType<typeof createPairFaces> | null} */
  let faces = null;
  let pointed = Number.NaN;

  const frame = createFrame("fr-verify");
  const { root, notices } = frame;
  const link = createLink(model, { signal, banner: notices.showBanner, merging: "view_pairs" });
  const state = createState(context, root, {
    defaults: /** @type {State} */ ({ version: 1, threshold: null, attribute: null, strength: null }),
    draw,
    saved: () => {
      // the handle speaks for itself while it has the focus
      if (document.activeElement !== density.input)
        frame.say((state.now.attribute && shift?.words()) || key.words());
    },
  });
  const about = h("p", { class: "fr-sub" });
  const density = createDensity(
    signal,
    (threshold, phase, reach) => {
      state.change({ threshold }, { drag: phase === "drag", moved: "threshold" });
      requestPairs(threshold, phase === "drag" ? 0 : reach);
    },
    requestPairs,
  );
  const key = createKey((threshold) => state.change({ threshold }));
  const curve = createRoc(signal);
  const reset = button("Reset", "reset", () =>
    state.change({ threshold: setup?.start ?? null, attribute: null, strength: null }),
  );
  const progress = h("p", { class: "fr-progress", role: "status" });
  const { undo, redo } = state.buttons;
  const body = h(
    "div",
    { class: "fr-stage", hidden: true },
    div("fr-main fr-stack", density.root, div("fr-actions", undo, redo, reset)),
    div("fr-side fr-stack fr-apart", key.root, curve.root),
  );
  root.append(div("fr-head", h("h3", { text: "Same person or not?" }), about), progress, body);

  function readSetup() {
    const given = /** @type {Setup} */ (model.get("setup") ?? {});
    if (!given.curves) return;
    setup = given;
    parts = decode(model.get("data"), given);
    roc = rocOf(parts[0]);
    const [people, genuine, impostor] = [given.people[0], given.genuine, given.impostor].map((n) =>
      n?.toLocaleString("en"),
    );
    const pairs = `${people ? `${people} people, ` : ""}${genuine} genuine and ${impostor} impostor pairs`;
    about.textContent = given.title ? `${given.title}: ${pairs}` : pairs;
    key.describe(given);
    for (const part of [shift, groups, faces]) part?.root.remove();
    if (given.size && !model.get("offline")) {
      faces = createPairFaces(given.size);
      density.root.after(faces.root);
    }
    if (given.attributes.length) {
      shift = createShift(signal, given.attributes, (attribute, strength, phase) =>
        state.change({ attribute, strength }, { drag: phase === "drag", moved: attribute ?? "" }),
      );
      body.append(shift.root);
    }
    if (parts.length > 1) {
      groups = createGroups(signal, parts.slice(1), topOf(parts[0], given.marks));
      body.append(groups.root);
    }
    body.hidden = false;
    state.restart();
    showShifts();
  }

  /** Ask for the faces of the pairs nearest to a distance, and of more within reach. @param {number} distance @param {number} [reach] */
  function requestPairs(distance, reach = 0) {
    if (!faces || root.classList.contains("fr-lost") || (distance === pointed && !reach)) return;
    pointed = distance;
    link.send({ action: "view_pairs", values: { distance, reach } });
  }

  function showPairs() {
    const view = model.get("pairs_view");
    if (!view.pairs) return;
    faces?.show(view.pairs, model.get("frame"), state.now.threshold ?? 0);
    root.dataset.pairs = view.pairs.map((/** @type {any} */ pair) => pair.images.join("-")).join(" ");
    link.settle(view);
  }

  /** Redraw with the computed strengths; without a kernel, the other attributes cannot be chosen. */
  function showShifts() {
    const known = Object.keys(model.get("shifts") ?? {});
    const missing = (setup?.attributes ?? []).map((a) => a.name).filter((name) => !known.includes(name));
    shift?.disable(model.get("offline") || root.classList.contains("fr-lost") ? missing : []);
    state.show();
  }

  function draw() {
    const { threshold, strength } = state.now;
    if (!setup || threshold === null) return;
    const record = /** @type {ShiftRecord | undefined} */ (model.get("shifts")?.[state.now.attribute ?? ""]);
    const steps = record ? decodeShift(model.get("shift_data"), record) : [];
    const people = record?.people ?? 1;
    const attribute = setup.attributes.find((a) => a.name === state.now.attribute) ?? null;
    const moved = attribute ? (steps[attribute.grid.indexOf(strength ?? 0)] ?? null) : null;
    const neutral = ratesAt(parts[0], threshold);
    const rates = moved ? { ...neutral, frr: rejected(moved, threshold, people) } : neutral;
    const most = Math.max(0, ...steps.map((one) => (one ? one[one.length - 1] : 0)));
    const top = Math.max(topOf(parts[0], setup.marks, most), threshold);
    density.show(
      { part: parts[0], moved, all: steps, threshold, marks: setup.marks, top, rates },
      setup.metric,
    );
    key.show(threshold, rates);
    curve.show({ roc, rates: neutral, eer: setup.eer.rate });
    shift?.show({ attribute, strength, threshold, steps, people });
    groups?.show(threshold);
    faces?.judge(threshold);
    root.dataset.threshold = String(threshold);
    root.dataset.far = String(rates.far.share);
    root.dataset.frr = String(rates.frr.share);
  }

  function showProgress() {
    const { what, done, all } = model.get("progress") ?? {};
    progress.hidden = !what;
    progress.textContent = what ? `${what}: ${done} of ${all} faces` : "";
    progress.style.setProperty("--at", String(what ? done / all : 0));
  }

  listen(model, signal, {
    setup: readSetup,
    shifts: showShifts,
    progress: showProgress,
    pairs_view: showPairs,
  });
  frame.open(context, {
    lost: LOST,
    failed: link.settle,
    kernel: (gone) => {
      link.connect(!gone);
      showShifts();
    },
  });
  showProgress();
  readSetup();
  if (!setup && !model.get("progress")?.what) {
    progress.hidden = false;
    progress.textContent = "Rendering the faces.";
  }
}

export default widget(build);
