// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  joinPage,
  keepState,
  leftBehind,
  offerState,
  UNSEEN_MS,
} from "../../fr_explore_widgets/shared/view.js";
import { fakeModel } from "../fake_model.js";

let el;

beforeEach(() => {
  vi.useFakeTimers();
  globalThis.CSS ??= { escape: (text) => text };
  document.body.innerHTML =
    '<div class="jp-Notebook"><div class="jp-Cell"><div id="el"><div class="fr-notices"></div></div></div></div>';
  el = document.getElementById("el");
  globalThis.frExploreLeft = [];
});

afterEach(() => {
  vi.useRealTimers();
  document.head.replaceChildren();
});

function view(model) {
  const stop = new AbortController();
  joinPage(el, model, stop.signal);
  return stop;
}

test("closing the last view is reported, unless a new one opens soon", () => {
  const model = fakeModel({ token: "t" });
  const [one, two] = [view(model), view(model)];
  expect(document.head.textContent).toContain('[data-fr="t"]');
  one.abort();
  vi.advanceTimersByTime(UNSEEN_MS);
  expect(model.sent).toEqual([]);
  two.abort();
  const three = view(model); // the cell was run again
  vi.advanceTimersByTime(UNSEEN_MS);
  expect(model.sent).toEqual([]);
  three.abort();
  vi.advanceTimersByTime(UNSEEN_MS);
  expect(model.sent).toEqual([{ unseen: 1 }]);
  expect(document.head.children).toHaveLength(0);
  expect(model.listening()).toBe(0);
});

test("closing a notebook is not reported", () => {
  const model = fakeModel({ token: "u" });
  const one = view(model);
  document.querySelector(".jp-Notebook").remove();
  one.abort();
  vi.advanceTimersByTime(UNSEEN_MS);
  expect(model.sent).toEqual([]);
});

test("a view answers the roll call", () => {
  const model = fakeModel({ token: "v" });
  const one = view(model);
  model.receive({ roll: 3 });
  expect(model.sent).toEqual([{ here: 3 }]);
  one.abort();
});

test("a saved state is offered to the widget in the same cell, or to the only one of its kind", () => {
  const at = (place, kind = "k") => ({ kind, notebook: "n", place, state: { place } });
  expect(leftBehind([at(1), at(2)], at(2))?.place).toBe(2);
  expect(leftBehind([at(1), at(2)], at(3))).toBeUndefined();
  expect(leftBehind([at(1), at(2, "other")], at(3))?.place).toBe(1);
});

test("a saved state is shown as text and restored by one request", () => {
  const lost = fakeModel({ _anywidget_id: "k", state: { version: 1, age: 60 } });
  const forget = keepState(el, lost);
  expect(JSON.parse(el.querySelector("input").value)).toEqual({ version: 1, age: 60 });
  forget();
  expect(el.querySelector("input")).toBeNull();
  const model = fakeModel({ _anywidget_id: "k", state: { version: 1, age: 35 } });
  offerState(el, model);
  el.querySelector("[data-action=restore]").click();
  expect(model.sent[0].request).toMatchObject({ action: "restore", seq: 1, state: { version: 1, age: 60 } });
  expect(el.querySelector(".fr-bookmark")).toBeNull();
  offerState(el, model);
  expect(el.querySelector(".fr-bookmark")).toBeNull();
});
