// What every view has: its root, its notices, a live region, the host's theme, and undo and redo of what it shows.

import { button, followTheme, h } from "./dom.js";
import { createHistory, walkByKeys } from "./history.js";
import { createNotices, watchKernel } from "./notice.js";
import { listen } from "./view.js";

/** @typedef {import("./types").Model} Model */
/** @typedef {import("./types").Problem} Problem */
/**
 * @typedef {object} Context
 * @property {Model} model
 * @property {HTMLElement} el
 * @property {AbortSignal} signal
 * @property {(context: {model: Model, el: HTMLElement}) => Promise<() => void>} [render] shows another of our widgets
 */

/** anywidget's module from a function that builds a view; `signal` is aborted when the view ends. @param {(context: Context) => void} build */
export function widget(build) {
  return {
    /** @param {Omit<Context, "signal"> & {signal?: AbortSignal}} context */
    render(context) {
      const stop = new AbortController();
      context.signal?.addEventListener("abort", () => stop.abort());
      build({ ...context, signal: stop.signal });
      return () => stop.abort();
    },
  };
}

/** @param {string} name class of the root @param {Record<string, string>} [attributes] further ones */
export function createFrame(name, attributes = {}) {
  const notices = createNotices();
  const spoken = h("div", { class: "fr-hidden", role: "status", "aria-live": "polite" });
  const classes = { class: `fr-lab ${name}`, "data-lm-suppress-shortcuts": "true" };
  const root = h("div", { ...classes, ...attributes }, notices.root, spoken);
  return {
    root,
    notices,
    /** Announce to screen readers. @param {string} words */
    say(words) {
      spoken.textContent = words;
    },
    /**
     * Put the view into the page, show errors, follow its theme and watch its kernel.
     * @param {Context} context
     * @param {{lost: string, kernel?: (gone: boolean) => void, themed?: () => void, failed?: (problem: Problem) => void}} react
     *   `lost`: shown without a kernel, "" for nothing; `failed`: called with an error of the kernel
     */
    open({ model, el, signal }, { lost, kernel = () => {}, themed, failed = () => {} }) {
      el.append(root);
      const showError = () => {
        const problem = /** @type {Problem} */ (model.get("error") ?? {});
        notices.showError(problem);
        if (problem.what) failed(problem);
      };
      listen(model, signal, { error: showError });
      showError();
      followTheme(root, signal, themed);
      watchKernel(el, model, signal, (gone) => {
        notices.showBanner(gone ? lost && (model.still ?? lost) : "");
        root.classList.toggle("fr-lost", gone);
        kernel(gone);
      });
    },
  };
}

/**
 * The state that a view shows, kept in step with the kernel's, with undo and redo.
 * @template {object} S
 * @param {Context} context @param {HTMLElement} root hears the keys of undo
 * @param {{defaults?: Partial<S>, draw: () => void, saved?: () => void, passing?: (keyof S)[]}} view `defaults` fill in the
 *   kernel's state, `saved` follows a change by the user, `passing` parts are saved, but are not steps of undo
 */
export function createState(
  { model, signal },
  root,
  { defaults = {}, draw, saved = () => {}, passing = [] },
) {
  const read = () => /** @type {S} */ ({ ...defaults, ...(model.get("state") ?? {}) });
  let now = read();
  let sent = JSON.stringify(now);
  const passes = (/** @type {string} */ name) => passing.includes(/** @type {keyof S} */ (name));
  const part = (/** @type {boolean} */ passed) =>
    /** @type {S} */ (Object.fromEntries(Object.entries(now).filter(([name]) => passes(name) === passed)));
  let history = createHistory(part(false));
  let held = false;
  const undo = button("Undo", "undo", () => walk(-1));
  const redo = button("Redo", "redo", () => walk(1));

  function show() {
    undo.disabled = !history.canUndo;
    redo.disabled = !history.canRedo;
    draw();
  }

  function save() {
    const text = JSON.stringify(now);
    if (text === sent) return;
    sent = text;
    model.set("state", { ...now });
    model.save_changes();
    saved();
  }

  /** @param {-1 | 1} by */
  function walk(by) {
    if (!(by < 0 ? history.canUndo : history.canRedo)) return;
    now = { ...history.step(by), ...part(true) };
    show();
    save();
  }

  function follow() {
    const given = read();
    // a slider that the user holds is not overruled
    if (held || JSON.stringify(given) === sent) return;
    now = given;
    sent = JSON.stringify(given);
    history.commit(part(false));
    show();
  }

  model.on("change:state", follow);
  signal.addEventListener("abort", () => model.off("change:state", follow));
  // a slider that is dragged and brought back ends without a change
  for (const event of ["pointerup", "pointercancel", "focusout"]) {
    root.addEventListener(event, () => {
      held = false;
    });
  }
  walkByKeys(root, walk);
  return {
    buttons: { undo, redo },
    show,
    follow,
    get now() {
      return now;
    },
    /** @param {Partial<S>} more @param {{drag?: boolean, moved?: string}} [how] `moved`: the control, whose quick commits are one step of undo */
    change(more, { drag = false, moved = "" } = {}) {
      now = { ...now, ...more };
      held = drag;
      if (!drag) history.commit(part(false), moved);
      show();
      if (!drag) save();
    },
    /** Begin the history again, from the kernel's state. */
    restart() {
      now = read();
      sent = JSON.stringify(now);
      history = createHistory(part(false));
    },
  };
}
