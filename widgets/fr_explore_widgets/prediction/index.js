// Prediction: a guess is committed, then the truth is shown beside it.

import { button, div, h, uid } from "../shared/dom.js";
import { createFrame, widget } from "../shared/frame.js";
import { createLink } from "../shared/link.js";
import { listen } from "../shared/view.js";
import { createChoice } from "./choice.js";
import { createClass } from "./class.js";
import { codeOf } from "./codes.js";
import { createCurve } from "./curve.js";
import { createNumber } from "./number.js";
import { createRanking } from "./ranking.js";
import { scoreWords } from "./score.js";

/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").State} State */
/** @typedef {import("../shared/types").Command} Command */

const KINDS = { number: createNumber, choice: createChoice, ranking: createRanking, curve: createCurve };
const LOST = "The kernel is gone. The last state is shown; run the cell again to continue.";

/**
 * The status of the prediction, in a sentence.
 * @param {State} state
 * @param {boolean} hasTruth whether the kernel has the answer
 * @param {string} words about the last try, if revealed
 * @param {boolean} [offline] on a page without a kernel
 */
export function status(state, hasTruth, words, offline = false) {
  const n = state.tries.length;
  if (state.open) {
    if (!n) return "Nothing is revealed before you commit a guess.";
    const seen = state.truth !== null ? ", after the truth was shown" : "";
    return `Try ${n + 1}, counted separately from the first${seen}.`;
  }
  if (!n) return state.truth === null ? "Shown without a guess." : "This is the truth, without a guess.";
  if (state.truth !== null) return words || "The truth is shown beside your guess.";
  if (hasTruth) return "Committed. Reveal the truth when you are ready.";
  return offline
    ? "Committed. This page does not contain the truth; the notebook that created it reveals it."
    : "Committed. The cells below show the truth.";
}

/**
 * The tries before the current one, in words.
 * @param {State} state
 * @param {string[]} words one sentence for each try, if revealed
 * @returns {string[]}
 */
export function earlier(state, words) {
  const past = state.open ? state.tries : state.tries.slice(0, -1);
  return past.map((one, i) => {
    const when = one.after_reveal ? ", after the truth was shown" : "";
    return `Try ${i + 1}${when}: ${words[i] ?? "not revealed yet."}`;
  });
}

