// Prediction: a guess is committed, then the truth is shown beside it.

import { button, followTheme, h, uid } from "../shared/dom.js";
import { createLink } from "../shared/link.js";
import { createNotices, watchKernel } from "../shared/notice.js";
import { listen } from "../shared/view.js";
import { createCurve } from "./curve.js";
import { createNumber } from "./number.js";
import { createRanking } from "./ranking.js";
import { scoreWords } from "./score.js";

/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").State} State */
/** @typedef {import("../shared/types").Command} Command */
/** @typedef {import("../shared/types").Model} Model */

const KINDS = { number: createNumber, ranking: createRanking, curve: createCurve };
const LOST =
  "The kernel that keeps this prediction is gone. What you see is its last state; run the cell again to go on.";
const SILENT = "The kernel has not answered for some seconds: it is busy, or it was restarted.";

/**
 * Where the prediction stands, in a sentence.
 * @param {State} state
 * @param {boolean} hasTruth the kernel knows the answer
 * @param {string} words of the last try, once revealed
 * @param {boolean} [alone] on a page without a kernel
 */
export function standing(state, hasTruth, words, alone = false) {
  const n = state.tries.length;
  if (state.open) {
    if (!n) return "Nothing is revealed before you commit a guess.";
    const seen = state.truth !== null ? ", after the truth was shown" : "";
    return `Try ${n + 1}. It is counted beside the first${seen}.`;
  }
  if (state.truth !== null) return words || "The truth stands beside your guess.";
  if (hasTruth) return "Committed. Reveal the truth when you are ready.";
  return alone
    ? "Committed. This page does not hold the truth; the notebook that made it tells it."
    : "Committed. The truth comes with the next cell of the notebook.";
}

/**
 * The tries before the present one, in words.
 * @param {State} state
 * @param {string[]} words one for each try, once revealed
 * @returns {string[]}
 */
export function earlier(state, words) {
  const past = state.open ? state.tries : state.tries.slice(0, -1);
  return past.map((one, i) => {
    const when = one.after_reveal ? ", after the truth was shown" : "";
    return `Try ${i + 1}${when}: ${words[i] ?? "not revealed yet."}`;
  });
}

/** @param {{model: Model, el: HTMLElement, signal?: AbortSignal}} context */
function render({ model, el, signal: given }) {
  const stop = new AbortController();
  given?.addEventListener("abort", () => stop.abort());
  const { signal } = stop;
  const setup = /** @type {Setup} */ (model.get("setup"));
  const id = uid("question");
  const offline = Boolean(model.get("offline"));
  let gone = false;

  const notices = createNotices();
  const spoken = h("div", { class: "fr-hidden", role: "status", "aria-live": "polite" });
  const input = KINDS[setup.kind](setup, (/** @type {string | undefined} */ text) => {
    buttons.commit.disabled = gone || input.value() === null;
    if (text) spoken.textContent = text;
  });
  const link = createLink(model, { signal, onSilence: (silent) => notices.showBanner(silent ? SILENT : "") });
  const act = (/** @type {string} */ action) => () => {
    const guess = action === "commit" ? { guess: input.value() } : {};
    if (offline) alone(action);
    else link.send(/** @type {Command} */ ({ action, ...guess }));
  };
  const buttons = {
    commit: button("Commit guess", "commit", act("commit")),
    reveal: button("Reveal the truth", "reveal", act("reveal")),
    retry: button("Try again", "retry", act("retry")),
  };
  const status = h("p", { class: "fr-standing", role: "status" });
  const tries = h("ol", { class: "fr-tries fr-sub", "aria-label": "Earlier tries" });
  const badge = h("span", { class: "fr-sub fr-badge" });
  const root = h(
    "section",
    { class: "fr-lab fr-prediction", "data-lm-suppress-shortcuts": "true", "aria-labelledby": id },
    notices.root,
    h("div", { class: "fr-head" }, h("h3", { id, text: setup.question }), badge),
    input.root,
    h("div", { class: "fr-actions" }, ...Object.values(buttons), status),
    tries,
    spoken,
  );
  root.dataset.kind = setup.kind;
  el.append(root);

  let shown = "";
  function show() {
    const state = /** @type {State} */ (model.get("state"));
    const words = /** @type {string[]} */ (model.get("result").words ?? []);
    const last = state.tries[state.tries.length - 1];
    const standpoint = JSON.stringify([state.tries.length, state.open]);
    // what is being entered stays when only the words changed
    if (standpoint !== shown) input.set(state.open && !shown ? null : (last?.guess ?? null));
    shown = standpoint;
    input.lock(!state.open || gone);
    input.reveal(last?.guess ?? null, state.open ? null : state.truth);
    root.dataset.stage = state.open ? "open" : state.truth === null ? "committed" : "revealed";
    buttons.commit.hidden = !state.open;
    buttons.commit.disabled = gone || input.value() === null;
    buttons.reveal.hidden = state.open || !setup.has_truth || state.truth !== null;
    buttons.retry.hidden = state.open;
    for (const node of [buttons.reveal, buttons.retry]) node.disabled = gone;
    const late = !state.open && last?.after_reveal ? ", after the truth was shown" : "";
    const count = state.tries.length + Number(state.open);
    badge.textContent = count > 1 ? `try ${count}${late}` : "";
    status.textContent = standing(state, setup.has_truth, words[words.length - 1] ?? "", offline);
    tries.replaceChildren(...earlier(state, words).map((text) => h("li", { text })));
    tries.hidden = !tries.childElementCount;
  }

  function showError() {
    const problem = model.get("error") ?? {};
    notices.showError(problem);
    if (problem.what) link.settle(problem);
  }

  /** The truth that a page brings with it, not to be read by chance in its source. */
  function hidden() {
    return JSON.parse(new TextDecoder().decode(/** @type {DataView<ArrayBuffer>} */ (model.get("truth"))));
  }

  /** On a page without a kernel: what the kernel would do. @param {string} action */
  function alone(action) {
    const state = /** @type {State} */ (model.get("state"));
    const one = { guess: input.value(), after_reveal: state.truth !== null };
    const change = {
      commit: { tries: [...state.tries, one], open: false },
      retry: { open: true },
      reveal: { truth: action === "reveal" ? hidden() : null },
    }[action];
    const now = /** @type {State} */ ({ ...state, ...change });
    const told = now.truth === null ? [] : now.tries.map(({ guess }) => scoreWords(setup, guess, now.truth));
    model.set("result", { ...model.get("result"), words: told });
    model.set("state", now);
    focusNext();
  }

  function answered() {
    if (link.settle(model.get("reply"))) focusNext(); // else another view asked
  }

  /** The button that was pressed is gone: what comes next gets the focus. */
  function focusNext() {
    const next = buttons.commit.hidden
      ? [buttons.reveal, buttons.retry].find((node) => !node.hidden)
      : /** @type {HTMLElement | null} */ (input.root.querySelector("input, .fr-grip, .fr-board"));
    next?.focus();
  }

  listen(model, signal, { state: show, result: show, error: showError, reply: answered });
  followTheme(root, signal);
  watchKernel(el, model, signal, (now) => {
    gone = now;
    notices.showBanner(gone ? LOST : "");
    link.connect(!gone);
    show();
  });
  show();
  showError();
  return () => stop.abort();
}

export default { render };
