// A sweep: one attribute played slowly through its range, each stop waiting for the kernel's exact figures.

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("../shared/types").Command} Command */
/** @typedef {import("./types").Sample} Sample */

/** Stops and milliseconds between them; with reduced motion few stops, each long enough to look at. */
export const SLOW = { count: 33, pace: 110 };
export const STEPPED = { count: 9, pace: 900 };

/** @param {Attribute} attribute @param {number} count evenly from the lowest to the highest strength */
export function stops({ low, high }, count) {
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

/**
 * @param {{signal: AbortSignal, send: (command: Command) => void, reduced?: () => boolean,
 *   onStop: (attribute: Attribute, value: number) => void,
 *   onSample: (attribute: Attribute, samples: Sample[]) => void,
 *   onEnd: (attribute: Attribute, samples: Sample[], whole: boolean) => void}} actions
 *   onStop: the slider's value as the sweep reaches it
 */
export function createSweep({ signal, send, reduced = () => false, onStop, onSample, onEnd }) {
  /** @type {{attribute: Attribute, start: number, values: number[], samples: Sample[], done: number, pace: number,
   *   since: number} | null} */
  let running = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {"step" | "commit"} phase @param {number} value */
  function go(phase, value) {
    if (!running) return;
    const { name } = running.attribute;
    onStop(running.attribute, value);
    running.since = Date.now();
    send({ action: "set", values: { [name]: value }, moved: name, phase });
  }

  /** @param {boolean} whole whether it came to its end, and so goes back to where it began */
  function end(whole) {
    if (!running) return;
    clearTimeout(timer);
    const { attribute, samples, start, values, done } = running;
    const last = values[Math.max(done - 1, 0)];
    go("commit", whole ? start : last);
    running = null;
    onEnd(attribute, samples, whole);
  }

  signal.addEventListener("abort", () => clearTimeout(timer));

  return {
    /** The attribute that is played, or "". */
    get name() {
      return running?.attribute.name ?? "";
    },
    /** @param {Attribute} attribute @param {number} start where the slider stands */
    play(attribute, start) {
      end(false);
      const { count, pace } = reduced() ? STEPPED : SLOW;
      running = { attribute, start, values: stops(attribute, count), samples: [], done: 0, pace, since: 0 };
      go("step", running.values[0]);
    },
    /** The kernel's exact figures of the present stop, and the strength that they are of (a page without a kernel has
     * fewer than the sweep asks for). @param {number} distance @param {number} strength */
    answered(distance, strength) {
      if (!running) return;
      const { attribute, values, samples, pace, since } = running;
      running.done += 1;
      const { done } = running;
      if (!samples.length || strength > samples[samples.length - 1][0]) samples.push([strength, distance]);
      onSample(attribute, samples);
      timer = setTimeout(
        () => (done < values.length ? go("step", values[done]) : end(true)),
        Math.max(0, pace - (Date.now() - since)),
      );
    },
    /** Stop here; what was seen stays. */
    stop: () => end(false),
    /** Forget it: the kernel failed or is gone. */
    drop() {
      clearTimeout(timer);
      const was = running;
      running = null;
      if (was) onEnd(was.attribute, was.samples, false);
    },
  };
}
