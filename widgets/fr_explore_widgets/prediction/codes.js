// The class's guesses: a committed guess as a short code, as codes.py does it, and the guesses in a text full of codes.

import { general } from "./score.js";

/** @typedef {import("./types").Setup} Setup */

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PRIME = 1021n;
const STEPS = 31;
const [SMALLEST, LARGEST] = [-16, 15];

/** @param {string} code */
const digitsOf = (code) => code.toUpperCase().replace(/-/g, "").replace(/[IL]/g, "1").replace(/O/g, "0");

/** Ten bits of the FNV-1a hash of what makes the question. @param {Setup} setup */
function tagOf({ question, kind, unit, options, low, high, x }) {
  const ends = x?.length ? [x[0], x[x.length - 1]] : [];
  const numbers = [low, high, ...ends].map((v) => (v === null || v === undefined ? "" : general(v, 6)));
  const parts = [question, kind, unit ?? "", ...(options ?? []), ...numbers];
  let found = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(parts.join("\n"))) {
    found = Math.imul(found ^ byte, 0x01000193) >>> 0;
  }
  return BigInt(found >>> 22);
}

/** Digits for the guess. @param {Setup} setup */
function widthOf({ kind, options, x }) {
  if (kind === "curve") return x.length;
  if (kind === "number") return 4;
  const orders = options.reduce((product, _, i) => product * BigInt(i + 1), 1n);
  const largest = (kind === "choice" ? BigInt(options.length) : orders) - 1n;
  return Math.max(1, Math.ceil(largest.toString(2).length / 5));
}

/** A power of ten and four digits. @param {number} value */
function ofDecimal(value) {
  if (Math.abs(value) < 10 ** SMALLEST) return 10_000 - SMALLEST * 20_000;
  const [digits, exponent] = Math.abs(value).toExponential(3).split("e");
  let mantissa = Math.round(1000 * Number(digits));
  let power = Number(exponent);
  if (power > LARGEST) [mantissa, power] = [9999, LARGEST];
  return (power - SMALLEST) * 20_000 + 10_000 + (value > 0 ? mantissa : -mantissa);
}

/** @param {Setup} setup @param {any} guess */
function numberOf({ kind, options, low, high }, guess) {
  if (kind === "number") return BigInt(ofDecimal(guess));
  if (kind === "choice") return BigInt(options.indexOf(guess));
  let number = 0n;
  if (kind === "curve") {
    const [from, span] = [Number(low), Number(high) - Number(low)];
    for (const v of guess) number = number * 32n + BigInt(Math.floor((STEPS * (v - from)) / span + 0.5));
    return number;
  }
  const left = [...options];
  for (const name of guess) {
    number = number * BigInt(left.length) + BigInt(left.indexOf(name));
    left.splice(left.indexOf(name), 1);
  }
  return number;
}

/** The code of a guess, in groups of four digits. @param {Setup} setup @param {any} guess */
export function codeOf(setup, guess) {
  const width = widthOf(setup);
  let number = ((tagOf(setup) << BigInt(5 * width)) + numberOf(setup, guess)) << 10n;
  number += (PRIME + 1n - (number % PRIME)) % PRIME;
  let text = "";
  for (let i = 0; i < width + 4; i += 1) {
    text = DIGITS[Number(number & 31n)] + text;
    number >>= 5n;
  }
  return text.replace(/(....)(?=.)/g, "$1-");
}

/**
 * The guess in a code, or why there is none.
 * @param {Setup} setup @param {string} code @returns {{guess: any} | {problem: string}}
 */
export function guessOf(setup, code) {
  const [digits, width] = [digitsOf(code), widthOf(setup)];
  if (digits.length !== width + 4 || [...digits].some((digit) => !DIGITS.includes(digit)))
    return { problem: "not a code" };
  let number = 0n;
  for (const digit of digits) number = number * 32n + BigInt(DIGITS.indexOf(digit));
  if (number % PRIME !== 1n) return { problem: "a typing error" };
  number >>= 10n;
  if (number >> BigInt(5 * width) !== tagOf(setup)) return { problem: "of another question" };
  let rest = number & ((1n << BigInt(5 * width)) - 1n);
  if (setup.kind === "number") {
    const value = Number(rest);
    return { guess: Number(`${(value % 20_000) - 10_000}e${Math.floor(value / 20_000) + SMALLEST - 3}`) };
  }
  if (setup.kind === "curve") {
    const [low, high] = [Number(setup.low), Number(setup.high)];
    const step = (/** @type {number} */ i) => Number((rest >> BigInt(5 * (width - 1 - i))) & 31n);
    return { guess: setup.x.map((_, i) => low + ((high - low) * step(i)) / STEPS) };
  }
  if (setup.kind === "choice") {
    const guess = setup.options[Number(rest)];
    return guess === undefined ? { problem: "of another question" } : { guess };
  }
  const [left, places] = [[...setup.options], /** @type {number[]} */ ([])];
  for (let count = 1n; count <= BigInt(left.length); count += 1n) {
    places.unshift(Number(rest % count));
    rest /= count;
  }
  if (rest) return { problem: "of another question" };
  return { guess: places.map((place) => left.splice(place, 1)[0]) };
}

/**
 * All guesses in a text, such as the messages of a chat, and the codes that could not be read; other words are skipped.
 * @param {Setup} setup
 * @param {string} text
 */
export function readCodes(setup, text) {
  const whole = widthOf(setup) + 4;
  const form = Array.from({ length: Math.ceil(whole / 4) }, (_, i) => Math.min(4, whole - 4 * i)).join();
  const guesses = [];
  const unread = [];
  for (const word of text.match(/[A-Za-z0-9-]+/g) ?? []) {
    if (digitsOf(word).length !== whole) continue;
    const found = guessOf(setup, word);
    const groups = word.split("-").map((part) => part.length);
    const likely = /\d/.test(word) || (groups.join() === form && word === word.toUpperCase());
    if ("guess" in found) guesses.push(found.guess);
    else if (likely) unread.push(`${word}: ${found.problem}`); // any other word of this length is just a word
  }
  return { guesses, unread };
}
