// The trail on a map: the way of the current face through the embedding space, its tangent, and the reference.

import { createBrush } from "../shared/brush.js";

/** @typedef {import("../shared/map").Scene} Scene */
/** @typedef {ReturnType<typeof createBrush>} Brush */
/** @typedef {[number, number]} Point */
/**
 * @typedef {{x: number, y: number, color: string, shape: string, label: string, name: string, lift?: boolean,
 *   rough?: boolean}} Step `lift`: no line from the previous step; `rough`: of a drag, replaced by the exact step
 */
/** @typedef {{at: Point, who: number, name: string, picture: CanvasImageSource | null}} Person a neutral face */
/** @typedef {{vector: Point, color: string, share: number}} Arrow `share` of its length visible in the plane */

export const MOST_STEPS = 600;

/** @param {Step[]} trail @param {Step} step */
export function extend(trail, step) {
  const kept = !step.rough && trail.at(-1)?.rough ? trail.slice(0, -1) : trail;
  const last = kept.at(-1);
  if (last && last.x === step.x && last.y === step.y) return kept;
  const longer = [...kept, step];
  return longer.length > MOST_STEPS ? [longer[0], ...longer.slice(2)] : longer;
}

/**
 * What stays while a slider is dragged: the people, the reference, the path so far, and their labels. Returns the boxes
 * on which `paintNow` writes nothing.
 * @param {CanvasRenderingContext2D} c
 * @param {Scene} scene
 * @param {{trail: Step[], reference: Point | null, dark: boolean, people: Person[], names: Set<number>}} what `names`: the
 *   people to be named
 */
export function paintTrail(c, scene, { trail, reference, dark, people, names }) {
  const brush = createBrush(c, { ...scene, dark });
  const size = faceSize(scene.width);
  const gap = size / 2 + 12;
  const path = onCanvas(scene, trail);
  const pin = reference && at(scene, reference);
  for (const person of people) brush.face(person.picture, at(scene, person.at), size);
  if (pin) brush.ring(pin, size / 2 + 2);
  paintLines(brush, trail, path, 1);
  const last = path.length - 1;
  const turns = path.map((_, i) => i).filter((i) => i && i < last && trail[i].name !== trail[i + 1].name);
  for (const i of turns) brush.point(path[i], 3.5, trail[i].shape, trail[i].color);
  // the present attribute gets its label first, older ones and names where room is left
  const kept = brush.taken.length;
  if (hasMoved(path, pin)) {
    brush.face(null, path[last], size - 4);
    brush.reserve(trail[last].label, path[last], gap + 2);
  }
  const held = brush.taken.length - kept;
  if (pin) brush.label("reference", pin, gap);
  for (const { at: point, who, name } of people) {
    if (names.has(who) && !(reference && same(point, reference)))
      brush.label(name, at(scene, point), gap - 1, "", "400 12px");
  }
  for (const i of turns.reverse()) brush.label(trail[i].label, path[i], 13, trail[i].color);
  brush.taken.splice(kept, held);
  return brush.taken;
}

/**
 * The face in hand at the end of the trail, and the steps that `paintTrail` has not painted.
 * @param {CanvasRenderingContext2D} c
 * @param {Scene} scene
 * @param {{trail: Step[], from: number, taken: number[][], reference: Point | null, arrow: Arrow | null, dark: boolean,
 *   live: CanvasImageSource | null}} what `from`: the first of these steps; `live`: the face in hand
 */
export function paintNow(c, scene, { trail, from, taken, reference, arrow, dark, live }) {
  const path = onCanvas(scene, trail);
  const last = path.length - 1;
  if (!hasMoved(path, reference && at(scene, reference))) return;
  const brush = createBrush(c, { ...scene, dark }, [...taken]);
  const size = faceSize(scene.width);
  paintLines(brush, trail, path, Math.max(from, 1));
  if (arrow) paintArrow(brush, path[last], arrow, size / 2);
  if (live) brush.face(live, path[last], size - 4, trail[last].color);
  else brush.point(path[last], 6, trail[last].shape, trail[last].color);
  brush.label(trail[last].label, path[last], size / 2 + 14, trail[last].color);
}

/** @param {Scene} scene @param {Point} point @returns {Point} */
const at = ({ view }, [x, y]) => [view.x + x * view.k, view.y - y * view.k];

/** @param {Scene} scene @param {Step[]} trail */
const onCanvas = (scene, trail) => trail.map(({ x, y }) => at(scene, [x, y]));

/** Whether the face in hand is away from the reference. @param {Point[]} path @param {Point | null} pin */
function hasMoved(path, pin) {
  return (
    path.length > 1 || Boolean(pin && path.length && Math.hypot(path[0][0] - pin[0], path[0][1] - pin[1]) > 1)
  );
}

/** @param {Brush} brush @param {Step[]} trail @param {Point[]} path @param {number} from the first step with its line */
function paintLines(brush, trail, path, from) {
  for (let i = from; i < path.length; i += 1) {
    if (!trail[i].lift) brush.line(path[i - 1], path[i], trail[i].color);
  }
}

/** Small faces, smaller still on a small map. @param {number} width */
export function faceSize(width) {
  return width < 240 ? 18 : 24;
}

/** @param {Point} a @param {Point} b */
const same = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-4;

/** The tangent: a direction, as long as the share of it that lies in the plane. @param {Brush} brush @param {Point} from @param {Arrow} arrow @param {number} start of the shaft, from the point */
function paintArrow(brush, [x, y], { vector: [vx, vy], color, share }, start) {
  const length = Math.hypot(vx, vy);
  if (!length) return;
  const [ux, uy] = [vx / length, -vy / length];
  const reach = start + 14 + 30 * Math.min(share, 1);
  /** @type {Point} */
  const tip = [x + ux * reach, y + uy * reach];
  brush.line([x, y], tip, color);
  for (const side of [-1, 1]) {
    brush.line(tip, [tip[0] - 7 * ux + side * 4.5 * uy, tip[1] - 7 * uy - side * 4.5 * ux], color);
  }
}
