// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cameraProblem } from "../../fr_explore_widgets/photo/camera.js";
import widget, { news } from "../../fr_explore_widgets/photo/index.js";
import {
  LONGEST_SIDE,
  MOST_BYTES,
  prepare,
  toJpeg,
  within,
} from "../../fr_explore_widgets/photo/pictures.js";
import { PING_MS } from "../../fr_explore_widgets/shared/notice.js";
import { fakeCanvas, fakeModel } from "../fake_model.js";

const GOOD = { key: 1, name: "anna", ok: true, person: "", note: "One face found.", todo: "" };
const BAD = {
  key: 2,
  name: "cup",
  ok: false,
  person: "",
  note: "No face found.",
  todo: "Use a picture of one face.",
};
const JPEG = new Uint8Array([0xff, 0xd8, 7]);

let drawn;
let el;
let model;
let sizes;
let stop;

/** A file as the picker gives it; jsdom's has no arrayBuffer. */
const file = (name, size = 3) => ({ name, size, arrayBuffer: async () => JPEG.buffer });
const find = (selector) => el.querySelector(selector);
const press = (action) => find(`[data-action=${action}]`).click();
const requests = () => model.sent.flatMap(({ request }) => (request ? [request] : []));
const turns = () => vi.advanceTimersByTimeAsync(100);

function open(traits = {}) {
  const sprite = new DataView(new ArrayBuffer(3 * 96 * 96));
  model = fakeModel({ items: [], sprite, error: {}, reply: {}, upload: null, ...traits });
  el = document.createElement("div");
  document.body.append(el);
  stop = widget.render({ model, el });
}

function pick(...files) {
  const input = find("input[type=file]");
  Object.defineProperty(input, "files", { value: files, configurable: true });
  input.dispatchEvent(new Event("change"));
}

/** What the kernel does with a request. */
function answer(items) {
  const { client, seq } = requests().at(-1);
  model.receive({ items });
  model.receive({ reply: { client, seq } });
}

/** A camera that grants what the test says, and remembers its tracks. */
function fakeCamera(grant = async (stream) => stream) {
  const tracks = [];
  const getUserMedia = vi.fn(async () => {
    const track = { stop: vi.fn(), addEventListener: () => {} };
    tracks.push(track);
    return grant({ getTracks: () => [track] });
  });
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
  return tracks;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
  vi.stubGlobal("createImageBitmap", async () => ({ width: 4000, height: 3000, close: () => {} }));
  URL.createObjectURL = vi.fn(() => "blob:one");
  URL.revokeObjectURL = vi.fn();
  drawn = fakeCanvas(vi);
  sizes = [];
  vi.spyOn(HTMLCanvasElement.prototype, "toBlob").mockImplementation(function give(done, type) {
    sizes.push([this.width, this.height, type]);
    done({ arrayBuffer: async () => JPEG.buffer });
  });
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
  vi.spyOn(HTMLVideoElement.prototype, "videoWidth", "get").mockReturnValue(1280);
  vi.spyOn(HTMLVideoElement.prototype, "videoHeight", "get").mockReturnValue(720);
});

afterEach(() => {
  stop?.();
  stop = undefined;
  document.body.replaceChildren();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a picture before it is sent", () => {
  test.each([
    [4000, 3000, [1024, 768]],
    [3000, 4000, [768, 1024]],
    [640, 480, [640, 480]],
    [20000, 3, [1024, 1]],
  ])("%i x %i px", (width, height, expected) => {
    expect(within(width, height)).toEqual(expected);
  });

  test("is reduced to JPEG on white", async () => {
    expect(new Uint8Array(await toJpeg({}, 4000, 3000))).toEqual(JPEG);
    expect(sizes).toEqual([[LONGEST_SIDE, 768, "image/jpeg"]]);
    expect(drawn.map(([name]) => name)).toEqual(["fillRect", "drawImage"]);
  });

  test("goes as it is where the browser cannot open it, unless it is too large", async () => {
    vi.stubGlobal("createImageBitmap", () => Promise.reject(new Error("no decoder")));
    expect(await prepare(file("a.tif"))).toEqual({ name: "a.tif", data: JPEG.buffer });
    await expect(prepare(file("b.tif", MOST_BYTES + 1))).rejects.toMatchObject({
      what: "b.tif was not sent.",
    });
    expect(sizes).toEqual([]);
  });
});

test("what happened, in words", () => {
  expect(news([], [GOOD])).toBe("anna: One face found.");
  expect(news([GOOD], [GOOD, BAD])).toBe("cup: No face found. Use a picture of one face.");
  expect(news([GOOD, BAD], [BAD])).toBe("Discarded: anna.");
  expect(news([GOOD], [GOOD])).toBe("");
});

