// SVG elements.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** Text at a point; `anchor` is the end of it that lies there. @param {number} x @param {number} y @param {string} words @param {string} [anchor] @param {string} [name] its class */
export function text(x, y, words, anchor = "start", name = "") {
  return s("text", { x, y, "text-anchor": anchor, class: name }, words);
}

/** @param {[number, number]} from @param {[number, number]} to @param {string} name its class */
export function line([x1, y1], [x2, y2], name) {
  return s("line", { x1, y1, x2, y2, class: name });
}

/** @param {number} cx @param {number} cy @param {number} r @param {string} name its class */
export function circle(cx, cy, r, name) {
  return s("circle", { cx, cy, r, class: name });
}
