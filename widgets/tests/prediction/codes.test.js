// @vitest-environment jsdom
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createClass, histogram, median, places } from "../../fr_explore_widgets/prediction/class.js";
import { codeOf, guessOf, readCodes } from "../../fr_explore_widgets/prediction/codes.js";

// the same rows are checked against codes.py
const ROWS = JSON.parse(readFileSync("tests/prediction/codes.json", "utf8"));
const NUMBER = ROWS[0].setup;
const RANKING = ROWS.find(({ setup }) => setup.kind === "ranking").setup;
const CURVE = ROWS.find(({ setup }) => setup.kind === "curve").setup;

describe("a code", () => {
  test.each(ROWS)("of $guess is $code", ({ setup, guess, code, read }) => {
    expect(codeOf(setup, guess)).toBe(code);
    expect(guessOf(setup, code)).toEqual({ guess: read });
    expect(guessOf(setup, code.toLowerCase().replace(/-/g, ""))).toEqual({ guess: read });
  });

  test("with one wrong digit, or two exchanged, is refused", () => {
    const code = codeOf(NUMBER, 0.25).replace("-", "");
    for (let i = 0; i < code.length; i += 1) {
      for (const digit of "0123456789ABCDEFGHJKMNPQRSTVWXYZ") {
        if (digit === code[i]) continue;
        expect(guessOf(NUMBER, code.slice(0, i) + digit + code.slice(i + 1))).toEqual({
          problem: "a typing error",
        });
      }
      if (i && code[i] !== code[i - 1]) {
        const exchanged = code.slice(0, i - 1) + code[i] + code[i - 1] + code.slice(i + 1);
        expect(guessOf(NUMBER, exchanged)).toEqual({ problem: "a typing error" });
      }
    }
  });

  test("of another question is refused", () => {
    const other = { ...NUMBER, question: "How far, then?" };
    expect(guessOf(NUMBER, codeOf(other, 0.25))).toEqual({ problem: "of another question" });
    expect(guessOf(NUMBER, "7")).toEqual({ problem: "not a code" });
  });

  test("is found in a chat", () => {
    const [a, b] = [codeOf(NUMBER, 0.25), codeOf(NUMBER, 4)];
    const wrong = `${a.slice(0, -1)}${a.endsWith("2") ? "3" : "2"}`;
    const text = `Ann (10:32): ${a}\nBen: it is ${b.toLowerCase()}, surprise!\nCleo ${wrong} well-done`;
    expect(readCodes(NUMBER, text)).toEqual({ guesses: [0.25, 4], unread: [`${wrong}: a typing error`] });
  });
});

describe("the class's guesses", () => {
  test("are counted", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1])).toBe(2.5);
    expect(histogram([0, 0.1, 0.5, 1, 2], 0, 1, 4)).toEqual([2, 0, 1, 2]);
    expect(
      places(
        ["a", "b"],
        [
          ["a", "b"],
          ["a", "b"],
          ["b", "a"],
        ],
      ),
    ).toEqual([
      [2, 1],
      [1, 2],
    ]);
  });

  const paste = (setup, guesses, truth = null) => {
    const group = createClass(setup);
    const area = group.root.querySelector("textarea");
    area.value = guesses.map((guess) => codeOf(setup, guess)).join(" ");
    area.dispatchEvent(new Event("input"));
    group.show(truth);
    return group.root;
  };

  test("are drawn with the truth only once it is revealed", () => {
    const before = paste(NUMBER, [0, 250_000, 1_000_000]);
    expect(before.querySelector("[role=status]").textContent).toBe("3 guesses: median 250000 %");
    expect(before.querySelectorAll("rect").length).toBe(20);
    expect(before.textContent).not.toContain("truth");
    expect(paste(NUMBER, [0, 250_000], 77).textContent).toContain("truth 77");
  });

  test("of rankings are a table of places", () => {
    const root = paste(RANKING, [
      ["hue", "age", "contrast", "my own"],
      ["hue", "contrast", "age", "my own"],
    ]);
    const rows = [...root.querySelectorAll("tr")].map((row) => [...row.children].map((c) => c.textContent));
    expect(rows[1]).toEqual(["hue", "2", "", "", ""]);
    expect(rows[4]).toEqual(["my own", "", "", "", "2"]);
    expect(root.textContent).toContain("hue has the highest mean place");
  });

  test("of choices are counted for each option", () => {
    const choice = { ...RANKING, kind: "choice" };
    const root = paste(choice, ["hue", "age", "hue"]);
    const rows = [...root.querySelectorAll("tr")].map((row) => row.textContent);
    expect(rows).toEqual(["age1", "hue2", "contrast", "my own"]);
    expect(root.textContent).toContain("3 guesses: most chose hue");
  });

  test("of curves are lines with their median", () => {
    const root = paste(CURVE, [
      [-1, 0, 1, 2],
      [3, 3, 3, 3],
    ]);
    expect(root.querySelectorAll("path.fr-guess").length).toBe(3);
    expect(root.querySelector("svg").getAttribute("aria-label")).toContain("median");
  });
});
