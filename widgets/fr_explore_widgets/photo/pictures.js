// From a chosen picture to JPEG bytes: reduced in the browser, upright, and within the connection's limit.

/** @typedef {import("./types").Shot} Shot */
/** @typedef {import("../shared/types").Problem} Problem */

/** Pixels of the longer side; a portrait cropped from it is larger than any model's input. */
export const LONGEST_SIDE = 1024;
/** The Jupyter server closes a connection that sends a message of 10 MB. */
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
 * Reduced JPEG bytes of anything that a canvas can draw.
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Promise<ArrayBuffer>}
 */
export async function toJpeg(source, width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = within(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the browser has no 2D canvas");
  context.fillStyle = "#fff"; // transparent parts become white, as in the kernel's decoder
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  canvas.width = 0; // frees the pixels at once
  if (!blob) throw new Error("the browser could not write a JPEG");
  return /** @type {Blob} */ (blob).arrayBuffer();
}

/**
 * The bytes of a file to send. A file that the browser cannot open is sent unchanged: the kernel may be able to read it.
 * @param {File} file
 * @returns {Promise<Shot>} rejected with a `Problem` if it is too large to be sent unchanged
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
      why: `This browser cannot open it, and ${(file.size / 1e6).toFixed(0)} MB are too many to send unchanged.`,
      todo: "Save the picture as JPEG or PNG and choose it again.",
    };
  }
  try {
    return { name, data: await toJpeg(picture, picture.width, picture.height) };
  } finally {
    picture.close();
  }
}
