// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { filled, stroke } from "../../fr_explore_widgets/prediction/curve.js";
import widget, { earlier, status } from "../../fr_explore_widgets/prediction/index.js";
import { span } from "../../fr_explore_widgets/prediction/number.js";
import { move, placeFor } from "../../fr_explore_widgets/prediction/ranking.js";
import { general, scoreWords } from "../../fr_explore_widgets/prediction/score.js";
import { short, ticks } from "../../fr_explore_widgets/shared/plot.js";
import { fakeModel } from "../fake_model.js";

const FRESH = { version: 1, tries: [], open: true, truth: null };

/** What the kernel does with a request: state and words, then the reply. */
function answer(state, words = []) {
  const { client, seq } = requests().at(-1) ?? {};
  model.receive({ state });
  model.receive({ result: { words } });
  model.receive({ reply: { client, seq } });
}

const requests = () => model.sent.flatMap(({ request }) => (request ? [request] : []));

let el;
let model;
let stop;

function open(setup, state = FRESH) {
  const whole = { question: "How far?", has_truth: false, unit: "", low: null, high: null, ...setup };
  model = fakeModel({ setup: whole, state, result: {}, error: {}, reply: {} });
  el = document.createElement("div");
  document.body.append(el);
  stop = widget.render({ model, el });
}

const find = (selector) => el.querySelector(selector);
const visible = (action) => !find(`[data-action=${action}]`).hidden;

function type(value) {
  const box = find("input[type=number]");
  box.value = value;
  box.dispatchEvent(new Event("input"));
}

function press(target, key) {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
});

