// The trail on a map: the way of the current face through the embedding space, its tangent, and the reference.

import { createBrush } from "../shared/brush.js";

/** @typedef {import("../shared/map").Scene} Scene */
/** @typedef {ReturnType<typeof createBrush>} Brush */
/** @typedef {[number, number]} Point */
/**
 * @typedef {{x: number, y: number, color: string, shape: string, label: string, name: string, lift?: boolean,
 *   rough?: boolean}} Step `lift`: no line from the previous step; `rough`: of a drag, replaced by the exact step
 */
/** @typedef {{vector: Point, color: string, share: number}} Arrow `share` of its length visible in the plane */

const MOST_STEPS = 600;

/** @param {Step[]} trail @param {Step} step */
export function extend(trail, step) {
  const kept = !step.rough && trail.at(-1)?.rough ? trail.slice(0, -1) : trail;
  const last = kept.at(-1);
  if (last && last.x === step.x && last.y === step.y) return kept;
  const longer = [...kept, step];
  return longer.length > MOST_STEPS ? [longer[0], ...longer.slice(2)] : longer;
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Scene} scene
 * @param {{trail: Step[], reference: Point | null, arrow: Arrow | null, dark: boolean,
 *   names: [Point, string][]}} what `names` of points of the map
 */
export function paintTrail(c, scene, { trail, reference, arrow, dark, names }) {
  const brush = createBrush(c, { ...scene, dark });
  const { view } = scene;
  const to = (/** @type {Point} */ [x, y]) =>
    /** @type {Point} */ ([view.x + x * view.k, view.y - y * view.k]);
  const path = trail.map(({ x, y }) => to([x, y]));
  if (reference) brush.ring(to(reference), 8);
  for (let i = 1; i < path.length; i += 1) {
    if (!trail[i].lift) brush.line(path[i - 1], path[i], trail[i].color);
  }
  const last = path.length - 1;
  const turns = path.map((_, i) => i).filter((i) => i && i < last && trail[i].name !== trail[i + 1].name);
  for (const i of turns) brush.point(path[i], 3.5, trail[i].shape, trail[i].color);
  if (last >= 0) {
    if (arrow) paintArrow(brush, path[last], arrow);
    brush.point(path[last], 6, trail[last].shape, trail[last].color);
    // the present attribute gets its label first, older ones where room is left
    for (const i of [last, ...turns.reverse()]) {
      brush.label(trail[i].label, path[i], i === last ? 17 : 13, trail[i].color);
    }
  }
  if (reference) brush.label("reference", to(reference), 17);
  for (const [point, text] of names) brush.name(text, to(point), 7);
}

/** The tangent: a direction, as long as the share of it that lies in the plane. @param {Brush} brush @param {Point} from @param {Arrow} arrow */
function paintArrow(brush, [x, y], { vector: [vx, vy], color, share }) {
  const length = Math.hypot(vx, vy);
  if (!length) return;
  const [ux, uy] = [vx / length, -vy / length];
  const reach = 16 + 44 * Math.min(share, 1);
  /** @type {Point} */
  const tip = [x + ux * reach, y + uy * reach];
  brush.line([x, y], tip, color);
  for (const side of [-1, 1]) {
    brush.line(tip, [tip[0] - 7 * ux + side * 4.5 * uy, tip[1] - 7 * uy - side * 4.5 * ux], color);
  }
}