test.each([
  [null, "This page cannot use a camera.", "https"],
  [{ name: "NotAllowedError" }, "The browser did not allow the camera.", "Allow it for this page"],
  [{ name: "NotFoundError" }, "No camera was found.", "Connect one"],
  [{ name: "NotReadableError" }, "The camera cannot be opened.", "Close the program"],
  [{ name: "AbortError", message: "odd" }, "The camera could not be started.", "AbortError: odd"],
])("a camera that fails with %o", (error, what, words) => {
  const problem = cameraProblem(error);
  expect(problem.what).toBe(what);
  expect(`${problem.why} ${problem.todo}`).toContain(words);
  expect(problem.todo).toContain("choose a picture from a file");
});

describe("pictures on their way", () => {
  test("a line says where they stay", () => {
    open();
    expect(find(".fr-privacy").textContent).toMatch(
      /sent to the kernel.*Binder.*not written to disk.*deleted when you discard/,
    );
  });

  test("bytes and request go in one message, one picture at a time", async () => {
    open();
    pick(file("anna.jpg"), file("cup.png"));
    await turns();
    expect(model.sent).toHaveLength(1);
    expect(requests()[0]).toMatchObject({ action: "add", name: "anna.jpg", size: 3 });
    expect(new Uint8Array(model.sent[0].upload.buffer)).toEqual(JPEG);
    expect(find(".fr-status").textContent).toContain("anna.jpg");
    answer([GOOD]);
    await turns();
    expect(requests().map(({ name }) => name)).toEqual(["anna.jpg", "cup.png"]);
    answer([GOOD, BAD]);
    await turns();
    expect([...el.querySelectorAll("li b")].map((node) => node.textContent)).toEqual(["anna", "cup"]);
    expect(find(".fr-none").textContent).toContain("No face found. Use a picture of one face.");
    expect(find(".fr-hidden[role=status]").textContent).toContain("cup: No face found.");
    expect(requests().at(-1)).toMatchObject({ action: "update_photos" });
    expect(find(".fr-status").textContent).toContain("Preparing");
    answer([GOOD, BAD]);
    expect(find(".fr-status").textContent).toBe("");
  });

  test("a picture waits for the answer to a button: the kernel empties the message after each request", async () => {
    open({ items: [GOOD] });
    find("[aria-label='Remove anna']").click();
    pick(file("a.jpg"));
    await turns();
    expect(model.get("upload")).toBe(null);
    answer([]);
    await turns();
    expect(model.sent.at(-1)).toMatchObject({ request: { action: "add" }, upload: expect.any(DataView) });
  });

  test("discard all also drops what waits to be sent", async () => {
    open({ items: [GOOD] });
    pick(file("a.jpg"), file("b.jpg"));
    await turns();
    press("discard");
    answer([GOOD]);
    await turns();
    answer([]);
    await turns();
    expect(requests().map(({ action }) => action)).toEqual(["add", "discard"]);
  });

  test("dropped pictures stay out of the host's hands", async () => {
    open();
    const drop = new Event("drop", { bubbles: true, cancelable: true });
    drop.dataTransfer = { files: [file("anna.jpg")] };
    const host = vi.fn();
    document.body.addEventListener("drop", host);
    find(".fr-drop").dispatchEvent(drop);
    await turns();
    document.body.removeEventListener("drop", host);
    expect(drop.defaultPrevented).toBe(true);
    expect(host).not.toHaveBeenCalled();
    expect(requests()).toHaveLength(1);
  });

  test("one that fails does not stop the next", async () => {
    open();
    vi.stubGlobal("createImageBitmap", () => Promise.reject(new Error("no decoder")));
    pick(file("huge.tif", MOST_BYTES + 1), file("anna.jpg"));
    await turns();
    expect(find(".fr-error").textContent).toContain("huge.tif was not sent.");
    expect(requests()).toMatchObject([{ name: "anna.jpg" }]);
  });

  test("an error of the kernel shows, and the next can go", async () => {
    open();
    pick(file("anna.jpg"), file("cup.png"));
    await turns();
    const { client, seq } = requests()[0];
    model.receive({ error: { client, seq, what: "The model failed.", why: "", todo: "Try again." } });
    expect(find(".fr-error").textContent).toContain("The model failed.");
    await turns();
    expect(requests()).toHaveLength(2);
  });

  test("the remove button names its picture, and the focus stays in the list", () => {
    open({ items: [GOOD, BAD] });
    const button = find("[aria-label='Remove anna']");
    button.focus();
    button.click();
    expect(requests()[0]).toMatchObject({ action: "remove", key: 1 });
    answer([BAD]);
    expect(document.activeElement).toBe(find("[aria-label='Remove cup']"));
    document.activeElement.click();
    answer([]);
    expect(document.activeElement).toBe(find("[data-action=choose]"));
    expect(find("[data-action=discard]").hidden).toBe(true);
  });

  test("every control keeps its keys from the host", () => {
    open({ items: [GOOD] });
    for (const node of el.querySelectorAll("button, input"))
      expect(node.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  });
});

describe("the camera", () => {
  test("is off as soon as the picture is taken, and sends nothing before it is used", async () => {
    const tracks = fakeCamera();
    open();
    press("camera");
    await turns();
    expect(find(".fr-camera").dataset.stage).toBe("live");
    expect(document.activeElement).toBe(find("[data-action=take]"));
    press("take");
    await turns();
    expect(find(".fr-camera").dataset.stage).toBe("taken");
    expect(tracks[0].stop).toHaveBeenCalled();
    expect(document.activeElement).toBe(find("[data-action=use]"));
    expect(model.sent).toEqual([]);
    press("use");
    await turns();
    expect(requests()).toMatchObject([{ action: "add", name: "", size: 3 }]);
    expect(find(".fr-camera").hidden).toBe(true);
    expect(URL.revokeObjectURL).toHaveBeenCalledWith("blob:one");
  });

  test("retake starts it again; discard sends nothing", async () => {
    const tracks = fakeCamera();
    open();
    press("camera");
    await turns();
    press("take");
    await turns();
    press("retake");
    await turns();
    expect(tracks).toHaveLength(2);
    expect(find(".fr-camera").dataset.stage).toBe("live");
    press("take");
    await turns();
    press("stop-camera");
    expect(tracks.every((track) => track.stop.mock.calls.length)).toBe(true);
    expect(model.sent).toEqual([]);
    expect(document.activeElement).toBe(find("[data-action=camera]"));
  });

  test.each([
    ["Stop", () => press("stop-camera")],
    [
      "Escape",
      () => find(".fr-camera").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })),
    ],
    ["removing the view", () => stop()],
  ])("%s puts it off, also while permission is pending", async (_, end) => {
    const tracks = fakeCamera();
    open();
    press("camera");
    await turns();
    end();
    expect(tracks[0].stop).toHaveBeenCalled();

    let grant;
    const late = fakeCamera((stream) => new Promise((done) => (grant = () => done(stream))));
    open();
    press("camera");
    await turns();
    expect(late[0].stop).not.toHaveBeenCalled();
    end();
    grant();
    await turns();
    expect(late[0].stop).toHaveBeenCalled();
    expect(find(".fr-camera").dataset.stage).toBe("off");
  });

  test("refused: what to do", async () => {
    fakeCamera(() => Promise.reject(Object.assign(new Error("no"), { name: "NotAllowedError" })));
    open();
    press("camera");
    await turns();
    expect(find(".fr-error").textContent).toContain("The browser did not allow the camera.");
    expect(find(".fr-camera").hidden).toBe(true);
    vi.stubGlobal("navigator", {});
    press("camera");
    await turns();
    expect(find(".fr-error").textContent).toContain("localhost or over https");
  });
});

