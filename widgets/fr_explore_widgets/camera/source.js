// Where pictures come from: the camera, frame by frame, or a file; as pixels that a worker can take.

import { cameraProblem } from "../photo/camera.js";
import { within } from "../photo/pictures.js";

/** @typedef {import("../engine/types").Picture & {data: {buffer: ArrayBuffer}}} Pixels */
/** @typedef {import("../shared/types").Problem} Problem */

const WIDTH = 640; // px: a face at arm's length is larger than any network's input
const OPEN = "Open this file in Chrome, Edge or Firefox, or put it on a web space with https.";

/** A canvas whose pixels are read again and again. */
function createReader() {
  const canvas = document.createElement("canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  /** @param {CanvasImageSource} source @param {number} width @param {number} height @param {number} [most] @returns {Pixels} */
  return (source, width, height, most) => {
    [canvas.width, canvas.height] = within(width, height, most);
    context.fillStyle = "#fff"; // behind transparent parts, as in the kernel's decoder
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return /** @type {Pixels} */ ({ data, width: canvas.width, height: canvas.height, channels: 4 });
  };
}

/** The pixels of a picture file. @param {File} file @returns {Promise<Pixels>} rejected with a `Problem` */
export async function readFile(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const pixels = createReader()(picture, picture.width, picture.height);
    picture.close();
    return pixels;
  } catch {
    throw /** @type {Problem} */ ({
      what: `${file.name} cannot be read.`,
      why: "This browser cannot open it as a picture.",
      todo: "Choose another file, or save it as JPEG or PNG first.",
    });
  }
}

/**
 * @param {HTMLVideoElement} video shows what the camera sees
 * @param {{onProblem: (problem: Problem) => void, onEnd: () => void}} events
 */
export function createCamera(video, { onProblem, onEnd }) {
  video.muted = true;
  video.playsInline = true;
  const read = createReader();
  /** @type {MediaStream | null} */
  let stream = null;
  let turn = 0; // a camera that is granted after it was closed is stopped at once

  function close() {
    turn += 1;
    const was = stream;
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
    if (was) onEnd();
  }

  return {
    close,
    /** Whether the camera was granted. */
    async open() {
      close();
      const own = turn;
      const { mediaDevices } = navigator;
      try {
        if (!mediaDevices?.getUserMedia) throw null;
        const constraints = { video: { facingMode: "user", width: { ideal: WIDTH } }, audio: false };
        const granted = await mediaDevices.getUserMedia(constraints);
        if (own !== turn) {
          for (const track of granted.getTracks()) track.stop();
          return false;
        }
        stream = granted;
        for (const track of granted.getTracks()) track.addEventListener("ended", close);
        video.srcObject = granted;
        await video.play();
        return own === turn;
      } catch (error) {
        if (own !== turn) return false;
        close();
        onProblem(cameraProblem(error, OPEN));
        return false;
      }
    },
    /** The next frame, once it is there; null after the camera was closed. @returns {Promise<Pixels | null>} */
    async next() {
      const own = turn;
      while (own === turn && stream) {
        await new Promise((done) => requestAnimationFrame(done));
        if (own === turn && video.videoWidth) return read(video, video.videoWidth, video.videoHeight, WIDTH);
      }
      return null;
    },
  };
}
