// VerificationExplorer: the distances came once; here the threshold moves over them. The kernel keeps the state, and
// measures the genuine pairs again where an attribute is slid.

import { button, followTheme, h } from "../shared/dom.js";
import { createHistory, walkByKeys } from "../shared/history.js";
import { createNotices, watchKernel } from "../shared/notice.js";
import { listen } from "../shared/view.js";
import { decode, decodeShift, ratesAt, rocOf } from "./data.js";
import { createGroups } from "./groups.js";
import { createKey } from "./key.js";
import { createDensity, topOf } from "./plot.js";
import { createRoc } from "./roc.js";
import { createShift, rejected } from "./shift.js";

/** @typedef {import("../shared/types").Model} Model */
/** @typedef {import("./types").Part} Part */
/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").State} State */
/** @typedef {import("./types").Told} Told */

const LOST =
  "The kernel that ran this widget is gone. The threshold still moves over the pairs that are here; run the cell again to measure more.";

/** @param {{model: Model, el: HTMLElement, signal?: AbortSignal}} context */
function render({ model, el, signal: given }) {
  const stop = new AbortController();
  given?.addEventListener("abort", () => stop.abort());
  const { signal } = stop;
  /** @type {Setup | null} */
  let setup = null;
  /** @type {Part[]} */
  let parts = [];
  /** @type {ReturnType<typeof rocOf>} */
  let roc = { far: [], tar: [], low: new Float32Array(0), high: new Float32Array(0) };
  let state = readState();
  let history = createHistory(state);
  let sent = JSON.stringify(state);
  let dragging = false;
  /** @type {ReturnType<typeof createShift> | null} */
  let shift = null;
  /** @type {ReturnType<typeof createGroups> | null} */
  let groups = null;

  const notices = createNotices();
  const heading = h("h3", { text: "Same person or not?" });
  const about = h("p", { class: "fr-sub" });
  const density = createDensity(signal, (threshold, phase) => change({ threshold }, phase, "threshold"));
  const key = createKey((threshold) => change({ threshold }));
  const curve = createRoc(signal);
  const buttons = {
    undo: button("Undo", "undo", () => walk(-1)),
    redo: button("Redo", "redo", () => walk(1)),
    reset: button("Reset", "reset", () =>
      change({ threshold: setup?.start ?? null, attribute: null, strength: null }),
    ),
  };
  const progress = h("p", { class: "fr-progress", role: "status" });
  const spoken = h("div", { class: "fr-hidden", role: "status", "aria-live": "polite" });
  const body = h(
    "div",
    { class: "fr-stage", hidden: true },
    h(
      "div",
      { class: "fr-main" },
      density.root,
      h("div", { class: "fr-actions" }, ...Object.values(buttons)),
    ),
    h("div", { class: "fr-side" }, key.root, curve.root),
  );
  const root = h(
    "div",
    { class: "fr-lab fr-verify", "data-lm-suppress-shortcuts": "true" },
    notices.root,
    h("div", { class: "fr-head" }, heading, about),
    progress,
    body,
    spoken,
  );
  el.append(root);

  /** @returns {State} */
  function readState() {
    return { version: 1, threshold: null, attribute: null, strength: null, ...(model.get("state") ?? {}) };
  }

  function readSetup() {
    const told = /** @type {Setup} */ (model.get("setup") ?? {});
    if (!told.curves) return;
    setup = told;
    parts = decode(model.get("data"), told);
    roc = rocOf(parts[0]);
    const people = told.people[0] ? `${told.people[0]} people, ` : "";
    about.textContent = [
      told.title,
      `${people}${told.genuine.toLocaleString("en")} genuine and ${told.impostor.toLocaleString("en")} impostor pairs`,
    ]
      .filter(Boolean)
      .join(": ");
    key.describe(told);
    shift?.root.remove();
    groups?.root.remove();
    if (told.attributes.length) {
      shift = createShift(signal, told.attributes, (attribute, strength, phase) =>
        change({ attribute, strength }, phase, attribute ?? ""),
      );
      body.append(shift.root);
    }
    if (parts.length > 1) {
      groups = createGroups(signal, parts.slice(1), topOf(parts[0], told.marks));
      body.append(groups.root);
    }
    body.hidden = false;
    fromKernel();
    lackOffline();
    draw();
  }

  function lackOffline() {
    const known = Object.keys(model.get("shifts") ?? {});
    const missing = (setup?.attributes ?? []).map((a) => a.name).filter((name) => !known.includes(name));
    shift?.lack(model.get("offline") || root.classList.contains("fr-lost") ? missing : []);
  }

  function steps() {
    const told = /** @type {Told | undefined} */ (model.get("shifts")?.[state.attribute ?? ""]);
    return { told, values: told ? decodeShift(model.get("shift_data"), told) : [] };
  }

  function draw() {
    if (!setup || state.threshold === null) return;
    const { threshold } = state;
    const { told, values } = steps();
    const attribute = setup.attributes.find((a) => a.name === state.attribute) ?? null;
    const moved = attribute ? (values[attribute.grid.indexOf(state.strength ?? 0)] ?? null) : null;
    const rates = ratesAt(parts[0], threshold);
    const people = told?.people ?? 1;
    const now = moved ? { ...rates, frr: rejected(moved, threshold, people) } : rates;
    const most = Math.max(0, ...values.map((one) => (one ? one[one.length - 1] : 0)));
    const scene = { part: parts[0], moved, all: values, threshold, marks: setup.marks };
    density.show(
      { ...scene, top: Math.max(topOf(parts[0], setup.marks, most), threshold), rates: now },
      setup.metric,
    );
    key.show(threshold, rates, now);
    curve.show({ roc, rates, eer: setup.eer.rate });
    shift?.show({ attribute, strength: state.strength, threshold, steps: values, people });
    groups?.show(threshold);
    buttons.undo.disabled = !history.canUndo;
    buttons.redo.disabled = !history.canRedo;
    root.dataset.threshold = String(threshold);
    root.dataset.far = String(rates.far.share);
    root.dataset.frr = String(now.frr.share);
  }

  /** @param {Partial<State>} more @param {"drag" | "commit"} [phase] @param {string} [moved] */
  function change(more, phase = "commit", moved = "") {
    state = { ...state, ...more };
    dragging = phase === "drag";
    if (!dragging) history.commit(state, moved);
    draw();
    if (!dragging) keep();
  }

  function keep() {
    sent = JSON.stringify(state);
    model.set("state", { ...state });
    model.save_changes();
    const attribute = shift?.root.querySelector(".fr-shift-words")?.textContent ?? "";
    // the handle speaks for itself while it has the focus
    if (document.activeElement !== density.input)
      spoken.textContent = state.attribute ? attribute : key.words();
  }

  /** @param {-1 | 1} by */
  function walk(by) {
    if (!(by < 0 ? history.canUndo : history.canRedo)) return;
    state = history.step(by);
    draw();
    keep();
  }

  function fromKernel() {
    const told = readState();
    // the hand that holds the handle is not overruled
    if (dragging || JSON.stringify(told) === sent) return;
    const first = state.threshold === null;
    state = told;
    sent = JSON.stringify(told);
    if (first) history = createHistory(state);
    else history.commit(state);
    draw();
  }

  function showProgress() {
    const { what, done, all } = model.get("progress") ?? {};
    progress.hidden = !what;
    progress.textContent = what ? `${what}: ${done} of ${all} faces` : "";
    progress.style.setProperty("--at", String(what ? done / all : 0));
  }

  function showShifts() {
    lackOffline();
    draw();
  }

  const showError = () => notices.showError(model.get("error") ?? {});
  listen(model, signal, {
    setup: readSetup,
    state: fromKernel,
    shifts: showShifts,
    progress: showProgress,
    error: showError,
  });
  for (const event of ["pointerup", "pointercancel", "focusout"]) {
    root.addEventListener(event, () => {
      dragging = false;
    });
  }
  walkByKeys(root, walk);
  followTheme(root, signal);
  watchKernel(el, model, signal, (gone) => {
    notices.showBanner(gone ? LOST : "");
    root.classList.toggle("fr-lost", gone);
    lackOffline();
  });
  showProgress();
  showError();
  readSetup();
  if (!setup && !model.get("progress")?.what) {
    progress.hidden = false;
    progress.textContent = "The faces are being rendered.";
  }
  return () => stop.abort();
}

export default { render };