test("a kernel that is gone takes pictures, camera and waiting files with it", async () => {
  const tracks = fakeCamera();
  open({ items: [GOOD] });
  press("camera");
  await turns();
  pick(file("a.jpg"), file("b.jpg"));
  await turns();
  expect(requests()).toHaveLength(1);
  model.fire("comm_live_update");
  await vi.advanceTimersByTimeAsync(PING_MS + 100);
  expect(find(".fr-banner").textContent).toContain("the pictures with it");
  expect(tracks[0].stop).toHaveBeenCalled();
  expect(el.querySelectorAll("li")).toHaveLength(0);
  expect(find("[data-action=choose]").disabled).toBe(true);
  pick(file("c.jpg"));
  await turns();
  expect(requests()).toHaveLength(1);
  stop();
  expect(model.listening()).toBe(0);
});

describe("who is who", () => {
  const fields = () => [...el.querySelectorAll(".fr-who")];

  test("each picture with a face has a field for who it shows", () => {
    open({ items: [GOOD, { ...GOOD, key: 3, name: "anna 2", person: "Anna" }, BAD] });
    expect(fields().map((field) => [field.getAttribute("aria-label"), field.value])).toEqual([
      ["Who does anna show?", ""],
      ["Who does anna 2 show?", "Anna"],
    ]);
    fields()[0].value = "Anna";
    fields()[0].dispatchEvent(new Event("change"));
    expect(requests().at(-1)).toMatchObject({ action: "name", key: 1, person: "Anna" });
  });

  test("what is being typed outlives another picture, and the hint goes when all are named", async () => {
    open({ items: [GOOD] });
    expect(find(".fr-who-hint").hidden).toBe(true);
    fields()[0].focus();
    fields()[0].value = "An";
    const other = { ...GOOD, key: 5, name: "bob", person: "Bob" };
    model.receive({ items: [GOOD, other] });
    expect(document.activeElement).toBe(fields()[0]);
    expect(fields().map((field) => field.value)).toEqual(["An", "Bob"]);
    expect(find(".fr-who-hint").hidden).toBe(false);
    model.receive({ items: [{ ...GOOD, person: "Anna" }, other] });
    expect(find(".fr-who-hint").hidden).toBe(true);
  });
});
