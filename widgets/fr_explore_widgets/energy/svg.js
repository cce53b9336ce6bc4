// Arrows.

import { s } from "../shared/svg.js";

/** An arrow of length 22 along x, around the origin. */
export function arrow() {
  return s(
    "g",
    { class: "fr-shaft" },
    s("path", { d: "M-11 0H5", class: "fr-line" }),
    s("path", { d: "M11 0L3.2 3.8V-3.8Z", class: "fr-tip-fill" }),
  );
}

/**
 * A small picture of arrows on their points, for a button.
 * @param {[number, number][]} points from -1 to 1
 * @param {ArrayLike<number>[]} units
 */
export function thumbnail(points, units) {
  const picture = s("svg", { viewBox: "-50 -50 100 100", "aria-hidden": "true", class: "fr-thumb" });
  points.forEach(([x, y], i) => {
    const turn = (-Math.atan2(units[i][1], units[i][0]) * 180) / Math.PI;
    const one = arrow();
    one.setAttribute("transform", `translate(${44 * x} ${-44 * y}) rotate(${turn})`);
    picture.append(one);
  });
  return picture;
}
