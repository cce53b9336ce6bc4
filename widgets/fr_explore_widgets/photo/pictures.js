// From what a person picks to JPEG bytes: reduced in the browser, upright, never larger than the connection takes.

/** @typedef {import("./types").Shot} Shot */
/** @typedef {import("../shared/types").Problem} Problem */

/** Pixels along the longer side: a portrait cut out of it is still larger than what any model here takes. */
export const LONGEST_SIDE = 1024;
/** Jupyter's server drops a connection at a message of 10 MB. */
export const MOST_BYTES = 8_000_000;
const QUALITY = 0.92;

/**
 * Width and height with the longer side at most `most`; never enlarged.
 * @param {number} width
 * @param {number} height
 * @param {number} [most]
 * @returns {[number, number]}
 */
export function within(width, height, most = LONGEST_SIDE) {
  const scale = Math.min(1, most / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/**
 * JPEG bytes of what can be drawn, reduced.
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Promise<ArrayBuffer>}
 */
export async function toJpeg(source, width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = within(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the browser gave no canvas");
  context.fillStyle = "#fff"; // transparent parts lie on white, as the kernel's reader has it
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  canvas.width = 0; // gives the pixels back at once, not when the garbage is collected
  if (!blob) throw new Error("the browser could not write a JPEG");
  return /** @type {Blob} */ (blob).arrayBuffer();
}

/**
 * A file as bytes to send. One that the browser cannot open goes as it is: the kernel may read it, or knows why not.
 * @param {File} file
 * @returns {Promise<Shot>} rejected with a `Problem` for one that is too large to go as it is
 */
export async function prepare(file) {
  const { name } = file;
  /** @type {ImageBitmap} */
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    if (file.size <= MOST_BYTES) return { name, data: await file.arrayBuffer() };
    throw {
      what: `${name} was not sent.`,
      why: `This browser cannot open it, and ${(file.size / 1e6).toFixed(0)} MB are too many to send as they are.`,
      todo: "Save the picture as JPEG or PNG and choose it again.",
    };
  }
  try {
    return { name, data: await toJpeg(picture, picture.width, picture.height) };
  } finally {
    picture.close();
  }
}
