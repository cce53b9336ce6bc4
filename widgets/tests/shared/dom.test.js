// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPicker } from "../../fr_explore_widgets/attribute/picker.js";
import { readable } from "../../fr_explore_widgets/shared/brush.js";
import { cutSprite, paint, toRGBA } from "../../fr_explore_widgets/shared/bytes.js";
import { createFace, followTheme, h, term, themeOf } from "../../fr_explore_widgets/shared/dom.js";
import { createNotices, PING_MS, watchKernel } from "../../fr_explore_widgets/shared/notice.js";
import { fakeCanvas, fakeModel } from "../fake_model.js";

beforeEach(() => vi.useFakeTimers());

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("an element gets its attributes, and a control suppresses the shortcuts of JupyterLab", () => {
  const node = h("input", { type: "range", hidden: true, disabled: false, title: undefined });
  expect(node.outerHTML).toBe('<input type="range" hidden="" data-lm-suppress-shortcuts="true">');
  expect(h("p", { text: "<b>" }).innerHTML).toBe("&lt;b&gt;");
});

test("RGB bytes become RGBA, from any offset in a buffer", () => {
  const view = new DataView(new Uint8Array([9, 1, 2, 3, 4, 5, 6]).buffer, 1);
  expect([...toRGBA(view)]).toEqual([1, 2, 3, 255, 4, 5, 6, 255]);
  expect([...toRGBA(view, 3, 1)]).toEqual([4, 5, 6, 255]);
});

test("a sprite is cut into pictures by its bytes, with an offset into the buffer", () => {
  const calls = fakeCanvas(vi);
  const bytes = new Uint8Array(2 + 2 * 3 * 4).fill(7);
  const view = new DataView(bytes.buffer, 2, 24);
  expect(cutSprite(view, 2, 2)).toHaveLength(2);
  expect(cutSprite(view, 2, 5)).toHaveLength(2);
  const [, image] = calls.find(([name]) => name === "putImageData");
  expect([...image.data.slice(0, 4)]).toEqual([7, 7, 7, 255]);
});

test("a small face has its size, and no name of its own", () => {
  const face = createFace(64);
  expect([face.width, face.height, face.getAttribute("aria-hidden")]).toEqual([64, 64, "true"]);
});

test("an incomplete picture is not painted", () => {
  const calls = fakeCanvas(vi);
  const canvas = h("canvas");
  expect(paint(canvas, new DataView(new ArrayBuffer(12)), [2, 2])).toBe(true);
  expect([canvas.width, canvas.height]).toEqual([2, 2]);
  expect(paint(canvas, new DataView(new ArrayBuffer(11)), [2, 2])).toBe(false);
  expect(paint(canvas, undefined, [2, 2])).toBe(false);
  expect(calls.filter(([name]) => name === "putImageData")).toHaveLength(1);
});

test.each([
  ["rgb(255, 255, 255)", "light"],
  ["rgb(17, 17, 17)", "dark"],
  ["rgba(0, 0, 0, 0)", null],
  ["rgb(128, 128, 128)", "light"],
  ["rgba(20, 20, 20, 0.9)", "dark"],
  ["color(srgb 0.09 0.1 0.11)", "dark"],
  ["color(display-p3 0.98 0.98 1 / 0.9)", "light"],
  ["color(srgb 0 0 0 / 0)", null],
  ["oklch(0.21 0.006 285.9)", "dark"],
  ["oklch(98% 0.002 247)", "light"],
  ["oklab(0.97 -0.001 -0.003)", "light"],
  ["lab(10 0 0)", "dark"],
  ["lch(95 2 100)", "light"],
  ["transparent", null],
])("the theme of %s is %s", (color, theme) => expect(themeOf(color)).toBe(theme));