afterEach(() => {
  stop?.();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

describe("a number", () => {
  test("is committed, then shown beside the truth", () => {
    open({ kind: "number", unit: "years" });
    const commit = find("[data-action=commit]");
    expect(commit.disabled).toBe(true);
    expect(find(".fr-status").textContent).toBe("Nothing is revealed before you commit a guess.");
    type("0.4");
    commit.click();
    expect(requests()[0]).toMatchObject({ seq: 1, action: "commit", guess: 0.4 });
    const tries = [{ guess: 0.4, after_reveal: false }];
    answer({ ...FRESH, tries, open: false });
    expect([visible("commit"), visible("reveal"), visible("retry")]).toEqual([false, false, true]);
    expect(find("input").disabled).toBe(true);
    expect(document.activeElement).toBe(find("[data-action=retry]"));
    answer({ ...FRESH, tries, open: false, truth: 0.62 }, ["0.22 too low."]);
    expect(find(".fr-status").textContent).toBe("0.22 too low.");
    expect(find(".fr-line-picture").getAttribute("aria-label")).toBe("Guess 0.4, truth 0.62 years");
    expect(find(".fr-prediction").dataset.stage).toBe("revealed");
  });

  test("may be skipped: the truth then stands alone, and a later guess has no code", () => {
    open({ kind: "number" });
    find("[data-action=skip]").click();
    expect(requests()[0]).toMatchObject({ action: "skip" });
    const skipped = { ...FRESH, open: false, skipped: true };
    answer(skipped);
    expect(find(".fr-status").textContent).toBe("Shown without a guess.");
    expect([visible("commit"), visible("skip"), visible("retry")]).toEqual([false, false, true]);
    answer({ ...skipped, truth: 0.62 });
    expect(find(".fr-status").textContent).toBe("This is the truth, without a guess.");
    expect(find(".fr-line-picture").getAttribute("aria-label")).toBe("truth 0.62");
    answer({ ...skipped, truth: 0.62, tries: [{ guess: 0.6, after_reveal: true }] }, ["0.02 too low."]);
    expect(find(".fr-code").hidden).toBe(true);
  });

  test("has a code for the class once it is committed", () => {
    open({ kind: "number" });
    expect(find(".fr-code").hidden).toBe(true);
    answer({ ...FRESH, tries: [{ guess: 0.4, after_reveal: false }], open: false });
    expect(find(".fr-code").textContent).toMatch(/^Code for the class: [0-9A-Z]{4}-[0-9A-Z]{4}$/);
  });

  test("out of its range cannot be committed", () => {
    open({ kind: "number", low: 0, high: 1 });
    type("2");
    expect(find("[data-action=commit]").disabled).toBe(true);
    type("0.25");
    expect(find("[data-action=commit]").disabled).toBe(false);
    expect(find("input[type=range]").value).toBe("0.25");
    find("input[type=range]").value = "0.75";
    find("input[type=range]").dispatchEvent(new Event("input"));
    expect(find("input[type=number]").value).toBe("0.75");
  });

  test("lies on a line whose ends are named where the range was given", () => {
    const written = () => [...el.querySelectorAll(".fr-line-picture text")].map((node) => node.textContent);
    const shown = { ...FRESH, open: false, skipped: true };
    open({ kind: "number", unit: "h", low: 0, high: 500 }, { ...shown, truth: 2.2 });
    expect(written()).toEqual(["truth 2.2 h", "0", "500"]);
    stop();
    open({ kind: "number" }, { ...shown, truth: 2.2 });
    expect(written()).toEqual(["truth 2.2"]);
  });

  test("lies on a line with room for guess and truth", () => {
    expect(span([1, 2], null, null)).toEqual([0.85, 2.15]);
    expect(span([3, 3], null, null)).toEqual([0, 6]);
    expect(span([0.4, 0.6], 0, 1)).toEqual([0, 1]);
    expect(span([0.4, 2], 0, 1)[1]).toBeCloseTo(2.3, 12);
    expect(short(-0.123456, 4)).toBe("\u22120.1235");
  });
});

test("a choice is committed, then the true option is named", () => {
  open({ kind: "choice", options: ["age", "own"], labels: ["age", "my own"], colors: ["#111111", ""] });
  expect(find("[data-action=commit]").disabled).toBe(true);
  const radio = el.querySelectorAll("input[type=radio]")[1];
  radio.checked = true;
  radio.dispatchEvent(new Event("change"));
  find("[data-action=commit]").click();
  expect(requests()[0]).toMatchObject({ action: "commit", guess: "own" });
  answer({ ...FRESH, tries: [{ guess: "own", after_reveal: false }], open: false, truth: "age" }, ["No."]);
  expect(find("fieldset").disabled).toBe(true);
  expect(find(".fr-choice .fr-key-text").textContent).toBe("It is age.");
  const setup = { kind: "choice", options: ["age", "own"], labels: ["age", "my own"] };
  expect(scoreWords(setup, "own", "age")).toBe("You chose my own; it is age.");
  expect(scoreWords(setup, "own", "own")).toBe("Right: my own.");
});

describe("a ranking", () => {
  const setup = {
    kind: "ranking",
    options: ["age", "hue", "blur"],
    labels: ["age", "hue", "blur"],
    colors: ["", "#111111", ""],
  };
  const order = () => {
    const grips = [...el.querySelectorAll(".fr-grip")];
    const place = (grip) => Number(grip.querySelector(".fr-place").textContent);
    return grips.sort((a, b) => place(a) - place(b)).map((grip) => grip.dataset.option);
  };

  test("moves by keys and by buttons, and says where it is", () => {
    open(setup);
    press(find("[data-option=blur]"), "ArrowUp");
    expect(order()).toEqual(["age", "blur", "hue"]);
    expect(find("[role=status].fr-hidden").textContent).toBe("blur, place 2 of 3");
    expect(document.activeElement).toBe(find("[data-option=blur]"));
    find('[aria-label="Move age down"]').click();
    expect(order()).toEqual(["blur", "age", "hue"]);
    press(find("[data-option=blur]"), "End");
    find("[data-action=commit]").click();
    expect(requests()[0].guess).toEqual(["age", "hue", "blur"]);
  });

  test("is joined with the truth by one line for each option", () => {
    const tries = [{ guess: ["age", "hue", "blur"], after_reveal: false }];
    open(setup, {
      ...FRESH,
      tries,
      open: false,
      truth: { order: ["hue", "age", "blur"], values: [3, 2, 1] },
    });
    expect([...el.querySelectorAll(".fr-truth .fr-option")].map((n) => n.textContent)).toEqual([
      "hue",
      "age",
      "blur",
    ]);
    expect(el.querySelectorAll(".fr-link")).toHaveLength(3);
    expect(el.querySelectorAll(".fr-link")[0].getAttribute("d")).toBe("M0 18C20 18 20 54 40 54");
    expect(find(".fr-grip").disabled).toBe(true);
    press(find("[data-option=hue]"), "ArrowUp");
    expect(order()).toEqual(["age", "hue", "blur"]);
  });

  test.each([
    [
      [0.312, -0.00863, -0.0701],
      ["0.312", "\u22120.009", "\u22120.070"],
    ],
    [
      [77.87, 56.6, 29],
      ["77.9", "56.6", "29.0"],
    ],
    [
      [1200.4, 3, 0],
      ["1200", "3", "0"],
    ],
    [
      [3, 2, 1],
      ["3", "2", "1"],
    ],
    [null, ["", "", ""]],
  ])("shows the true values %j with three digits of the largest", (values, shown) => {
    const tries = [{ guess: ["age", "hue", "blur"], after_reveal: false }];
    open(setup, { ...FRESH, tries, open: false, truth: { order: ["hue", "age", "blur"], values } });
    expect([...el.querySelectorAll(".fr-truth .fr-end")].map((n) => n.textContent)).toEqual(shown);
  });

  test("keeps its items when one moves", () => {
    expect(move(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
    expect(move(["a", "b", "c"], 2, -5)).toEqual(["c", "a", "b"]);
    expect([placeFor("ArrowUp", 0, 3), placeFor("End", 0, 3), placeFor("a", 0, 3)]).toEqual([0, 2, null]);
  });
});

describe("a curve", () => {
  const setup = { kind: "curve", x: [0, 1, 2, 3], low: 0, high: 1, x_label: "radius", y_label: "E" };

  test("is set point by point by the keys; the rest follows", () => {
    open(setup);
    const board = find(".fr-board");
    expect(find("[data-action=commit]").disabled).toBe(true);
    press(board, "PageUp");
    press(board, "ArrowRight");
    press(board, "ArrowRight");
    press(board, "Home");
    expect(board.getAttribute("aria-valuetext")).toBe("radius 2: 0");
    find("[data-action=commit]").click();
    const guess = requests()[0].guess;
    expect(guess[0]).toBeCloseTo(0.7, 12);
    expect(guess[1]).toBeCloseTo(0.35, 12);
    expect(guess.slice(2)).toEqual([0, 0]);
  });

  test("can be cleared", () => {
    open(setup);
    press(find(".fr-board"), "ArrowUp");
    find("[data-action=clear]").click();
    expect(find("[data-action=commit]").disabled).toBe(true);
    expect(find(".fr-curve-picture").textContent).toContain("Draw your curve here");
  });

  test("is locked once committed, and the truth lies over it with gaps where it is not defined", () => {
    const tries = [{ guess: [0, 0, 0, 0], after_reveal: false }];
    open(setup, { ...FRESH, tries, open: false, truth: [null, 0.5, 0.5, 0.5] });
    press(find(".fr-board"), "ArrowUp");
    expect(find(".fr-board").getAttribute("aria-valuetext")).toBe("radius 0: 0");
    expect(find(".fr-board").getAttribute("aria-disabled")).toBe("true");
    expect(el.querySelectorAll(".fr-gap")).toHaveLength(3);
    expect(find(".fr-truth-line").getAttribute("d").match(/[ML]/g)).toEqual(["M", "L", "L"]);
  });

  test("is straight between points that were set, level beyond them", () => {
    expect(filled([0, 1, 3, 4, 5], [null, 1, null, 4, null])).toEqual([1, 1, 3, 4, 4]);
    expect(filled([0, 1], [null, null])).toBeNull();
  });

  test("a stroke sets the points that it passes, either way, and the nearest one at its end", () => {
    const none = [null, null, null, null];
    expect(stroke([0, 1, 2, 3], none, [0.5, 0.5], [2.4, 2.4])).toEqual([null, 1, 2, null]);
    expect(stroke([0, 1, 2, 3], none, [2.4, 2.4], [0.6, 0.6]).slice(1)).toEqual([1, 2, null]);
    expect(stroke([0, 1, 2, 3], none, [2.9, 7], [2.9, 7])).toEqual([null, null, null, 7]);
    expect(stroke([0, 1], [null, null], [1, 0.5], [1, 0.5])).toEqual([null, 0.5]);
  });

  test("has round ticks", () => {
    expect(ticks(0, 1.25, 5)).toEqual([0, 0.25, 0.5, 0.75, 1, 1.25]);
    expect(ticks(0.1, 1.6, 6)).toEqual([0.25, 0.5, 0.75, 1, 1.25, 1.5]);
    expect(ticks(-30, 30, 6)).toEqual([-30, -20, -10, 0, 10, 20, 30]);
  });
});

describe("tries", () => {
  const one = { guess: 1, after_reveal: false };

  test("are counted and stay in sight", () => {
    const state = { ...FRESH, tries: [one, { guess: 2, after_reveal: true }], open: true, truth: 5 };
    expect(status(state, false, "")).toBe(
      "Try 3, counted separately from the first, after the truth was shown.",
    );
    expect(earlier(state, ["4 too low.", "3 too low."])).toEqual([
      "Try 1: 4 too low.",
      "Try 2, after the truth was shown: 3 too low.",
    ]);
    expect(earlier({ ...state, truth: null }, [])[0]).toBe("Try 1: not revealed yet.");
  });

  test("start again from the last guess, with the truth out of sight", () => {
    open({ kind: "number", has_truth: true }, { ...FRESH, tries: [one], open: false });
    expect(visible("reveal")).toBe(true);
    find("[data-action=retry]").click();
    expect(requests()[0]).toMatchObject({ action: "retry" });
    answer({ ...FRESH, tries: [one], open: true, truth: 3 }, ["2 too low."]);
    expect(find("input").value).toBe("1");
    expect(find("input").disabled).toBe(false);
    expect(document.activeElement).toBe(find("input"));
    expect(find(".fr-line-picture").style.display).toBe("none");
    expect(find(".fr-badge").textContent).toBe("try 2");
    expect(find(".fr-tries").textContent).toBe("Try 1: 2 too low.");
  });
});

test("what is being typed stays when only the words change", () => {
  open({ kind: "number" });
  type("7");
  model.receive({ result: { words: [] } });
  expect(find("input").value).toBe("7");
});

test("a refusal shows in the widget, with what to do", () => {
  open({ kind: "number" });
  model.receive({ error: { what: "No guess is committed.", todo: "Commit one." } });
  expect(find("[role=alert]").textContent).toBe("No guess is committed. Commit one.");
});

test("leaves nothing behind", () => {
  open({ kind: "number" });
  expect(model.listening()).toBeGreaterThan(3);
  stop();
  expect(model.listening()).toBe(0);
});

test.each([
  [0, 4, "0"],
  [1234, 4, "1234"],
  [12346, 4, "1.235e+04"],
  [0.00012346, 3, "0.000123"],
  [-0.0000120001, 3, "-1.2e-05"],
  [0.5, 4, "0.5"],
])("%d in %i digits is %s, as Python's g has it", (x, digits, text) => expect(general(x, digits)).toBe(text));

test("a page scores in the sentences of the kernel", () => {
  const number = { kind: "number", unit: "cm" };
  expect(scoreWords(number, 9, 12)).toBe("You said 9 cm, it is 12 cm: 3 cm too low, 25 % of the truth.");
  expect(scoreWords(number, 12, 12)).toBe("You said 12 cm, it is 12 cm: exactly right.");
  expect(scoreWords({ kind: "number", unit: "" }, 1, 0)).toBe("You said 1, it is 0: 1 too high.");
  const share = { kind: "number", unit: "%" };
  expect(scoreWords(share, 20, 83.34)).toBe("You said 20 %, it is 83.34 %: 63.3 percentage points too low.");
  const truth = { order: ["c", "a", "b"], values: [0.7, 0.2, 0.2] };
  const ranking = { kind: "ranking" };
  expect(scoreWords(ranking, ["c", "b", "a"], truth)).toBe("Every pair is in the right order.");
  expect(scoreWords(ranking, ["a", "c", "b"], truth)).toBe("1 of 2 pairs in the wrong order.");
  expect(scoreWords(ranking, ["a", "b", "c"], { ...truth, values: null })).toBe(
    "2 of 3 pairs in the wrong order.",
  );
  const curve = { kind: "curve", x: [0, 1.5, 3], x_label: "k", low: 0, high: 2 };
  expect(scoreWords(curve, [1, 1, 1], [0.5, null, 1.5])).toBe(
    "On average 0.5 away, 25 % of the axis; farthest at k 3, by 0.5.",
  );
});
