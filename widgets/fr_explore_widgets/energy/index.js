// EnergyPlayground: arrows, their alignment energy, and its closed form. The page computes everything; the kernel, if
// there is one, only keeps the state.

import { button, createSelect, div, h, section, uid } from "../shared/dom.js";
import { createFrame, createState, widget } from "../shared/frame.js";
import { createRadios } from "../shared/radios.js";
import { createSlider } from "../shared/slider.js";
import { arrows, ordered, place } from "./arrows.js";
import { createFormula } from "./formula.js";
import { createKey, SLIDERS } from "./key.js";
import { createStage, thumbnail } from "./stage.js";
import { checked, closedFormAlong, compute, DEFAULTS, PRESETS, preset, presetOf } from "./state.js";
import { createTrace, remember } from "./trace.js";
import { caption } from "./words.js";

/** @typedef {import("./types").Settings} Settings */
/** @typedef {import("./state").Preset} Preset */
/** @typedef {{glide?: boolean, drag?: boolean}} How */

const LAYOUTS = { ring: "Ring", grid: "Grid", random: "Random points" };
const RULES = {
  ball: "within a radius",
  knn: "k nearest",
  all: "all pairs, equal weights",
  all_weighted: "all pairs, weight 1/distance",
};
const LOST = "The kernel is gone. This widget works without it, but Python no longer keeps its state.";
const KEYS = /** @type {(keyof Settings)[]} */ (Object.keys(DEFAULTS));

/** @param {Preset} name */
function picture(name) {
  const points = place("ring", 0, 8);
  const { pattern = "parallel", order = 1 } = preset(name);
  return thumbnail(points, arrows(ordered(pattern, points), order, 2, 5));
}

/** @param {(partial: Partial<Settings>, how?: How) => void} change */
function createControls(change) {
  const sliders = Object.values(SLIDERS).map((spec) => {
    const slider = createSlider(spec, (name, value, phase) =>
      change({ [name]: value }, { drag: phase === "drag" }),
    );
    return { ...slider, name: /** @type {keyof typeof SLIDERS} */ (spec.name) };
  });
  const rule = createSelect("Neighbours", Object.entries(RULES), (value) =>
    change({ rule: /** @type {Settings["rule"]} */ (value) }),
  );
  const self = h("input", {
    type: "checkbox",
    id: uid("self"),
    onchange: () => change({ include_self: self.checked }),
  });
  const choice = div(
    "fr-neighbors fr-stack",
    h("p", { class: "fr-row" }, rule.label, rule.select),
    h("p", { class: "fr-row" }, self, h("label", { for: self.id, text: "count the arrow itself" })),
  );
  const [order, radius, k, dim] = sliders.map(({ row }) => row);
  return {
    root: section("fr-sliders fr-stack", "Settings", order, choice, radius, k, dim),
    /** @param {Settings} settings */
    set(settings) {
      for (const slider of sliders) slider.set(settings[slider.name]);
      radius.hidden = settings.rule !== "ball";
      k.hidden = settings.rule !== "knn";
      rule.select.value = settings.rule;
      self.checked = settings.include_self && settings.rule !== "all_weighted";
      self.disabled = settings.rule === "all_weighted";
    },
  };
}

