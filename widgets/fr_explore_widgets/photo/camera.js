// The camera: preview, take, then use or retake. It runs only while its preview is shown.

import { button, div, h } from "../shared/dom.js";
import { toJpeg } from "./pictures.js";

/** @typedef {import("./types").Camera} Camera */
/** @typedef {import("../shared/types").Problem} Problem */

const INSTEAD = "Or choose a picture from a file.";

/**
 * The reason why there is no picture from the camera, and what to do.
 * @param {unknown} error the rejection of getUserMedia; null if the browser gives this page no camera
 * @param {string} [open] where a camera can be used
 * @returns {Problem}
 */
export function cameraProblem(error, open = "Open Jupyter at such an address.") {
  if (error === null)
    return {
      what: "This page cannot use a camera.",
      why: "Browsers allow it only for pages on localhost or over https.",
      todo: `${open} ${INSTEAD}`,
    };
  const { name = "Error", message = String(error) } = /** @type {Partial<Error>} */ (error);
  const known = {
    NotAllowedError: [
      "The browser did not allow the camera.",
      "Allow it for this page, in the browser's address bar or settings, and press Use the camera again.",
    ],
    NotFoundError: ["No camera was found.", "Connect one and press Use the camera again."],
    NotReadableError: [
      "The camera cannot be opened.",
      "Close the program that uses it and press Use the camera again.",
    ],
  }[name];
  const [what, todo] = known ?? ["The camera could not be started.", "Press Use the camera again."];
  return { what, why: known ? "" : `${name}: ${message}`, todo: `${todo} ${INSTEAD}` };
}

/**
 * @param {{signal: AbortSignal, onUse: (data: ArrayBuffer) => void, onProblem: (problem: Problem) => void,
 *   onClose: () => void, say: (text: string) => void}} options
 * @returns {Camera}
 */
export function createCamera({ signal, onUse, onProblem, onClose, say }) {
  const video = h("video", { class: "fr-preview", "aria-label": "Camera preview, as in a mirror" });
  video.muted = true;
  video.playsInline = true;
  const still = h("img", { class: "fr-preview", alt: "The picture taken" });
  const buttons = {
    take: button("Take picture", "take", take),
    use: button("Use this picture", "use", use),
    retake: button("Retake", "retake", open),
    stop: button("Stop camera", "stop-camera", close),
  };
  const actions = div("fr-actions", ...Object.values(buttons));
  const root = h(
    "div",
    { class: "fr-camera fr-stack", role: "group", "aria-label": "Camera" },
    video,
    still,
    actions,
  );
  root.hidden = true;

  /** @type {MediaStream | null} */
  let stream = null;
  /** @type {ArrayBuffer | null} */
  let taken = null;
  let turn = 0; // a camera that is granted after Stop, or after the view has closed, is stopped at once

  /** @param {"off" | "live" | "taken"} stage */
  function show(stage) {
    root.hidden = stage === "off";
    root.dataset.stage = stage;
    video.hidden = buttons.take.hidden = stage !== "live";
    still.hidden = buttons.use.hidden = buttons.retake.hidden = stage !== "taken";
    buttons.stop.textContent = stage === "taken" ? "Discard" : "Stop camera";
  }

  function stopTracks() {
    turn += 1;
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
  }

  function forget() {
    if (still.src) URL.revokeObjectURL(still.src);
    still.removeAttribute("src");
    taken = null;
  }

  function close() {
    const was = !root.hidden;
    stopTracks();
    forget();
    show("off");
    if (was && !signal.aborted) onClose();
  }

  async function open() {
    stopTracks();
    forget();
    const own = turn;
    const ask = navigator.mediaDevices?.getUserMedia;
    if (!ask) return onProblem(cameraProblem(null));
    try {
      const constraints = { video: { facingMode: "user", width: { ideal: 1280 } }, audio: false };
      const granted = await ask.call(navigator.mediaDevices, constraints);
      if (own !== turn || signal.aborted) {
        for (const track of granted.getTracks()) track.stop();
        return;
      }
      stream = granted;
      for (const track of granted.getTracks()) track.addEventListener("ended", close, { signal });
      video.srcObject = granted;
      show("live");
      buttons.take.focus();
      say("The camera is on.");
      await video.play();
    } catch (error) {
      if (own !== turn) return; // stopped while it was starting
      stopTracks();
      forget();
      show("off");
      onProblem(cameraProblem(error));
    }
  }

  async function take() {
    if (!video.videoWidth) return say("The camera is still starting: try again in a moment.");
    const own = turn;
    try {
      const data = await toJpeg(video, video.videoWidth, video.videoHeight);
      if (own !== turn) return;
      stopTracks();
      taken = data;
      still.src = URL.createObjectURL(new Blob([data], { type: "image/jpeg" }));
      show("taken");
      buttons.use.focus();
      say("Picture taken, the camera is off. Nothing is sent until you use it.");
    } catch (error) {
      close();
      onProblem(cameraProblem(error));
    }
  }

  function use() {
    const data = taken;
    close();
    if (data) onUse(data);
  }

  show("off");
  signal.addEventListener("abort", close);
  return { root, open, close };
}
