// A sweep plays one attribute slowly through its range; each step waits for the kernel's exact figures.

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("../shared/types").Command} Command */
/** @typedef {import("./types").Sample} Sample */

/** Number of steps and milliseconds between them; with reduced motion few steps with long pauses. */
export const SLOW = { count: 33, pace: 110 };
export const STEPPED = { count: 9, pace: 900 };

/** @param {Attribute} attribute @param {number} count spaced evenly from the lowest to the highest strength */
export function stops({ low, high }, count) {
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

/**
 * @param {{signal: AbortSignal, send: (command: Command) => void, reduced?: () => boolean,
 *   onStop: (attribute: Attribute, value: number) => void,
 *   onSample: (attribute: Attribute, samples: Sample[]) => void,
 *   onEnd: (attribute: Attribute, samples: Sample[], whole: boolean) => void}} actions
 *   onStop: the slider's value at each step
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

  /** @param {boolean} whole whether it reached its end and so returns to its start */
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
    /** The attribute being played, or "". */
    get name() {
      return running?.attribute.name ?? "";
    },
    /** @param {Attribute} attribute @param {number} start the current value of the slider */
    play(attribute, start) {
      end(false);
      const { count, pace } = reduced() ? STEPPED : SLOW;
      running = { attribute, start, values: stops(attribute, count), samples: [], done: 0, pace, since: 0 };
      go("step", running.values[0]);
    },
    /** The kernel's exact distance at the current step, and its strength (a page without a kernel has fewer strengths
     * than the sweep has steps). @param {number} distance @param {number} strength */
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
    /** Stop here and keep what was measured. */
    stop: () => end(false),
    /** Cancel: the kernel failed or is gone. */
    drop() {
      clearTimeout(timer);
      const was = running;
      running = null;
      if (was) onEnd(was.attribute, was.samples, false);
    },
  };
}
