// The state of an explorer in a live page, and what each action makes of it: as `Engine.after` in engine.py.

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("../shared/types").Strengths} Strengths */
/** @typedef {{identity: any, strengths: Strengths}} Face strengths that are not neutral; `identity` as in Python */
/** @typedef {{version: number, identity: any, strengths: Strengths, reference: Face | null, snapshots: Record<string, Face>,
 *   model: string, compare: string | null}} State the value of `w.state` */
/** @typedef {{attributes: Attribute[], identities: any[], models: string[]}} Known what the page has */

const SNAPSHOTS = ["A", "B"];

/** @param {Face} face @param {Known} known @returns {Face} */
function checkFace({ identity, strengths }, { attributes, identities }) {
  if (!identities.includes(identity)) throw new Error(`identity ${identity} is not in this page.`);
  /** @type {Strengths} */
  const moved = {};
  for (const [name, value] of Object.entries(strengths)) {
    const attribute = attributes.find((one) => one.name === name);
    if (!attribute) throw new Error(`${name} is not an attribute of this page.`);
    const { low, high, neutral, label } = attribute;
    if (!(value >= low - 1e-9 && value <= high + 1e-9))
      throw new Error(`${label} = ${value} is out of range: it goes from ${low} to ${high}.`);
    if (Math.abs(value - neutral) > 1e-9) moved[name] = value;
  }
  return { identity, strengths: moved };
}

/** A complete state; an Error says what does not fit this page. @param {Partial<State> & Face} given @param {Known} known @returns {State} */
export function checkState(given, known) {
  const { version = 1, reference = null, snapshots = {}, model = null, compare = null } = given;
  if (version !== 1) throw new Error(`the state has version ${version}, this page reads version 1.`);
  const faces = SNAPSHOTS.filter((name) => snapshots?.[name]).map((name) => [
    name,
    checkFace(snapshots[name], known),
  ]);
  for (const name of [model, compare])
    if (name && !known.models.includes(name)) throw new Error(`${name} is not a model of this page.`);
  const first = model ?? known.models[0];
  if (compare === first) throw new Error(`${compare} cannot be compared with itself.`);
  return {
    version,
    ...checkFace(given, known),
    reference: reference && checkFace(reference, known),
    snapshots: Object.fromEntries(faces),
    model: first,
    compare: compare || null,
  };
}

/** @param {State} state @returns {Face} */
export const faceOf = ({ identity, strengths }) => ({ identity, strengths });

/** The face that a state is compared with. @param {State} state @returns {Face} */
export const referenceOf = ({ identity, reference }) => reference ?? { identity, strengths: {} };

/** @param {State} now @param {Record<string, any>} request @param {Known} known @returns {State} */
export function after(now, request, known) {
  /** @type {Record<string, () => Partial<State>>} */
  const changes = {
    set: () => ({ strengths: { ...now.strengths, ...request.values } }),
    identity: () => ({ identity: known.identities[request.place] }),
    models: () => ({ model: request.model, compare: request.compare || null }),
    reset: () => ({ strengths: {}, reference: null }),
    pin: () => ({ reference: faceOf(now) }),
    unpin: () => ({ reference: null }),
    store: () => ({ snapshots: { ...now.snapshots, [request.snapshot]: faceOf(now) } }),
    recall: () => now.snapshots[request.snapshot] ?? {},
    forget: () => ({ snapshots: {} }),
    restore: () => ({ reference: null, snapshots: {}, model: undefined, compare: null, ...request.state }),
  };
  const change = changes[request.action];
  if (!change) throw new Error(`unknown action ${request.action}.`);
  return checkState({ ...now, ...change() }, known);
}
