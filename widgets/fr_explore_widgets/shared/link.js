// Requests to the kernel: one in flight, the newest slider values win, nothing else is lost.
//
// A hand moves a slider once per frame of the display: each move asks as soon as the kernel has answered the one before.
// More than one move in a frame comes from a program; then a request in CROWD_MS and for CROWD values is enough (a slow
// machine stretches a burst), and the last value always goes.

/** @typedef {import("./types").Command} Command */
/** @typedef {import("./types").Model} Model */

/** A kernel that has not answered for this long is reported. */
export const PATIENCE_MS = 4000;

/** Between requests while more slider values come than anybody could see. */
export const CROWD_MS = 80;
export const CROWD = 10;
/** Nothing waits longer than this many times CROWD_MS for the crowd to grow. */
const MOST_PAUSES = 4;

/** After this time a request is repeated that another view's may have replaced. */
export const AGAIN_MS = 250;

/**
 * Add a command to those that wait. Slider values merge into one command, so that a burst costs one request; buttons
 * keep their place between them.
 * @param {Command[]} waiting
 * @param {Command} command
 * @param {string} [merging] the action whose waiting commands become one
 * @returns {Command[]}
 */
export function enqueue(waiting, command, merging = "set") {
  const last = waiting[waiting.length - 1];
  if (last?.action !== merging || command.action !== merging) return [...waiting, command];
  return [...waiting.slice(0, -1), { ...last, ...command, values: { ...last.values, ...command.values } }];
}

/**
 * @param {Model} model
 * @param {{signal: AbortSignal, onSilence?: (silent: boolean) => void, patience?: number, merging?: string}} options
 */
export function createLink(model, { signal, onSilence = () => {}, patience = PATIENCE_MS, merging }) {
  const client = Math.random().toString(36).slice(2, 10);
  /** @type {Command[]} */
  let waiting = [];
  let seq = 0;
  /** @type {{seq: number, late: boolean, timer: ReturnType<typeof setTimeout>, request: object} | null} */
  let flight = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;
  let open = true;
  let frame = 0; // the frame in which a slider value came, while it lasts
  let crowded = false; // another one came in it
  let come = 0; // slider values since the last request
  let pauses = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;

  function count() {
    come += 1;
    if (frame) crowded = true;
    else {
      frame = requestAnimationFrame(() => {
        frame = 0;
      });
    }
  }

  function overdue() {
    if (flight) flight.late = true;
    onSilence(true);
  }

  function pump() {
    const next = waiting[0];
    // an answer that is long overdue may have been lost with the connection: do not wait for it for ever
    if ((flight && !flight.late) || !next || !open || pause !== undefined) return;
    waiting = waiting.slice(1);
    seq += 1;
    const request = { client, seq, ...next };
    flight = { seq, late: false, timer: setTimeout(overdue, patience), request };
    come = 0;
    pauses = 0;
    if (crowded) {
      crowded = false;
      pause = setTimeout(later, CROWD_MS);
    }
    model.set("request", request);
    model.save_changes();
  }

  /** Views of one widget share its model: a request that waits there is replaced by that of another view. The kernel
   * carries out no request twice, so that it can be repeated. */
  function overtaken() {
    if (!flight || model.get("request")?.client === client) return;
    clearTimeout(again);
    again = setTimeout(() => {
      if (!flight || !open) return;
      model.set("request", flight.request);
      model.save_changes();
    }, AGAIN_MS);
  }

  function later() {
    pauses += 1;
    if (crowded && come < CROWD && pauses < MOST_PAUSES) pause = setTimeout(later, CROWD_MS);
    else resume();
  }

  function resume() {
    clearTimeout(pause);
    pause = undefined;
    pump();
  }

  model.on("change:request", overtaken);
  signal.addEventListener("abort", () => {
    model.off("change:request", overtaken);
    clearTimeout(again);
    cancelAnimationFrame(frame);
    clearTimeout(pause);
    if (flight) clearTimeout(flight.timer);
  });

  return {
    client,
    /** @param {Command} command */
    send(command) {
      waiting = enqueue(waiting, command, merging);
      if (command.phase === "drag") count();
      else crowded = false;
      if (command.phase === "drag") pump();
      else resume(); // what ends a move waits for nothing but the answer on its way
    },
    /**
     * An answer came; true if it was the one waited for.
     * @param {{client?: string, seq?: number}} answer
     */
    settle(answer) {
      if (!flight || answer.client !== client || answer.seq !== flight.seq) return false;
      clearTimeout(flight.timer);
      clearTimeout(again);
      flight = null;
      onSilence(false);
      pump();
      return true;
    },
    /** Whether the kernel is there: while it is gone nothing is sent, and nothing is kept. @param {boolean} there */
    connect(there) {
      open = there;
      waiting = [];
      if (flight) clearTimeout(flight.timer);
      flight = null;
      clearTimeout(again);
      clearTimeout(pause);
      pause = undefined;
    },
    get busy() {
      return (flight !== null && !flight.late) || waiting.length > 0;
    },
  };
}
