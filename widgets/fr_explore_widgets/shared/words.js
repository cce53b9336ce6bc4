// Numbers and sentences: pure functions.

/** @typedef {import("./types").Attribute} Attribute */

/** One-line explanations of the terms, the same in all widgets. */
export const GLOSSARY = {
  distance: "The distance between the embeddings of the two faces, in all dimensions, not on the map.",
  threshold: "Two faces whose distance is at most the threshold count as the same person.",
  "natural variation":
    "The median distance between two faces of this identity whose attributes all vary at random within the middle half of their ranges.",
  "other people": "The median distance between the neutral faces of two different identities of the gallery.",
  "PCA projection":
    "The two directions in which the gallery's embeddings vary most. All other directions are lost, so the map shows neighbourhoods, not true distances.",
};

const SPOKEN_UNITS = { "°": "degrees", "×": "times", px: "pixels", years: "years" };

/**
 * The step of a slider: the largest power of ten that gives at least 40 steps.
 * @param {Attribute} attribute
 */
export function sliderStep(attribute) {
  const power = Math.floor(Math.log10((attribute.high - attribute.low) / 40) + 1e-9);
  return Number((10 ** power).toPrecision(3));
}

/** Decimal places of a slider's values as shown: at most one, unless the whole range is smaller. @param {Attribute} attribute */
export function digits(attribute) {
  const most = attribute.high - attribute.low < 0.5 ? 3 : 1;
  return Math.min(most, Math.max(0, -Math.floor(Math.log10(sliderStep(attribute)) + 1e-9)));
}

/**
 * A strength as shown beside its slider: "+12°", "47 years", "× 1.10", with a typographic minus sign.
 * @param {Attribute} attribute
 * @param {number} value
 */
export function formatValue(attribute, value) {
  const figure = Math.abs(value).toFixed(digits(attribute));
  const zero = Number(figure) === 0;
  const sign = value < 0 && !zero ? "\u2212" : attribute.low < 0 && !zero ? "+" : "";
  const { unit } = attribute;
  if (unit === "×") return `× ${figure}`;
  if (unit === "°") return `${sign}${figure}°`;
  return `${sign}${figure}${unit ? ` ${unit}` : ""}`;
}

/** The same for a screen reader: "minus 12 degrees". @param {Attribute} attribute @param {number} value */
export function speakValue(attribute, value) {
  const figure = Math.abs(value).toFixed(digits(attribute));
  const sign = value < 0 && Number(figure) !== 0 ? "minus " : "";
  const unit = SPOKEN_UNITS[/** @type {keyof typeof SPOKEN_UNITS} */ (attribute.unit)] ?? attribute.unit;
  const neutral = Math.abs(value - attribute.neutral) < 1e-9 ? ", neutral" : "";
  return `${sign}${figure}${unit ? ` ${unit}` : ""}${neutral}`;
}

/**
 * The strengths that differ from neutral, as words: "age 60 years, hue +6°", or "neutral".
 * @param {Attribute[]} attributes
 * @param {Record<string, number>} strengths
 */
export function describe(attributes, strengths) {
  const moved = attributes.filter((a) => Math.abs((strengths[a.name] ?? a.neutral) - a.neutral) > 1e-9);
  if (!moved.length) return "neutral";
  const words = moved.slice(0, 2).map((a) => `${a.label} ${formatValue(a, strengths[a.name])}`);
  return words.join(", ") + (moved.length > 2 ? ` and ${moved.length - 2} more` : "");
}

/**
 * Whether two embeddings are judged the same person: distance <= threshold, as in base/distance.py; null if either is
 * missing.
 * @template {number | null | undefined} T
 * @param {number | null | undefined} distance @param {T} threshold
 * @returns {T extends number ? boolean : boolean | null}
 */
export function samePerson(distance, threshold) {
  if (!Number.isFinite(distance) || !Number.isFinite(threshold)) return /** @type {any} */ (null);
  return /** @type {any} */ (Number(distance) <= Number(threshold));
}

/**
 * Whether two faces show one person; null if nobody said who they are.
 * @param {(number | null)[] | undefined} people who each identity is; missing: each is another person
 * @param {number} a the place of an identity @param {number} b
 */
export function sameOne(people, a, b) {
  if (a === b) return true;
  if (!people) return false;
  const [one, other] = [people[a] ?? null, people[b] ?? null];
  return one === null || other === null ? null : one === other;
}

/**
 * What the distance means: a headline, and the same in one or two sentences. Where nobody said who is who, only what the model decides.
 * @param {{distance: number, threshold: number | null, natural?: number | null, sameIdentity: boolean | null,
 *   margin?: number}} facts `margin`: the error of a page's own figures, as a share of the distance
 * @returns {{kind: "same" | "different" | "unknown", headline: string, text: string}}
 */
export function verdict({ distance, threshold, natural, sameIdentity, margin = 0 }) {
  if (!Number.isFinite(distance))
    return { kind: "unknown", headline: "No distance yet", text: "No distance yet." };
  if (sameIdentity && distance < 1e-9)
    return {
      kind: "same",
      headline: "The reference face itself",
      text: "This is the reference face itself.",
    };
  const size = natural && sameIdentity ? `; ${inWords(distance / natural)}` : "";
  if (threshold === null) {
    return {
      kind: "unknown",
      headline: "No verdict without a threshold",
      text: `This model's card gives no threshold, so there is no verdict${size}. Calibrate one on your own pairs.`,
    };
  }
  if (margin && Math.abs(distance - threshold) <= margin * distance) {
    const error = `${Number((100 * margin).toPrecision(2))} %`;
    return {
      kind: "unknown",
      headline: "Too close to call here",
      text: `Too close to call here: this page's distances are exact to ${error}, and the threshold is nearer${size}.`,
    };
  }
  const same = samePerson(distance, threshold);
  if (sameIdentity === null) {
    return same
      ? { kind: "same", headline: "Judged the same person", text: "The model judges: the same person." }
      : {
          kind: "different",
          headline: "Judged two different people",
          text: "The model judges: two different people.",
        };
  }
  if (sameIdentity) {
    return same
      ? {
          kind: "same",
          headline: "Still judged the same person",
          text: `Still judged the same person${size}.`,
        }
      : {
          kind: "different",
          headline: "Judged different: a false non-match",
          text: `Judged a different person although it is the same: a false non-match${size}.`,
        };
  }
  return same
    ? {
        kind: "same",
        headline: "A false match: two judged the same",
        text: "Judged the same person although they are two: a false match.",
      }
    : {
        kind: "different",
        headline: "Two people, judged different",
        text: "Judged a different person, correctly.",
      };
}

/** How often the natural variation fits into a distance: "1.9 ×"; "within" up to one. @param {number} ratio */
export function timesNatural(ratio) {
  if (ratio <= 1.05) return "within";
  return `${ratio < 9.95 ? ratio.toFixed(1) : Math.round(ratio)} \u00d7`;
}

/** @param {number} ratio */
function inWords(ratio) {
  const times = timesNatural(ratio);
  return `${times.replace("\u00d7", "times")} the natural variation of this identity`;
}

/**
 * The right end of the meter: a round number beyond the threshold and the shown distances.
 * @param {number | null} threshold @param {number | null | undefined} between @param {number} distance
 */
export function meterEnd(threshold, between, distance) {
  const need = Math.max(1.5 * (threshold ?? 0), 1.2 * (between ?? 0), 1.05 * (distance || 0), 1e-6);
  const power = 10 ** Math.floor(Math.log10(need));
  const m = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * power >= need - 1e-12) ?? 10;
  return Number((m * power).toPrecision(3));
}
