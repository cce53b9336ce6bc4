import { expect, test } from "vitest";
import {
  describe,
  digits,
  formatValue,
  meterEnd,
  sameOne,
  sliderStep,
  speakValue,
  verdict,
} from "../../fr_explore_widgets/shared/words.js";

const angle = { name: "head_angle", label: "head angle", unit: "°", low: -30, high: 30, neutral: 0 };
const age = { name: "age", label: "age", unit: "years", low: 18, high: 75, neutral: 35 };
const gain = { name: "brightness", label: "brightness", unit: "×", low: 0.5, high: 1.5, neutral: 1 };
const noise = { name: "noise", label: "noise", unit: "", low: 0, high: 0.15, neutral: 0 };

test.each([
  [angle, 1, 0],
  [age, 1, 0],
  [gain, 0.01, 1],
  [noise, 0.001, 3],
  [{ ...age, low: 0, high: 40 }, 1, 0],
])("a slider has at least 40 round steps", (attribute, step, places) => {
  expect(sliderStep(attribute)).toBe(step);
  expect(digits(attribute)).toBe(places);
  expect((attribute.high - attribute.low) / step).toBeGreaterThanOrEqual(40);
});

test.each([
  [angle, 12, "+12°", "12 degrees"],
  [angle, -12, "\u221212°", "minus 12 degrees"],
  [angle, 0, "0°", "0 degrees, neutral"],
  [angle, -0.2, "0°", "0 degrees"],
  [age, 47, "47 years", "47 years"],
  [gain, 1.1, "× 1.1", "1.1 times"],
  [noise, 0.0314, "0.031", "0.031"],
])("a value is shown and spoken with its unit", (attribute, value, shown, spoken) => {
  expect(formatValue(attribute, value)).toBe(shown);
  expect(speakValue(attribute, value)).toBe(spoken);
});

test("a description lists the attributes that are not neutral", () => {
  const all = [angle, age, gain];
  expect(describe(all, { head_angle: 0, age: 35, brightness: 1 })).toBe("neutral");
  expect(describe(all, { head_angle: 5, age: 60, brightness: 1 })).toBe("head angle +5°, age 60 years");
  expect(describe(all, { head_angle: 5, age: 60, brightness: 1.2 })).toContain("and 1 more");
  expect(describe(all, {})).toBe("neutral");
});

test.each([
  [{ distance: 0, sameIdentity: true }, "same", "This is the reference face itself."],
  [{ distance: 0.6, sameIdentity: true }, "same", "Still judged the same person."], // exactly at the threshold
  [{ distance: 0.61, sameIdentity: true }, "different", "a false non-match"],
  [{ distance: 0.6, sameIdentity: false }, "same", "a false match"],
  [{ distance: 0.61, sameIdentity: false }, "different", "Judged a different person, correctly."],
  [{ distance: 0.3, sameIdentity: true, natural: 0.1 }, "same", "; 3.0 times the natural variation"],
  [{ distance: 0.09, sameIdentity: true, natural: 0.1 }, "same", "; within the natural variation"],
  [{ distance: 0, sameIdentity: false }, "same", "a false match"],
  [{ distance: 0.6, sameIdentity: null }, "same", "The model judges: the same person."],
  [
    { distance: 0.61, sameIdentity: null, natural: 0.1 },
    "different",
    "The model judges: two different people.",
  ],
  [{ distance: Number.NaN, sameIdentity: true }, "unknown", "No distance yet."],
])("the sentence says what the distance means", (facts, kind, text) => {
  const said = verdict({ threshold: 0.6, ...facts });
  expect(said.kind).toBe(kind);
  expect(said.text).toContain(text);
});

test("who is who: the same place, the same person, or nobody knows", () => {
  expect(sameOne(undefined, 1, 1)).toBe(true);
  expect(sameOne(undefined, 0, 1)).toBe(false);
  const people = [0, 0, 1, null];
  expect(sameOne(people, 0, 1)).toBe(true);
  expect(sameOne(people, 1, 2)).toBe(false);
  expect(sameOne(people, 3, 3)).toBe(true);
  expect(sameOne(people, 0, 3)).toBe(null);
});

test("without a threshold there is no verdict", () => {
  const said = verdict({ distance: 0.2, threshold: null, natural: 0.1, sameIdentity: true });
  expect(said.kind).toBe("unknown");
  expect(said.text).toContain("Calibrate");
});

test.each([
  [0.6, 0.5, 0.1, 1],
  [0.6, 0.9, 0.1, 1.2],
  [null, 0.5, 0.1, 0.6],
  [0.6, null, 1.9, 2],
])("the meter ends on a round number beyond all that it shows", (threshold, between, distance, end) => {
  expect(meterEnd(threshold, between, distance)).toBe(end);
  expect(end).toBeGreaterThan(Math.max(threshold ?? 0, between ?? 0, distance));
});