/** @param {import("../shared/frame").Context} context */
function build(context) {
  const { model, signal } = context;
  const setup = /** @type {Setup} */ (model.get("setup"));
  const id = uid("question");
  const offline = Boolean(model.get("offline"));
  let gone = false;

  const frame = createFrame("fr-prediction", { role: "region", "aria-labelledby": id });
  const { root, notices } = frame;
  const input = KINDS[setup.kind](setup, (/** @type {string | undefined} */ text) => {
    buttons.commit.disabled = gone || input.value() === null;
    if (text) frame.say(text);
  });
  const link = createLink(model, { signal, banner: notices.showBanner });
  const act = (/** @type {string} */ action) => () => {
    const guess = action === "commit" ? { guess: input.value() } : {};
    if (offline) actOffline(action);
    else link.send(/** @type {Command} */ ({ action, ...guess }));
  };
  const buttons = {
    commit: button("Commit guess", "commit", act("commit")),
    skip: button("Show me", "skip", act("skip")),
    reveal: button("Reveal the truth", "reveal", act("reveal")),
    retry: button("Try again", "retry", act("retry")),
  };
  buttons.skip.title = "See the truth without a guess";
  const code = h("p", { class: "fr-sub fr-code" });
  const group = createClass(setup);
  const statusLine = h("p", { class: "fr-status", role: "status" });
  const tries = h("ol", { class: "fr-tries fr-sub fr-ruled", "aria-label": "Earlier tries" });
  const badge = h("span", { class: "fr-sub fr-badge fr-one-line" });
  root.append(
    div("fr-head", h("h3", { id, text: setup.question }), badge),
    input.root,
    div("fr-actions", ...Object.values(buttons), statusLine),
    code,
    tries,
    group.root,
  );
  root.dataset.kind = setup.kind;

  let shown = "";
  function show() {
    const state = /** @type {State} */ (model.get("state"));
    const words = /** @type {string[]} */ (model.get("result").words ?? []);
    const last = state.tries[state.tries.length - 1];
    const stage = JSON.stringify([state.tries.length, state.open]);
    // keep what is being entered when only the words change
    if (stage !== shown) input.set(state.open && !shown ? null : (last?.guess ?? null));
    shown = stage;
    input.lock(!state.open || gone);
    input.reveal(last?.guess ?? null, state.open ? null : state.truth);
    root.dataset.stage = state.open ? "open" : state.truth === null ? "committed" : "revealed";
    buttons.commit.hidden = !state.open;
    buttons.commit.disabled = gone || input.value() === null;
    const answered = state.tries.length > 0 || Boolean(state.skipped);
    buttons.skip.hidden = answered || (offline && !setup.has_truth);
    buttons.reveal.hidden = state.open || !setup.has_truth || state.truth !== null;
    buttons.retry.hidden = state.open;
    for (const node of [buttons.skip, buttons.reveal, buttons.retry]) node.disabled = gone;
    buttons.retry.textContent = state.tries.length ? "Try again" : "Guess after all";
    const first = state.tries[0];
    code.hidden = !first || first.after_reveal;
    if (!code.hidden) {
      code.replaceChildren("Code for the class: ", h("code", { text: codeOf(setup, first.guess) }));
    }
    group.show(state.open ? null : state.truth);
    const late = !state.open && last?.after_reveal ? ", after the truth was shown" : "";
    const count = state.tries.length + Number(state.open);
    badge.textContent = count > 1 ? `try ${count}${late}` : "";
    statusLine.textContent = status(state, setup.has_truth, words[words.length - 1] ?? "", offline);
    tries.replaceChildren(...earlier(state, words).map((text) => h("li", { text })));
    tries.hidden = !tries.childElementCount;
  }

  /** The truth in a page without a kernel, encoded so that nobody reads it by accident. */
  function storedTruth() {
    return JSON.parse(new TextDecoder().decode(/** @type {DataView<ArrayBuffer>} */ (model.get("truth"))));
  }

  /** Do what the kernel would do. @param {string} action */
  function actOffline(action) {
    const state = /** @type {State} */ (model.get("state"));
    const one = { guess: input.value(), after_reveal: state.truth !== null || Boolean(state.skipped) };
    /** @type {Record<string, () => Partial<State>>} */
    const changes = {
      commit: () => ({ tries: [...state.tries, one], open: false }),
      retry: () => ({ open: true }),
      reveal: () => ({ truth: storedTruth() }),
      skip: () => ({ truth: storedTruth(), open: false, skipped: true }),
    };
    const change = changes[action]();
    const now = /** @type {State} */ ({ ...state, ...change });
    const words = now.truth === null ? [] : now.tries.map(({ guess }) => scoreWords(setup, guess, now.truth));
    model.set("result", { ...model.get("result"), words });
    model.set("state", now);
    focusNext();
  }

  function answered() {
    if (link.settle(model.get("reply"))) focusNext(); // otherwise another view sent the request
  }

  /** The pressed button is hidden now: move the focus to the next control. */
  function focusNext() {
    const next = buttons.commit.hidden
      ? [buttons.reveal, buttons.retry].find((node) => !node.hidden)
      : /** @type {HTMLElement | null} */ (input.root.querySelector("input, .fr-grip, .fr-board"));
    next?.focus();
  }

  listen(model, signal, { state: show, result: show, reply: answered });
  frame.open(context, {
    lost: LOST,
    failed: link.settle,
    kernel: (now) => {
      gone = now;
      link.connect(!gone);
      show();
    },
  });
  show();
}

export default widget(build);
