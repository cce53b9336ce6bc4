// Numbers and pictures out of the bytes of a message.

import { h } from "./dom.js";

/** Little-endian numbers out of a message, whose bytes may begin anywhere. @param {DataView | undefined} view @param {number} [from] first byte @param {number} [count] all by default */
export function floats(view, from = 0, count = Math.floor(((view?.byteLength ?? 0) - from) / 4)) {
  if (!view) return new Float32Array(0);
  const start = view.byteOffset + from;
  return new Float32Array(view.buffer.slice(start, start + 4 * count));
}

/**
 * Raw RGB bytes as RGBA, for a canvas.
 * @param {DataView} view
 * @param {number} [from] first byte
 * @param {number} [pixels] number of pixels; all by default
 */
export function toRGBA(view, from = 0, pixels = (view.byteLength - from) / 3) {
  const rgb = new Uint8Array(view.buffer, view.byteOffset + from, pixels * 3);
  const rgba = new Uint8ClampedArray(pixels * 4);
  for (let i = 0, o = 0; i < rgb.length; i += 3, o += 4) {
    rgba[o] = rgb[i];
    rgba[o + 1] = rgb[i + 1];
    rgba[o + 2] = rgb[i + 2];
    rgba[o + 3] = 255;
  }
  return rgba;
}

/**
 * Paint raw RGB bytes; the canvas is resized to the picture. Returns whether the bytes were complete.
 * @param {HTMLCanvasElement} canvas
 * @param {DataView} view
 * @param {[number, number]} shape height, width
 * @param {number} [from]
 */
export function paint(canvas, view, [height, width], from = 0) {
  if (!view || view.byteLength < from + 3 * height * width) return false;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  if (!context) return false;
  const image = context.createImageData(width, height);
  image.data.set(toRGBA(view, from, height * width));
  context.putImageData(image, 0, 0);
  return true;
}

/**
 * Cut a sprite, square RGB pictures in one column, into canvases.
 * @param {DataView} view
 * @param {number} side
 * @param {number} count
 */
export function cutSprite(view, side, count) {
  const bytes = 3 * side * side;
  return Array.from({ length: Math.min(count, Math.floor(view.byteLength / bytes)) }, (_, i) => {
    const canvas = h("canvas", { width: side, height: side });
    const c = canvas.getContext("2d");
    const image = c?.createImageData(side, side);
    if (c && image) {
      image.data.set(toRGBA(view, i * bytes, side * side));
      c.putImageData(image, 0, 0);
    }
    return canvas;
  });
}
