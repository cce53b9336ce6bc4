// EnergyPlayground: arrows, their alignment energy, and what it should be. Everything is computed here; the kernel, where
// there is one, only keeps the state.

import { button, followTheme, h, uid } from "../shared/dom.js";
import { createHistory, walkByKeys } from "../shared/history.js";
import { createNotices, watchKernel } from "../shared/notice.js";
import { createSlider } from "../shared/slider.js";
import { listen } from "../shared/view.js";
import { arrows, ordered, place } from "./arrows.js";
import { createFormula } from "./formula.js";
import { createKey, SLIDERS } from "./key.js";
import { createStage } from "./stage.js";
import { checked, compute, curve, DEFAULTS, PRESETS, preset, presetOf } from "./state.js";
import { createStrip, remember } from "./strip.js";
import { thumbnail } from "./svg.js";
import { caption } from "./words.js";

/** @typedef {import("./types").Settings} Settings */
/** @typedef {import("./state").Preset} Preset */
/** @typedef {import("../shared/types").Model} Model */
/** @typedef {{glide?: boolean, hold?: boolean, from?: "kernel" | "history"}} How */

const LAYOUTS = { ring: "Ring", grid: "Grid", random: "Random points" };
const RULES = {
  ball: "within a radius",
  knn: "k nearest",
  all: "all pairs alike",
  all_weighted: "all pairs, weight 1/distance",
};
const LOST =
  "The kernel is gone. This widget needs none and goes on, but its state is no longer kept in Python.";
const KEYS = /** @type {(keyof Settings)[]} */ (Object.keys(DEFAULTS));

/** @param {Settings} a @param {Settings} b */
function same(a, b) {
  return KEYS.every((key) => a[key] === b[key]);
}

/** Buttons of which one is pressed. @param {string} label @param {[string, Node | null, string][]} choices value, picture, words @param {(value: string) => void} choose */
function createChoice(label, choices, choose) {
  const root = h("div", { class: "fr-choice", role: "group", "aria-label": label });
  const buttons = choices.map(([value, picture, words]) => {
    const button = h("button", { type: "button", class: "fr-button", "data-value": value });
    if (picture) button.append(picture);
    button.append(h("span", { text: words }));
    button.addEventListener("click", () => choose(value));
    root.append(button);
    return button;
  });
  return {
    root,
    /** @param {string | null} value */
    set(value) {
      for (const button of buttons)
        button.setAttribute("aria-pressed", String(button.dataset.value === value));
    },
  };
}

/** @param {Preset} name */
function picture(name) {
  const points = place("ring", 0, 8);
  const { pattern = "parallel", order = 1 } = preset(name);
  return thumbnail(points, arrows(ordered(pattern, points), order, 2, 5));
}

/** @param {(partial: Partial<Settings>, how?: How) => void} change */
function createControls(change) {
  const sliders = Object.values(SLIDERS).map((spec) => {
    /** @type {(name: string, value: number, phase: "drag" | "commit") => void} */
    const onMove = (name, value, phase) => change({ [name]: value }, { hold: phase === "drag" });
    const slider = createSlider(spec, onMove);
    return { ...slider, name: /** @type {keyof typeof SLIDERS} */ (spec.name) };
  });
  const rule = h("select", { class: "fr-select", id: uid("rule") });
  for (const [value, text] of Object.entries(RULES)) rule.append(h("option", { value, text }));
  rule.addEventListener("change", () => change({ rule: /** @type {Settings["rule"]} */ (rule.value) }));
  const self = h("input", { type: "checkbox", id: uid("self") });
  self.addEventListener("change", () => change({ include_self: self.checked }));
  const choice = h(
    "div",
    { class: "fr-neighbors" },
    h("p", {}, h("label", { for: rule.id, text: "Neighbours" }), rule),
    h("p", {}, self, h("label", { for: self.id, text: "count the arrow itself" })),
  );
  const [order, radius, k, dim] = sliders.map(({ row }) => row);
  const root = h("section", { class: "fr-sliders", "aria-label": "Settings" }, order, choice, radius, k, dim);
  return {
    root,
    /** @param {Settings} settings */
    set(settings) {
      for (const slider of sliders) slider.set(settings[slider.name]);
      radius.hidden = settings.rule !== "ball";
      k.hidden = settings.rule !== "knn";
      rule.value = settings.rule;
      self.checked = settings.include_self && settings.rule !== "all_weighted";
      self.disabled = settings.rule === "all_weighted";
    },
  };
}

