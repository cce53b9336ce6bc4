// The guess of a number; after the reveal, guess and truth on one line.

import { h, uid } from "../shared/dom.js";
import { linear, short } from "../shared/plot.js";
import { createSlider } from "../shared/slider.js";
import { circle, line, s, text } from "../shared/svg.js";

/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").Input} Input */

const WIDTH = 320;
const EDGE = 52;
const END = 12; // from the line's end to its number
const LETTER = 4; // half of a letter's width

/**
 * The ends of a line for all numbers: the range of the guess, or else the numbers with a margin.
 * @param {number[]} numbers
 * @param {number | null} low
 * @param {number | null} high
 * @returns {[number, number]}
 */
export function span(numbers, low, high) {
  const least = Math.min(...numbers, low ?? Number.POSITIVE_INFINITY);
  const most = Math.max(...numbers, high ?? Number.NEGATIVE_INFINITY);
  const room = most > least ? 0.15 * (most - least) : Math.abs(most) || 1;
  return [
    low === null || least < low ? least - room : low,
    high === null || most > high ? most + room : high,
  ];
}

/** @param {Setup} setup @param {() => void} changed @returns {Input} */
export function createNumber(setup, changed) {
  const { low, high, unit } = setup;
  const id = uid("guess");
  const box = h("input", {
    type: "number",
    id,
    step: "any",
    class: "fr-number fr-text",
    inputmode: "decimal",
  });
  if (low !== null) box.min = String(low);
  if (high !== null) box.max = String(high);
  const entry = h("p", { class: "fr-row" }, h("label", { for: id, text: "Your guess" }), box);
  if (unit) entry.append(h("span", { text: unit }));
  const picture = s("svg", { class: "fr-plot fr-line-picture", viewBox: `0 0 ${WIDTH} 72`, role: "img" });
  const root = h("div", {}, entry);
  /** @type {ReturnType<typeof createSlider> | null} */
  let slider = null;
  if (low !== null && high !== null) {
    const step = Number((10 ** Math.floor(Math.log10((high - low) / 100))).toPrecision(3));
    const words = (/** @type {number} */ x) => short(x, 4);
    const spec = { name: "guess", label: "Your guess", low, high, step, help: "", show: words, speak: words };
    slider = createSlider(spec, (_, x) => {
      box.value = String(x);
      changed();
    });
    slider.row.firstElementChild?.setAttribute("class", "fr-hidden"); // the box shows its value
    slider.row.append(
      h("p", { class: "fr-ends fr-sub" }, h("span", { text: words(low) }), h("span", { text: words(high) })),
    );
    root.append(slider.row);
  }
  root.append(picture);
  box.addEventListener("input", () => {
    follow();
    changed();
  });
  follow();

  /** Move the slider to the number in the box. */
  function follow() {
    slider?.set(box.value === "" ? Number(low) : box.valueAsNumber);
  }

  /** @param {number | null} guess null if it was skipped @param {number} truth */
  function draw(guess, truth) {
    const [from, to] = span(guess === null ? [truth] : [guess, truth], low, high);
    const x = linear(from, to, EDGE, WIDTH - EDGE);
    const b = x(truth);
    const is = `truth ${short(truth, 4)} ${unit}`.trim();
    const parts = [
      line([EDGE, 36], [WIDTH - EDGE, 36], "fr-rule"),
      s("path", { d: `M${b} 28l8 8l-8 8l-8 -8z`, class: "fr-dot" }),
      text(
        Math.min(Math.max(b, LETTER * is.length), WIDTH - LETTER * is.length),
        62,
        is,
        "middle",
        "fr-key-text",
      ),
    ];
    // where the range was not given, the ends of the line are only a margin
    if (low !== null) parts.push(text(EDGE - END, 40, short(from, 3), "end", "fr-soft"));
    if (high !== null) parts.push(text(WIDTH - EDGE + END, 40, short(to, 3), "start", "fr-soft"));
    let words = is;
    if (guess !== null) {
      const a = x(guess);
      parts.splice(1, 0, line([a, 36], [b, 36], "fr-pen fr-guess fr-gap"));
      parts.splice(2, 0, circle(a, 36, 6, "fr-pen fr-guess fr-guess-mark"));
      parts.push(text(a, 20, `guess ${short(guess, 4)}`, "middle", "fr-key-text fr-guess"));
      words = `Guess ${short(guess, 4)}, ${words}`;
    }
    picture.replaceChildren(...parts);
    picture.setAttribute("aria-label", words);
  }

  return {
    root,
    value: () => (box.value !== "" && box.checkValidity() ? box.valueAsNumber : null),
    set(guess) {
      box.value = guess === null ? "" : String(guess);
      follow();
    },
    lock(locked) {
      box.disabled = locked;
      slider?.disable(locked);
    },
    reveal(guess, truth) {
      picture.style.display = truth === null ? "none" : "";
      if (slider) slider.row.hidden = truth !== null;
      if (truth !== null) draw(guess, truth);
    },
  };
}
