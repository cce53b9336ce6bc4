// @vitest-environment jsdom
import { expect, test } from "vitest";
import { assign, origin } from "../../fr_explore_widgets/camera/panes.js";
import { cameraProblem } from "../../fr_explore_widgets/photo/camera.js";

const at = (left, right) => ({ box: [left, 0, right, 10] });
const modes = (...names) => names.map((mode) => ({ mode }));

test("two faces lie as in a mirror; one face goes where the camera is followed", () => {
  // the picture's right side is the mirror's left side
  expect(assign(modes("follow", "follow"), [at(0, 50), at(60, 90)])).toEqual([1, 0]);
  expect(assign(modes("follow", "follow"), [at(60, 90), at(0, 20)])).toEqual([0, 1]);
  expect(assign(modes("follow", "follow"), [at(0, 50)])).toEqual([0, -1]);
  expect(assign(modes("held", "follow"), [at(0, 50), at(60, 90)])).toEqual([-1, 0]); // the largest
  expect(assign(modes("file", "held"), [at(0, 50)])).toEqual([-1, -1]);
  expect(assign(modes("follow", "follow"), [])).toEqual([-1, -1]);
});

test("where a face comes from is said", () => {
  const pane = { mode: "follow", portrait: null, name: "", seen: 0 };
  expect(origin(pane, false)).toBe("no face yet");
  expect(origin(pane, true)).toBe("no face in view");
  expect(origin({ ...pane, portrait: {} }, true)).toBe("live from the camera");
  expect(origin({ ...pane, mode: "file", name: "anna.jpg" }, true)).toBe("anna.jpg");
});

test("a page without a camera says where there is one, and that a file works", () => {
  expect(cameraProblem(null, "Open it elsewhere.").todo).toBe(
    "Open it elsewhere. Or choose a picture from a file.",
  );
  expect(cameraProblem(null).todo).toContain("Open Jupyter");
});
