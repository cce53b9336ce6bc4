// @vitest-environment jsdom
import { expect, test } from "vitest";
import { aim, createModel, nearest } from "../../fr_explore_widgets/shared/page_model.js";

const axes = { age: [20, 40, 60], hue: [-30, 0, 30], place: [0, 1] };
const star = [
  { age: 40, hue: 0, place: 0 },
  { age: 20, hue: 0, place: 0 },
  { age: 60, hue: 0, place: 0 },
  { age: 40, hue: 30, place: 0 },
  { age: 40, hue: 0, place: 1 },
];
const start = star[0];
const data = () => ({
  traits: {
    reply: { seq: 0, serial: 7 },
    figures: { seq: 0, serial: 7, can: {} },
    setup: { a: 1 },
    error: {},
  },
  axes,
  start,
  answers: star.map((at) => [at, { reply: { seq: 0, at }, figures: { seq: 0, can: {} }, state: { at } }]),
  blobs: [],
});

async function ask(model, request) {
  model.set("request", { client: "a", seq: 1, ...request });
  model.save_changes();
  await new Promise((done) => setTimeout(done, 0));
  return model.get("reply").at;
}

test("a request moves along the axes that it names", () => {
  const aimed = aim(axes, start, { action: "set", values: { age: 55 }, phase: "drag" });
  expect(aimed).toEqual({ to: { age: 55, hue: 0, place: 0 }, moved: ["age"] });
  expect(aim(axes, start, { action: "identity", place: 1 })?.moved).toEqual(["place"]);
  expect(aim(axes, start, { action: "pin" })).toBeNull();
});

test("the moved axis counts first, then the nearest answer on the other axes", () => {
  const answers = star.map((at) => ({ at }));
  const to = { age: 58, hue: 30, place: 0 };
  expect(nearest(answers, axes, to, ["age"])?.at).toEqual(star[2]);
  expect(nearest(answers, axes, to, ["hue"])?.at).toEqual(star[3]);
  expect(nearest([], axes, to, ["hue"])).toBeUndefined();
  const words = [{ at: { name: "b" } }, { at: { name: "a" } }];
  expect(nearest(words, { name: ["a", "b"] }, { name: "a" }, ["name"])?.at.name).toBe("a");
});

test("answers carry the request's tag, and undo, redo and reset need no kernel", async () => {
  const model = await createModel(data());
  expect(model.get("offline")).toBe(true);
  const request = { action: "set", values: { age: 57 }, moved: "age", phase: "commit", client: "b", seq: 9 };
  expect(await ask(model, request)).toEqual(star[2]);
  const mark = { client: "b", seq: 9, serial: 8, moved: "age", drag: false };
  expect(model.get("reply")).toMatchObject(mark);
  expect(model.get("figures").can).toEqual({ undo: true, redo: false });
  expect(model.get("state")).toEqual({ at: star[2] });
  expect(await ask(model, { action: "set", values: { hue: 20 }, phase: "drag" })).toEqual(star[3]);
  expect(await ask(model, { action: "undo" })).toEqual(start);
  expect(model.get("figures").can).toEqual({ undo: false, redo: true });
  expect(await ask(model, { action: "redo" })).toEqual(star[2]);
  expect(await ask(model, { action: "reset" })).toEqual(start);
  await ask(model, { action: "dance" });
  expect(model.get("error").what).toBe("This page has no kernel.");
  await ask(model, { action: "identity", place: 1 });
  expect(model.get("error")).toEqual({});
});

test("bytes are revived as a DataView, and listeners are called until they are removed", async () => {
  const model = await createModel({ traits: { frame: { $bytes: 0 } }, blobs: [btoa("\u0001\u0002\u0003")] });
  expect(model.get("frame").getUint8(2)).toBe(3);
  const heard = [];
  const hear = () => heard.push(model.get("state"));
  model.on("change:state", hear);
  model.set("state", 1);
  model.off("change:state", hear);
  model.set("state", 2);
  expect(heard).toEqual([1]);
});
