// The class's guesses: the lecturer pastes the students' codes, and sees all guesses together before the reveal.

import { div, h } from "../shared/dom.js";
import { axisBelow, axisLeft, linear, linePath, short, ticks } from "../shared/plot.js";
import { line, s, text } from "../shared/svg.js";
import { readCodes } from "./codes.js";

/** @typedef {import("./types").Setup} Setup */

const [WIDTH, HEIGHT] = [400, 150];
const FRAME = { width: WIDTH, height: HEIGHT, left: 36, right: 12, top: 18, bottom: 40 };
const BINS = 20;

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How many values are in each of `bins` equal parts of a range; its upper end belongs to the last. @param {number[]} values @param {number} low @param {number} high @param {number} [bins] */
export function histogram(values, low, high, bins = BINS) {
  const counts = Array(bins).fill(0);
  for (const v of values) {
    const at = Math.floor(((v - low) / (high - low || 1)) * bins);
    counts[Math.min(Math.max(at, 0), bins - 1)] += 1;
  }
  return counts;
}

/** For each option, how many orders have it at each place. @param {string[]} options @param {string[][]} orders */
export function places(options, orders) {
  return options.map((name) => options.map((_, i) => orders.filter((order) => order[i] === name).length));
}

/** @param {string} words @param {Node[]} parts */
function plot(words, parts) {
  const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "fr-plot fr-class-picture", role: "img" };
  return s("svg", { ...box, "aria-label": words }, ...parts);
}

/** @param {Setup} setup @param {number[]} guesses @param {number | null} truth */
function ofNumbers(setup, guesses, truth) {
  const low = setup.low ?? Math.min(...guesses);
  const high = setup.high ?? Math.max(...guesses);
  const counts = histogram(guesses, low, high);
  const most = Math.max(...counts);
  const x = linear(low, high, FRAME.left, WIDTH - FRAME.right);
  const y = linear(0, most, HEIGHT - FRAME.bottom, FRAME.top);
  const wide = (WIDTH - FRAME.left - FRAME.right) / BINS;
  const bars = counts.map((count, i) => {
    const place = { x: FRAME.left + i * wide + 0.5, y: y(count), width: wide - 1, height: y(0) - y(count) };
    return s("rect", { ...place, class: "fr-dot fr-guess" });
  });
  const marks = truth === null ? [] : [...markOf(x(truth), `truth ${short(truth, 4)}`)];
  const words = `median ${short(median(guesses), 4)} ${setup.unit}`.trim();
  const axes = [
    axisLeft(FRAME, y, [...new Set([0, most])], String),
    axisBelow(FRAME, x, ticks(low, high, 5), setup.unit),
  ];
  return { words, node: plot(`Histogram of the guesses: ${words}`, [...axes, ...bars, ...marks]) };
}

/** @param {number} x @param {string} words */
function markOf(x, words) {
  const end = x > WIDTH / 2 ? "end" : "start";
  return [line([x, 4], [x, HEIGHT - FRAME.bottom], "fr-pen"), text(x, 14, words, end, "fr-key-text")];
}

/** @param {Setup} setup @param {string[][]} guesses */
function ofRankings({ options, labels }, guesses) {
  const counts = places(options, guesses);
  const mean = counts.map((row) => row.reduce((sum, n, i) => sum + n * (i + 1), 0) / guesses.length);
  const order = options.map((_, i) => i).sort((a, b) => mean[a] - mean[b]);
  const cell = (/** @type {number} */ n) => {
    const node = h("td", { text: n || "" });
    node.style.setProperty("--share", `${Math.round((60 * n) / guesses.length)}%`);
    return node;
  };
  const head = h("tr", {}, h("td"), ...options.map((_, i) => h("th", { scope: "col", text: i + 1 })));
  const rows = order.map((i) =>
    h("tr", {}, h("th", { scope: "row", text: labels[i] }), ...counts[i].map(cell)),
  );
  const table = h(
    "table",
    { class: "fr-places" },
    h("caption", { text: "How many put it at each place" }),
    head,
    ...rows,
  );
  return { words: `${labels[order[0]]} has the highest mean place`, node: table };
}

/** @param {Setup} setup @param {string[]} guesses */
function ofChoices({ options, labels }, guesses) {
  const counts = options.map((name) => guesses.filter((guess) => guess === name).length);
  const most = Math.max(...counts);
  const rows = options.map((_, i) => {
    const bar = h("td", { class: "fr-bar", text: counts[i] || "" });
    bar.style.setProperty("--share", `${(100 * counts[i]) / most}%`);
    return h("tr", {}, h("th", { scope: "row", text: labels[i] }), bar);
  });
  const words = `most chose ${labels[counts.indexOf(most)]}`;
  return { words, node: h("table", { class: "fr-places fr-counts" }, ...rows) };
}

/** @param {Setup} setup @param {number[][]} guesses @param {(number | null)[] | null} truth */
function ofCurves(setup, guesses, truth) {
  const [low, high] = [Number(setup.low), Number(setup.high)];
  const x = linear(setup.x[0], setup.x[setup.x.length - 1], FRAME.left, WIDTH - FRAME.right);
  const y = linear(low, high, HEIGHT - FRAME.bottom, FRAME.top);
  const path = (/** @type {(number | null)[]} */ values, /** @type {string} */ name) =>
    s("path", { d: linePath(setup.x, values, x, y), class: `fr-pen ${name}` });
  const middle = setup.x.map((_, i) => median(guesses.map((curve) => curve[i])));
  const parts = [
    axisLeft(FRAME, y, ticks(low, high, 3), (v) => short(v)),
    axisBelow(FRAME, x, ticks(setup.x[0], setup.x[setup.x.length - 1], 5), setup.x_label),
    ...guesses.map((curve) => path(curve, "fr-guess fr-thin fr-faint")),
    path(middle, "fr-guess"),
    ...(truth ? [path(truth, "fr-truth-line")] : []),
  ];
  const words = `the thick line is their median${truth ? ", the line in the colour of the text the truth" : ""}`;
  return { words, node: plot(`The guessed curves; ${words}`, parts) };
}

const KINDS = { number: ofNumbers, choice: ofChoices, ranking: ofRankings, curve: ofCurves };

/** @param {Setup} setup */
export function createClass(setup) {
  const area = h("textarea", {
    class: "fr-text fr-codes",
    rows: 2,
    placeholder: "Paste the students' codes: a chat or a list will do",
    "aria-label": "The students' codes",
    "data-lm-suppress-shortcuts": "true",
    oninput: () => show(truth),
  });
  const said = h("p", { class: "fr-sub", role: "status" });
  const figure = div("fr-class-figure");
  const summary = h("summary", { text: "The class's guesses", "data-lm-suppress-shortcuts": "true" });
  /** @type {any} */
  let truth = null;

  /** Draw the guesses again; with the truth once it is revealed. @param {any} now */
  function show(now) {
    truth = now;
    const { guesses, unread } = readCodes(setup, area.value);
    const drawn = guesses.length ? KINDS[setup.kind](setup, guesses, truth) : null;
    const count = `${guesses.length} ${guesses.length === 1 ? "guess" : "guesses"}`;
    said.textContent = [drawn && `${count}: ${drawn.words}`, ...unread].filter(Boolean).join("; ");
    figure.replaceChildren(...(drawn ? [drawn.node] : []));
  }

  return { root: h("details", { class: "fr-class" }, summary, area, said, figure), show };
}
