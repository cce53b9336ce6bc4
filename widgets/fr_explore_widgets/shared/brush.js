// Drawing on a canvas: marks, lines, and labels that do not overlap.

/** @type {Record<string, number[][]>} corners of the marks, in units of their radius */
const CORNERS = Object.fromEntries(
  Object.entries({
    square: "-1,-1 1,-1 1,1 -1,1",
    diamond: "0,-1.3 1.3,0 0,1.3 -1.3,0",
    "triangle-up": "0,-1.3 1.2,0.9 -1.2,0.9",
    "triangle-down": "0,1.3 1.2,-0.9 -1.2,-0.9",
    "triangle-left": "-1.3,0 0.9,-1.2 0.9,1.2",
    "triangle-right": "1.3,0 -0.9,-1.2 -0.9,1.2",
    cross:
      "-1.2,-0.4 -0.4,-0.4 -0.4,-1.2 0.4,-1.2 0.4,-0.4 1.2,-0.4 1.2,0.4 0.4,0.4 0.4,1.2 -0.4,1.2 -0.4,0.4 -1.2,0.4",
  }).map(([shape, text]) => [shape, text.split(" ").map((pair) => pair.split(",").map(Number))]),
);

/** The corners of a mark as an SVG polygon takes them, around the origin; empty for a circle. @param {string} shape @param {number} r */
export function cornersOf(shape, r) {
  return (CORNERS[shape] ?? []).map((corner) => corner.map((value) => value * r).join(",")).join(" ");
}

/**
 * Add an attribute's mark to the path; its shape identifies the attribute without colour.
 * @param {CanvasRenderingContext2D} c
 * @param {string} shape
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
export function trace(c, shape, x, y, r) {
  const corners = CORNERS[shape];
  if (!corners) {
    c.moveTo(x + r, y);
    c.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], k) => {
    if (k) c.lineTo(x + dx * r, y + dy * r);
    else c.moveTo(x + dx * r, y + dy * r);
  });
  c.closePath();
}

/**
 * A path that consists of one mark.
 * @param {CanvasRenderingContext2D} c
 * @param {string} shape
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
export function mark(c, shape, x, y, r) {
  c.beginPath();
  trace(c, shape, x, y, r);
}

/**
 * Do two boxes [left, top, right, bottom] overlap?
 * @param {number[]} a
 * @param {number[]} b
 */
export function overlap(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

/**
 * The first of eight positions around a mark where a label overlaps nothing that is taken, inside the picture; or null.
 * @param {[number, number]} at
 * @param {number} half half the width of the label
 * @param {number} gap from the mark's centre to the label's
 * @param {number} width
 * @param {number[][]} taken boxes of the marks and labels so far
 * @param {number} [height]
 * @returns {{x: number, y: number, box: number[]} | null}
 */
export function placeLabel([x, y], half, gap, width, taken, height = Infinity) {
  const aside = half + gap * 0.8;
  const tries = [
    [x, y + gap],
    [x, y - gap],
    [x + aside, y],
    [x - aside, y],
    [x + aside, y + gap],
    [x - aside, y + gap],
    [x + aside, y - gap],
    [x - aside, y - gap],
  ];
  for (const [cx, cy] of tries) {
    const inside = Math.min(Math.max(cx, half), width - half);
    const box = [inside - half, cy - 8, inside + half, cy + 8];
    const fits = height === Infinity || (box[1] >= 0 && box[3] <= height);
    if (fits && !taken.some((other) => overlap(box, other))) return { x: inside, y: cy, box };
  }
  return null;
}

/**
 * An attribute's colour for text: marks need a contrast of 3 : 1, text 4.5 : 1.
 * @param {string} hex as in the Attribute record, #rrggbb
 * @param {boolean} dark
 */
export function readable(hex, dark) {
  const [amount, toward] = dark ? [0.4, 255] : [0.25, 0];
  const parts = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  return `rgb(${parts.map((c) => Math.round(c + (toward - c) * amount)).join(", ")})`;
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {{ink: string, surface: string, font: string, dark: boolean, width: number, height: number}} look
 * @param {number[][]} [taken] boxes on which no label is written
 */
export function createBrush(c, { ink, surface, font, dark, width, height }, taken = []) {
  return {
    taken,
    /**
     * A small face with a frame; nothing is written on it.
     * @param {CanvasImageSource | null} picture @param {[number, number]} at @param {number} size @param {string} [color]
     */
    face(picture, [x, y], size, color) {
      taken.push([x - size / 2, y - size / 2, x + size / 2, y + size / 2]);
      if (!picture) return;
      c.save();
      c.beginPath();
      c.arc(x, y, size / 2, 0, 2 * Math.PI);
      c.lineWidth = color === undefined ? 2 : 5;
      c.strokeStyle = color === undefined ? surface : color || ink;
      c.stroke();
      c.clip();
      c.drawImage(picture, x - size / 2, y - size / 2, size, size);
      c.restore();
    },
    /** @param {[number, number]} at @param {number} r */
    ring([x, y], r) {
      c.lineWidth = 2;
      c.strokeStyle = ink;
      mark(c, "circle", x, y, r);
      c.stroke();
      taken.push([x - r, y - r, x + r, y + r]);
    },
    /** @param {[number, number]} from @param {[number, number]} to @param {string} color */
    line(from, to, color) {
      c.lineWidth = 2.5;
      c.lineCap = "round";
      c.strokeStyle = color || ink;
      c.beginPath();
      c.moveTo(...from);
      c.lineTo(...to);
      c.stroke();
    },
    /** @param {[number, number]} at @param {number} r @param {string} shape @param {string} color */
    point([x, y], r, shape, color) {
      c.fillStyle = color || ink;
      c.strokeStyle = surface;
      c.lineWidth = r > 4 ? 2 : 1;
      mark(c, shape, x, y, r);
      c.fill();
      c.stroke();
    },
    /** Keep the room of a label that is written elsewhere. @param {string} text @param {[number, number]} at @param {number} gap @param {string} [style] */
    reserve(text, at, gap, style = "600 12px") {
      c.font = `${style} ${font}`;
      const free = text && placeLabel(at, c.measureText(text).width / 2 + 2, gap, width, taken, height);
      if (free) taken.push(free.box);
    },
    /** Beside a mark, where room is left. @param {string} text @param {[number, number]} at @param {number} gap @param {string} [color] @param {string} [style] */
    label(text, at, gap, color, style = "600 12px") {
      c.font = `${style} ${font}`;
      c.textAlign = "center";
      c.textBaseline = "middle";
      const free = placeLabel(at, c.measureText(text).width / 2 + 2, gap, width, taken, height);
      if (!text || !free) return;
      taken.push(free.box);
      c.lineWidth = 4;
      c.lineJoin = "round";
      c.strokeStyle = surface;
      c.strokeText(text, free.x, free.y);
      c.fillStyle = color ? readable(color, dark) : ink;
      c.fillText(text, free.x, free.y);
    },
  };
}
