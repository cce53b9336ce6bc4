// Requests to the kernel: at most one in flight, newer slider values replace older ones, no other command is lost.
//
// A user moves a slider at most once per frame: each move is sent as soon as the kernel has answered the previous one.
// More moves in one frame come from a program. Then one request per CROWD_MS and CROWD values is enough (a slow machine
// stretches a burst), and the last value is always sent. While the page draws the face itself (`drawn`), only the figures
// come from the kernel: a request is sent when the slider rests for CALM_MS, and at the latest after CALMEST_MS, because
// each one makes the host's page work.

/** @typedef {import("./types").Command} Command */
/** @typedef {import("./types").Model} Model */

/** A kernel that does not answer for this long is reported. */
export const PATIENCE_MS = 4000;
const SILENT =
  "The kernel has not answered for some seconds: it is busy, the connection is slow, or it was restarted.";
const SLOW = "Still computing."; // without a kernel

/** Pause between requests while more slider values arrive than anyone could see. */
export const CROWD_MS = 80;
export const CROWD = 10;
/** No value waits longer than this many pauses. */
const MOST_PAUSES = 4;

/** How long a slider rests whose face the page draws, and the longest time between its requests. */
export const CALM_MS = 50;
export const CALMEST_MS = 250;

/** A request that another view may have replaced is repeated after this time. */
export const AGAIN_MS = 250;

/**
 * Add a command to the waiting ones. Consecutive slider values merge into one command, so that a burst costs one
 * request; buttons keep their order.
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
 * @param {{signal: AbortSignal, banner?: (text: string) => void, sent?: (request: Command & {seq: number}) => void, patience?: number,
 *   merging?: string}} options `banner` shows that an answer is late, and "" when it comes
 */
export function createLink(model, options) {
  const { signal, banner = () => {}, sent = () => {}, patience = PATIENCE_MS, merging } = options;
  const client = Math.random().toString(36).slice(2, 10);
  /** @type {Command[]} */
  let waiting = [];
  let seq = 0;
  /** @type {{seq: number, late: boolean, timer: ReturnType<typeof setTimeout>, request: object} | null} */
  let flight = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;
  let open = true;
  let frame = 0; // the pending frame in which a slider value arrived, or 0
  let crowded = false; // another value arrived in the same frame
  let arrived = 0; // slider values since the last request
  let pauses = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  let since = 0; // when the oldest value that waits for a calm moment arrived, or 0

  function calm() {
    const now = performance.now();
    since ||= now;
    clearTimeout(pause);
    pause = setTimeout(resume, Math.max(0, Math.min(CALM_MS, since + CALMEST_MS - now)));
  }

  function count() {
    arrived += 1;
    if (frame) crowded = true;
    else {
      frame = requestAnimationFrame(() => {
        frame = 0;
      });
    }
  }

  function overdue() {
    if (flight) flight.late = true;
    banner(model.send ? SILENT : SLOW);
  }

  function pump() {
    const next = waiting[0];
    // an overdue answer may have been lost with the connection: do not wait for it forever
    if ((flight && !flight.late) || !next || !open || pause !== undefined) return;
    waiting = waiting.slice(1);
    seq += 1;
    const request = { client, seq, ...next };
    flight = { seq, late: false, timer: setTimeout(overdue, patience), request };
    arrived = 0;
    pauses = 0;
    if (crowded) {
      crowded = false;
      pause = setTimeout(later, CROWD_MS);
    }
    model.set("request", request);
    model.save_changes();
    sent(request);
  }

  /** Views of one widget share its model, so another view's request can replace a pending one. The kernel handles no
   * request twice, so it is safe to repeat it. */
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
    if (crowded && arrived < CROWD && pauses < MOST_PAUSES) pause = setTimeout(later, CROWD_MS);
    else resume();
  }

  function resume() {
    clearTimeout(pause);
    pause = undefined;
    since = 0;
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
      if (command.phase !== "drag") {
        crowded = false;
        resume(); // the end of a move waits only for the pending answer
      } else if (command.drawn) calm();
      else {
        count();
        pump();
      }
    },
    /**
     * Process an answer; true if it is the expected one.
     * @param {{client?: string, seq?: number}} answer
     */
    settle(answer) {
      if (!flight || answer.client !== client || answer.seq !== flight.seq) return false;
      clearTimeout(flight.timer);
      clearTimeout(again);
      flight = null;
      banner("");
      pump();
      return true;
    },
    /** Tell whether the kernel is available; while it is not, commands are dropped. @param {boolean} there */
    connect(there) {
      open = there;
      waiting = [];
      if (flight) clearTimeout(flight.timer);
      flight = null;
      clearTimeout(again);
      clearTimeout(pause);
      pause = undefined;
      since = 0;
    },
    get busy() {
      return (flight !== null && !flight.late) || waiting.length > 0;
    },
  };
}
