// The score of a guess in words, for a page without a kernel: the same sentences as in kinds.py.

/** @typedef {import("./types").Setup} Setup */

/** A number with `digits` significant digits, formatted as by Python's "g". @param {number} x @param {number} digits */
export function general(x, digits) {
  if (x === 0) return "0";
  const [mantissa, power] = x.toExponential(digits - 1).split("e");
  const p = Number(power);
  if (p >= -4 && p < digits) return String(Number(x.toPrecision(digits)));
  return `${Number(mantissa)}e${p < 0 ? "-" : "+"}${String(Math.abs(p)).padStart(2, "0")}`;
}

/** @param {string} unit @param {number} guess @param {number} truth */
function ofNumber(unit, guess, truth) {
  const own = unit ? ` ${unit}` : "";
  const error = Math.abs(guess - truth);
  const start = `You said ${general(guess, 4)}${own}, it is ${general(truth, 4)}${own}`;
  if (error <= 1e-9 * Math.max(Math.abs(truth), 1e-300)) return `${start}: exactly right.`;
  const way = `too ${guess > truth ? "high" : "low"}`;
  // a relative error in per cent would be ambiguous
  if (unit === "%") return `${start}: ${general(error, 3)} percentage points ${way}.`;
  const share = truth ? `, ${((100 * error) / Math.abs(truth)).toFixed(0)} % of the truth` : "";
  return `${start}: ${general(error, 3)}${own} ${way}${share}.`;
}

/** @param {string[]} guess @param {{order: string[], values: number[] | null}} truth */
function ofRanking(guess, { order, values }) {
  const place = order.map((name) => guess.indexOf(name));
  let swaps = 0;
  let pairs = 0;
  for (let j = 1; j < order.length; j += 1) {
    for (let i = 0; i < j; i += 1) {
      if (values && values[i] === values[j]) continue; // tied in the truth
      pairs += 1;
      swaps += Number(place[i] > place[j]);
    }
  }
  if (!swaps) return "Every pair is in the right order.";
  return `${swaps} of ${pairs} ${pairs === 1 ? "pair" : "pairs"} in the wrong order.`;
}

/** @param {Setup} setup @param {number[]} guess @param {(number | null)[]} truth */
function ofCurve({ x, x_label, low, high }, guess, truth) {
  let [sum, count, largest, at] = [0, 0, -1, 0];
  guess.forEach((value, i) => {
    const wanted = truth[i];
    if (wanted === null) return;
    const gap = Math.abs(value - wanted);
    sum += gap;
    count += 1;
    if (gap >= largest) [largest, at] = [gap, x[i]];
  });
  const mean = sum / count;
  const span = ((100 * mean) / ((high ?? 1) - (low ?? 0))).toFixed(0);
  const text = `On average ${general(mean, 3)} away, ${span} % of the axis`;
  return `${text}; farthest at ${x_label} ${general(at, 6)}, by ${general(largest, 3)}.`;
}

/** @param {Setup} setup @param {any} guess @param {any} truth */
export function scoreWords(setup, guess, truth) {
  if (setup.kind === "choice") {
    const [chosen, right] = [guess, truth].map((name) => setup.labels[setup.options.indexOf(name)]);
    return guess === truth ? `Right: ${right}.` : `You chose ${chosen}; it is ${right}.`;
  }
  if (setup.kind === "number") return ofNumber(setup.unit, guess, truth);
  return setup.kind === "ranking" ? ofRanking(guess, truth) : ofCurve(setup, guess, truth);
}