/** @param {import("../shared/frame").Context} context */
function build(context) {
  const { signal } = context;
  let scene = compute(DEFAULTS);
  let how = { glide: true, quiet: false };
  /** @type {number | null} */
  let hovered = null;
  /** @type {number | null} */
  let step = null;
  let moved = /** @type {keyof typeof SLIDERS} */ ("order");
  /** @type {import("./trace").Past[]} */
  let past = [];
  /** @type {{key: string, closed: [number, number][]}} */
  let along = { key: "", closed: [] };
  let run = 0;

  const frame = createFrame("fr-energy");
  const { root, notices } = frame;
  const state = createState(context, root, {
    defaults: DEFAULTS,
    draw,
    saved: () => how.quiet || frame.say(key.words()),
    passing: ["selected"],
  });
  const presets = createRadios(
    "Presets",
    PRESETS.map((name) => ({ value: name, text: name, picture: picture(name) })),
    (name) => change(preset(/** @type {Preset} */ (name)), { glide: true }),
  );
  const layouts = createRadios(
    "Positions of the arrows",
    Object.entries(LAYOUTS).map(([value, text]) => ({ value, text })),
    (name) => change({ layout: /** @type {Settings["layout"]} */ (name) }),
  );
  const stage = createStage({
    choose: (i) => change({ selected: i }),
    hover: (i) => {
      if (i === hovered) return;
      hovered = i;
      step = null;
      drawArrows(false);
    },
  });
  const key = createKey();
  const controls = createControls(change);
  const formula = createFormula({
    onStep: (to) => {
      hovered = null;
      step = to;
      drawArrows(false);
      if (to !== null) frame.say(formula.words());
    },
  });
  const trace = createTrace(signal);
  const resample = button("New draw", "draw", () => change({ seed: state.now.seed + 1 }, { glide: true }));
  const reset = button("Reset", "reset", () => change(DEFAULTS, { glide: true }));
  const note = h("p", { class: "fr-sub fr-projection" });
  root.append(
    div(
      "fr-stage",
      section(
        "fr-scene fr-stack",
        "Arrows",
        presets.root,
        stage.root,
        div("fr-actions", layouts.root, resample),
        note,
      ),
      div("fr-figures fr-stack", key.root, trace.root),
      div(
        "fr-side fr-stack",
        controls.root,
        div("fr-actions", state.buttons.undo, state.buttons.redo, reset),
      ),
      formula.root,
    ),
  );

  /** @param {boolean} glide */
  function drawArrows(glide) {
    const i = hovered ?? scene.settings.selected;
    const current = step === null ? null : (scene.graph.neighbors[i][step - 1] ?? null);
    stage.draw(scene, i, { glide, step: current === i ? null : current });
    formula.show(scene, i, step);
  }

  function drawTrace() {
    const { settings } = scene;
    const spec = SLIDERS[moved];
    // the closed form along a slider does not change while only that slider moves
    const seed = settings.layout === "random" && settings.seed;
    const key = JSON.stringify({ ...settings, [moved]: moved, selected: 0, seed });
    if (key !== along.key) {
      const size = spec.step * Math.max(1, Math.round((spec.high - spec.low) / spec.step / 60));
      const count = Math.floor((spec.high - spec.low) / size + 1e-9) + 1;
      const xs = Array.from({ length: count }, (_, i) => spec.low + i * size);
      const ys = closedFormAlong(settings, moved, xs);
      along = { key, closed: xs.map((x, i) => [x, ys[i]]) };
    }
    const now = { name: moved, run, x: settings[moved], energy: scene.energy };
    past = remember(past, now);
    trace.show({ spec, past, closed: along.closed, random: scene.random.mean, now });
  }

  /** Choose the slider whose past is shown. @param {string[]} names of the settings that changed */
  function followSlider(names) {
    const slider = names.length === 1 ? /** @type {keyof typeof SLIDERS} */ (names[0]) : null;
    if (!names.length || slider === moved) return;
    run += 1;
    if (slider && slider in SLIDERS) moved = slider;
    else if (
      (scene.settings.rule !== "knn" && moved === "k") ||
      (scene.settings.rule !== "ball" && moved === "radius")
    )
      moved = "order";
  }

  /** @param {Partial<Settings>} more @param {How} [options] */
  function change(more, { drag = false, glide = false } = {}) {
    const names = Object.keys(more);
    how = { glide, quiet: "selected" in more && names.length === 1 };
    try {
      state.change(checked({ ...state.now, ...more }), { drag, moved: names.length === 1 ? names[0] : "" });
    } catch (problem) {
      showProblem(problem);
    }
    how = { glide: true, quiet: false };
  }

  /** @param {unknown} problem */
  function showProblem(problem) {
    const todo = "Press Reset; w.state holds the values that the widget received.";
    notices.showError({ what: "The arrows could not be drawn.", why: String(problem), todo });
  }

  function draw() {
    try {
      const settings = checked(state.now);
      const names = KEYS.filter((name) => name !== "selected" && settings[name] !== scene.settings[name]);
      scene = names.length ? compute(settings) : { ...scene, settings };
      hovered = null;
      step = null;
      followSlider(names);
      presets.set(presetOf(settings));
      layouts.set(settings.layout);
      controls.set(settings);
      note.textContent = caption(scene);
      key.show(scene);
      drawArrows(how.glide);
      drawTrace();
      notices.showError({});
    } catch (problem) {
      showProblem(problem);
    }
  }

  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && step !== null) {
      step = null;
      drawArrows(false);
    }
  });
  frame.open(context, { lost: context.model.still ? "" : LOST }); // a saved page lacks nothing
  how.glide = false;
  try {
    scene = compute(checked(state.now));
  } catch {
    // drawing reports the problem
  }
  state.show();
  how.glide = true;
}

export default widget(build);
