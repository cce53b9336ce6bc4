// @vitest-environment node
import { readFileSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";

const bundle = readFileSync("fr_explore_widgets/core/bundle.py", "utf-8");
const LOADER = bundle.match(/^LOADER = """\n(.*?)^"""/ms)[1];
const { default: module } = await import(`data:text/javascript,${encodeURIComponent(LOADER)}`);

/** A host that sets the traits of a message one by one and calls their listeners at once, as marimo does. */
function host(state) {
  const listeners = new Map();
  return {
    get: (name) => state[name],
    on: (event, callback) => listeners.set(event, [...(listeners.get(event) ?? []), callback]),
    off: (event, callback) =>
      listeners.set(
        event,
        (listeners.get(event) ?? []).filter((one) => one !== callback),
      ),
    receive(update) {
      for (const [name, value] of Object.entries(update)) {
        state[name] = value;
        for (const callback of listeners.get(`change:${name}`) ?? []) callback(value);
      }
    },
    listening: () => [...listeners.values()].flat().length,
  };
}

const seen = vi.fn();
let view;
const el = { append() {}, replaceChildren() {} };
let saved = null; // the element that a page has which keeps the state of widgets
globalThis.document = { createElement: () => ({}), querySelector: () => saved };

beforeEach(() => {
  seen.mockClear();
  globalThis.frExploreModules.clear();
  globalThis.frExploreModules.set(
    "x",
    Promise.resolve({ default: { render: (context) => view(context) }, css: "" }),
  );
});

test.each([[["reply", "frame"]], [["frame", "reply"]]])(
  "whatever the order, a listener finds %s together",
  async (order) => {
    const model = host({ _code_id: "x", reply: 1, frame: "picture 1" });
    view = ({ model: own }) => own.on("change:reply", () => seen(own.get("reply"), own.get("frame")));
    await module.render({ model, el });
    const message = { reply: 2, frame: "picture 2" };
    model.receive(Object.fromEntries(order.map((name) => [name, message[name]])));
    await Promise.resolve();
    expect(seen.mock.calls).toEqual([[2, "picture 2"]]);
  },
);

test("a listener of two traits ends with each of them", async () => {
  const model = host({ _code_id: "x" });
  let own;
  view = (context) => {
    own = context.model;
  };
  await module.render({ model, el });
  for (const name of ["a", "b"]) own.on(`change:${name}`, seen);
  model.receive({ a: 1, b: 1 });
  own.off("change:a", seen); // also before it has run
  await Promise.resolve();
  expect(seen.mock.calls).toEqual([[1]]);
  model.receive({ a: 2, b: 2 });
  await Promise.resolve();
  expect(seen.mock.calls).toEqual([[1], [2]]);
  own.off("change:b", seen);
  expect(model.listening()).toBe(0);
});

test.each([
  ["of nbconvert", {}, undefined, true],
  ["exported by marimo", null, {}, true],
  ["with a kernel", null, undefined, false],
])("a page %s says whether it has a kernel", async (_, element, marimo, expected) => {
  [saved, globalThis.__MARIMO_STATIC__] = [element, marimo];
  view = ({ model }) => seen(model.still);
  await module.render({ model: host({ _code_id: "x" }), el });
  saved = null;
  expect(/no kernel/.test(seen.mock.calls[0][0])).toBe(expected);
});
