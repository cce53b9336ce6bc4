/** anywidget's model without Jupyter: traits, their change events, and the messages for the kernel. */
export function fakeModel(traits) {
  const listeners = new Map();
  const state = { ...traits };
  const changed = new Set();
  const fire = (event) => {
    for (const callback of [...(listeners.get(event) ?? [])]) callback();
  };
  return {
    /** the messages that save_changes sent, oldest first */
    sent: [],
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      changed.add(name);
    },
    save_changes() {
      this.sent.push(Object.fromEntries([...changed].map((name) => [name, state[name]])));
      changed.clear();
    },
    on: (event, callback) => listeners.set(event, [...(listeners.get(event) ?? []), callback]),
    off: (event, callback) =>
      listeners.set(
        event,
        (listeners.get(event) ?? []).filter((one) => one !== callback),
      ),
    /** A message of the kernel: all traits first, then their events, as in Jupyter. */
    receive(update) {
      Object.assign(state, update);
      for (const name of Object.keys(update)) fire(`change:${name}`);
    },
    fire,
    listening: () => [...listeners.values()].flat().length,
  };
}

/** A canvas that records the calls of its context. */
export function fakeCanvas(vi) {
  const calls = [];
  const record =
    (name) =>
    (...values) =>
      calls.push([name, ...values]);
  const context = new Proxy(
    {
      createImageData: (width, height) => ({
        width,
        height,
        data: new Uint8ClampedArray(4 * width * height),
      }),
      measureText: (text) => ({ width: 6 * text.length }),
    },
    { get: (target, name) => target[name] ?? record(name), set: () => true },
  );
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context);
  return calls;
}