/** @param {{model: Model, el: HTMLElement, signal?: AbortSignal}} context */
function render({ model, el, signal: given }) {
  const stop = new AbortController();
  given?.addEventListener("abort", () => stop.abort());
  const { signal } = stop;
  let settings = DEFAULTS;
  let history = createHistory(settings);
  let scene = compute(settings);
  let sent = settings;
  let held = false;
  /** @type {number | null} */
  let hovered = null;
  /** @type {number | null} */
  let step = null;
  let moved = /** @type {keyof typeof SLIDERS} */ ("order");
  /** @type {import("./strip").Past[]} */
  let past = [];
  /** @type {{key: string, name: string, closed: [number, number][]}} */
  let along = { key: "", name: "", closed: [] };
  let run = 0;

  const notices = createNotices();
  const presets = createChoice(
    "Presets",
    PRESETS.map((name) => [name, picture(name), name]),
    (name) => change(preset(/** @type {Preset} */ (name)), { glide: true }),
  );
  const layouts = createChoice(
    "Where the arrows stand",
    Object.entries(LAYOUTS).map(([name, text]) => [name, null, text]),
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
      if (to !== null) spoken.textContent = formula.root.querySelector(".fr-current")?.textContent ?? "";
    },
  });
  const strip = createStrip(signal);
  const buttons = {
    draw: button("New draw", "draw", () => change({ seed: settings.seed + 1 }, { glide: true })),
    undo: button("Undo", "undo", () => walkHistory(-1)),
    redo: button("Redo", "redo", () => walkHistory(1)),
    reset: button("Reset", "reset", () => change(DEFAULTS, { glide: true })),
  };
  const note = h("p", { class: "fr-sub fr-shadow" });
  const spoken = h("div", { class: "fr-hidden", role: "status", "aria-live": "polite" });
  const root = h(
    "div",
    { class: "fr-lab fr-energy", "data-lm-suppress-shortcuts": "true" },
    notices.root,
    h(
      "div",
      { class: "fr-stage" },
      h(
        "section",
        { class: "fr-scene", "aria-label": "Arrows" },
        presets.root,
        stage.root,
        h("div", { class: "fr-actions" }, layouts.root, buttons.draw),
        note,
      ),
      h("div", { class: "fr-figures" }, key.root, strip.root),
      h(
        "div",
        { class: "fr-side" },
        controls.root,
        h("div", { class: "fr-actions" }, buttons.undo, buttons.redo, buttons.reset),
      ),
      formula.root,
    ),
    spoken,
  );
  el.append(root);

  /** @param {boolean} glide */
  function drawArrows(glide) {
    const i = hovered ?? settings.selected;
    const looked = step === null ? null : (scene.graph.neighbors[i][step - 1] ?? null);
    stage.draw(scene, i, { glide, step: looked === i ? null : looked });
    formula.show(scene, i, step);
  }

  function drawStrip() {
    const spec = SLIDERS[moved];
    // the closed form along a slider does not change while that slider moves
    const others = JSON.stringify({
      ...settings,
      [moved]: 0,
      selected: 0,
      seed: settings.layout === "random" && settings.seed,
    });
    if (others !== along.key || along.name !== moved) {
      const size = spec.step * Math.max(1, Math.round((spec.high - spec.low) / spec.step / 60));
      const count = Math.floor((spec.high - spec.low) / size + 1e-9) + 1;
      const xs = Array.from({ length: count }, (_, i) => spec.low + i * size);
      const ys = curve(settings, moved, xs);
      along = { key: others, name: moved, closed: xs.map((x, i) => [x, ys[i]]) };
    }
    strip.show({
      spec,
      past,
      run,
      closed: along.closed,
      random: scene.random.mean,
      now: { name: moved, run, x: settings[moved], energy: scene.energy },
    });
  }

  /** Keep what E is now in the strip. @param {string[]} names what was set */
  function follow(names) {
    const slider = names.length === 1 ? /** @type {keyof typeof SLIDERS} */ (names[0]) : null;
    if (slider && slider in SLIDERS && slider === moved) {
      past = remember(past, { name: moved, run, x: settings[moved], energy: scene.energy });
    } else if (names.length) {
      // the past of other settings stays, faint
      run += 1;
      if (slider && slider in SLIDERS) moved = slider;
      else if (settings.rule !== "knn" && moved === "k") moved = "order";
      else if (settings.rule !== "ball" && moved === "radius") moved = "order";
      past = remember(past, { name: moved, run, x: settings[moved], energy: scene.energy });
    }
  }

  /** @param {Partial<Settings>} partial @param {How} [how] */
  function change(partial, { glide = false, hold = false, from } = {}) {
    // which arrow is looked at is kept, but is no step of undo
    const names = Object.keys(partial).filter((name) => name !== "selected");
    try {
      const wanted = checked({ ...settings, ...partial });
      const count = place(wanted.layout, wanted.seed).length;
      settings = {
        ...wanted,
        k: Math.max(wanted.k, 1 + Number(wanted.include_self)),
        selected: wanted.selected % count,
      };
      scene = names.length ? compute(settings) : { ...scene, settings };
      hovered = null;
      step = null;
      held = hold;
      follow(names);
      draw(glide);
      notices.showError({});
    } catch (problem) {
      const todo = "Reset brings the widget back; w.state holds what it was given.";
      notices.showError({ what: "The arrows could not be drawn.", why: String(problem), todo });
      return;
    }
    if (hold) return;
    if (from !== "history" && names.length) history.commit(settings, names.length === 1 ? names[0] : "");
    buttons.undo.disabled = !history.canUndo;
    buttons.redo.disabled = !history.canRedo;
    if (from !== "kernel") keep();
    if (from !== "kernel" && names.length) spoken.textContent = key.words();
  }

  /** @param {boolean} glide */
  function draw(glide) {
    presets.set(presetOf(settings));
    layouts.set(settings.layout);
    controls.set(settings);
    note.textContent = caption(scene);
    key.show(scene);
    drawArrows(glide);
    drawStrip();
  }

  function keep() {
    if (same(sent, settings)) return;
    sent = settings;
    model.set("state", { ...settings });
    model.save_changes();
  }

  /** @param {-1 | 1} by */
  function walkHistory(by) {
    if (by < 0 ? history.canUndo : history.canRedo)
      change({ ...history.step(by), selected: settings.selected }, { glide: true, from: "history" });
  }

  function fromKernel() {
    const told = /** @type {Partial<Settings>} */ (model.get("state") ?? {});
    // the hand that holds a slider is not overruled
    if (held || same({ ...DEFAULTS, ...told }, sent)) return;
    sent = { ...DEFAULTS, ...told };
    change(told, { glide: true, from: "kernel" });
  }

  listen(model, signal, { state: fromKernel, error: () => notices.showError(model.get("error") ?? {}) });
  // a slider that is dragged and brought back ends without a change
  for (const event of ["pointerup", "pointercancel", "focusout"]) {
    root.addEventListener(event, () => {
      held = false;
    });
  }
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && step !== null) {
      step = null;
      drawArrows(false);
    }
  });
  walkByKeys(root, walkHistory);
  followTheme(root, signal);
  watchKernel(el, model, signal, (gone) => notices.showBanner(gone ? LOST : ""));
  const first = /** @type {Partial<Settings>} */ (model.get("state") ?? {});
  sent = { ...DEFAULTS, ...first };
  change(first, { from: "kernel" });
  history = createHistory(settings);
  buttons.undo.disabled = true;
  buttons.redo.disabled = true;
  past = [];
  follow(["order"]);
  draw(false);
  return () => stop.abort();
}

export default { render };