const luminance = (rgb) => {
  const [r, g, b] = rgb
    .match(/\d+/g)
    .map(Number)
    .map((c) => (c <= 10 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

// the attributes' own colours, as in attributes.py
const COLORS = "#3b7dd8 #c2571a #9a6b34 #a67c00 #c43d7e #2f8f4e #6f7b8a #8a5cd6 #1f8a9e #d0524f".split(" ");

test.each(COLORS)("%s as text has a contrast of at least 4.5 on both themes", (color) => {
  const onWhite = 1.05 / (luminance(readable(color, false)) + 0.05);
  const onDark = (luminance(readable(color, true)) + 0.05) / (luminance("17, 17, 17") + 0.05);
  expect(onWhite).toBeGreaterThanOrEqual(4.5);
  expect(onDark).toBeGreaterThanOrEqual(4.5);
});

test("the explanation of a term appears on focus and on hover, until Escape", () => {
  const node = term("threshold", "Below it, the same person.");
  const [button, tip] = node.children;
  expect(tip.hidden).toBe(true);
  button.dispatchEvent(new Event("focus"));
  expect(tip.hidden).toBe(false);
  expect(button.getAttribute("aria-describedby")).toBe(tip.id);
  button.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  expect(tip.hidden).toBe(true);
});

test("an error says what happened, why, and what to do, as text and not as markup", () => {
  const notices = createNotices();
  const [, error] = notices.root.children;
  notices.showError({ what: "It broke.", why: "ValueError: <b>", todo: "Fix it." });
  expect(error.hidden).toBe(false);
  expect(error.getAttribute("role")).toBe("alert");
  expect(error.textContent).toBe("It broke. ValueError: <b> Fix it.");
  notices.showError({});
  expect(error.hidden).toBe(true);
});

test("a kernel that does not answer a ping counts as lost until it answers", () => {
  const model = fakeModel({ ping: 0 });
  const el = h("div");
  const told = [];
  const stop = new AbortController();
  watchKernel(el, model, stop.signal, (gone) => told.push(gone));
  model.fire("comm_live_update");
  expect(model.sent).toEqual([{ ping: 1 }]);
  model.receive({ pong: 1 });
  vi.advanceTimersByTime(2 * PING_MS);
  expect(told).toEqual([]);
  model.fire("comm_live_update");
  vi.advanceTimersByTime(PING_MS);
  expect(told).toEqual([true]);
  expect(el.dataset.kernel).toBe("gone");
  model.receive({ pong: 2 });
  expect(told).toEqual([true, false]);
  stop.abort();
  expect(model.listening()).toBe(0);
});

test("a notebook reports that its kernel was shut down or replaced, until the view is closed", () => {
  const slots = new Set();
  const kernelChanged = { connect: (slot) => slots.add(slot), disconnect: (slot) => slots.delete(slot) };
  const model = fakeModel({ ping: 0 });
  const host = { ...model, widget_manager: { context: { sessionContext: { kernelChanged } } } };
  const told = [];
  const stop = new AbortController();
  watchKernel(h("div"), host, stop.signal, (gone) => told.push(gone));
  for (const slot of slots) slot();
  vi.advanceTimersByTime(PING_MS);
  expect(told).toEqual([true]);
  stop.abort();
  expect(slots.size).toBe(0);
});

test.each([
  [3, "fieldset"],
  [30, "select"],
])("%i identities are chosen in a %s", (count, tag) => {
  fakeCanvas(vi);
  const chosen = [];
  const picker = createPicker(
    Array.from({ length: count }, (_, i) => `p${i}`),
    (place) => chosen.push(place),
  );
  document.body.append(picker.root); // clicks change a radio button of a page only
  picker.set(1);
  picker.setThumbs([]);
  const control = picker.root.matches(tag) ? picker.root : picker.root.querySelector(tag);
  if (tag === "select") {
    expect(control.value).toBe("1");
    control.value = "2";
    control.dispatchEvent(new Event("change"));
  } else {
    expect(control.querySelector("input:checked").getAttribute("aria-label")).toBe("identity p1");
    control.querySelectorAll("input")[2].click();
  }
  expect(chosen).toEqual([2]);
  picker.disable(true);
  expect(control.disabled).toBe(true);
  picker.root.remove();
});

test("inside a shadow root the theme of the surrounding page applies", () => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
  const host = document.body.appendChild(document.createElement("div"));
  host.style.backgroundColor = "rgb(17, 17, 17)";
  const root = document.createElement("div");
  host.attachShadow({ mode: "open" }).append(root);
  const stop = new AbortController();
  followTheme(root, stop.signal);
  expect(root.dataset.theme).toBe("dark");
  stop.abort();
  host.remove();
  vi.unstubAllGlobals();
});
