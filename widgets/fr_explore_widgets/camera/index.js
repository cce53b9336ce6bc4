// The page of a PhotoExplorer: faces from the camera or from files, judged in the page; the camera's pictures and those
// of files are never kept longer than they are shown.

import { createKey } from "../attribute/key.js";
import { createAttributeSlider } from "../attribute/slider.js";
import { latest } from "../engine/client.js";
import { distance } from "../engine/measure.js";
import { button, div, h } from "../shared/dom.js";
import { createFrame, widget } from "../shared/frame.js";
import { assign, createPane, NAMES, paintPortrait } from "./panes.js";
import { createCamera, readFile } from "./source.js";

/** @typedef {import("../engine/types").Portrait} Portrait */
/** @typedef {import("../shared/types").Problem} Problem */
/** @typedef {import("./types").Pane} Pane */
/** @typedef {import("./types").Setup} Setup */

const PRIVACY =
  "Nothing leaves this page: its own policy forbids it every connection, and it stores no picture and no embedding.";
/** Pictures until all faces are looked for again; between them those that are known are followed, which is quicker. */
const FOLLOWED = 8;
/** A face that is lost for a moment stays. */
const GRACE_MS = 700;
const RATE_MS = 2000;
const NOBODY = {
  what: "No face was found in this picture.",
  why: "",
  todo: "Use a picture of one upright, frontal and well-lit face that fills at least a tenth of it.",
};

/** @param {import("../shared/frame").Context} context */
function build(context) {
  const { model, signal } = context;
  const { card, attributes } = /** @type {Setup} */ (model.get("setup"));
  /** @type {Promise<import("./live").Judge>} */
  const judge = model.get("judge");
  /** @type {Pane[]} */
  const panes = NAMES.map(() => empty());
  /** @type {Record<string, number>} */
  let edits = {};
  let live = false;
  /** @type {number[]} when figures of the camera came */
  let times = [];

  const frame = createFrame("fr-camera-page", {
    role: "region",
    "aria-label": "Two faces, judged in this page",
  });
  const { root, notices, say } = frame;
  const problem = (/** @type {Problem} */ one) => notices.showError(one);
  const video = h("video", { "aria-label": "What the camera sees, as in a mirror" });
  const boxes = NAMES.map((text) => h("i", { class: "fr-box", "data-name": text, hidden: true }));
  const view = h("figure", { class: "fr-view", hidden: true }, video, ...boxes);
  const rate = h("p", { class: "fr-sub fr-rate" });
  const camera = createCamera(video, { onProblem: problem, onEnd: ended });
  const start = button("Use the camera", "camera", open);
  const stop = button("Stop the camera", "stop-camera", () => camera.close());
  stop.hidden = true;
  const key = createKey(card);
  const hint = h("p", { class: "fr-sub fr-hint" });
  const views = NAMES.map((_, i) =>
    createPane(i, {
      onFiles: (files) => files?.[0] && take(i, files[0]),
      onHold: () => hold(i),
      onClear: () => put(i, empty()),
    }),
  );
  const help = h("p", { class: "fr-sub fr-help" });
  const sliders = attributes.map((attribute) => {
    const actions = {
      onMove: (/** @type {string} */ name, /** @type {number} */ value) => {
        edits = { ...edits, [name]: value };
        if (value === attribute.neutral) delete edits[name];
        update();
      },
      onHelp: (/** @type {string} */ text) => {
        help.textContent = text;
      },
    };
    return { ...createAttributeSlider(attribute, actions), attribute };
  });
  const title = h("h3", { text: "Edit the face" });
  const reset = button("Reset", "reset", () => {
    for (const { attribute, set } of sliders) set(attribute.neutral);
    edits = {};
    update();
  });
  root.append(
    div("fr-flow", h("h3", { text: "Two faces, judged in this page" }), div("fr-actions", start, stop), rate),
    h("p", { class: "fr-sub fr-privacy", text: PRIVACY }),
    key.root,
    hint,
    div(
      "fr-stage",
      ...views.map((one) => one.root),
      h(
        "section",
        { class: "fr-edits fr-stack", "aria-label": "Edits" },
        h("div", { class: "fr-row" }, title, h("span", { class: "fr-end" }, reset)),
        ...sliders.map(({ row }) => row),
        help,
      ),
      view,
    ),
  );

  /** @returns {Pane} */
  function empty() {
    return { mode: "follow", portrait: null, name: "", seen: 0 };
  }

  /** @param {number} place @param {Pane} pane */
  function put(place, pane) {
    panes[place] = pane;
    update();
  }

  /** @param {number} place */
  function hold(place) {
    const pane = panes[place];
    put(place, pane.mode === "follow" ? { ...pane, mode: "held" } : empty());
  }

  /** The face that the sliders edit. */
  const edited = () => (panes[1].portrait ? 1 : 0);

  function show() {
    panes.forEach((pane, i) => {
      views[i].show(pane, live);
      if (i !== edited() || !Object.keys(edits).length) paintPortrait(views[i].canvas, pane.portrait);
    });
    title.textContent = `Edit face ${NAMES[edited()]}`;
    start.hidden = live;
    stop.hidden = view.hidden = !live;
    reset.disabled = !Object.keys(edits).length;
  }

  /** The edited face and the distance; the newest faces win. */
  const judged = latest(async () => {
    const { edit, vectorOf } = await judge;
    const [a, b] = panes.map(({ portrait }) => portrait);
    const place = edited();
    const subject = panes[place].portrait;
    const changed = Object.keys(edits).length > 0;
    let far = Number.NaN;
    let alone = Number.NaN;
    if (subject) {
      const face = changed ? await edit(subject, edits) : subject;
      paintPortrait(views[place].canvas, face);
      if ((a && b) || changed) {
        const other = a && b ? a : subject;
        const [x, y] = await Promise.all([vectorOf(other), vectorOf(face)]);
        far = distance(x, y, card.metric === "cosine" ? "cosine" : "euclidean");
        // of a moving face, a third embedding would cost pictures
        if (a && b && changed && panes[place].mode !== "follow")
          alone = distance(await vectorOf(subject), y, card.metric === "cosine" ? "cosine" : "euclidean");
      }
    }
    tell({ far, alone, two: Boolean(a && b), face: Boolean(subject) });
  });

  /** @param {{far: number, alone: number, two: boolean, face: boolean}} found */
  function tell({ far, alone, two, face }) {
    key.show({ distance: far, gallery: {}, place: 0, sameIdentity: two ? null : true });
    const asked = face
      ? "Move a slider to edit the face, or bring a second one: another person in view, or a picture."
      : "Use the camera, or choose a picture.";
    const words = Number.isFinite(alone)
      ? `The edit alone moves face ${NAMES[edited()]} by ${alone.toFixed(3)}.`
      : "Face A and face B: the model decides, and nobody said who they are.";
    hint.textContent = two ? words : Number.isFinite(far) ? "The face against itself, unedited." : asked;
    root.dataset.distance = String(far);
    if (live) {
      const now = performance.now();
      times = [...times.filter((one) => now - one < RATE_MS), now];
      const rates = (times.length - 1) / Math.max((now - times[0]) / 1000, 1e-6);
      root.dataset.rate = rates.toFixed(1);
      rate.textContent = times.length > 5 ? `${rates.toFixed(0)} pictures a second` : "";
    }
  }

  function update() {
    show();
    return judged(null).catch((error) => problem(failure(error)));
  }

  const failure = (/** @type {any} */ error) =>
    error?.what
      ? error
      : {
          what: "The page could not judge this.",
          why: String(error?.message ?? error),
          todo: "Try another picture.",
        };

  /** @param {number} place @param {File} file */
  async function take(place, file) {
    notices.showError({});
    try {
      const found = await (await judge).look(await readFile(file));
      if (!found.length) return problem({ ...NOBODY, what: `${file.name}: no face was found.` });
      const { name } = file;
      const pane = (/** @type {number} */ i) =>
        /** @type {Pane} */ ({ mode: "file", portrait: found[i], name, seen: 0 });
      const other = 1 - place;
      if (found.length > 1 && !panes[other].portrait) {
        // two people of one picture lie as they do there
        const order = found[0].box[0] < found[1].box[0] ? [0, 1] : [1, 0];
        panes[0] = pane(order[0]);
        put(1, pane(order[1]));
      } else put(place, pane(0));
      say(`${name}: ${found.length > 1 ? "two faces" : "one face"} found.`);
    } catch (error) {
      problem(failure(error));
    }
  }

  async function open() {
    notices.showError({});
    start.disabled = true;
    const granted = await camera.open();
    start.disabled = false;
    if (!granted || signal.aborted) return camera.close();
    live = true;
    times = [];
    show();
    stop.focus();
    say("The camera is on.");
    watch().catch((error) => {
      camera.close();
      problem(failure(error));
    });
  }

  async function watch() {
    const { look } = await judge;
    /** @type {Portrait[]} */
    let found = [];
    let count = 0;
    /** @type {Promise<unknown>} one picture is judged while the next one is looked at, and no more */
    let before = Promise.resolve();
    for (let pixels = await camera.next(); pixels; pixels = await camera.next()) {
      const { width, height } = pixels;
      const near = count++ % FOLLOWED ? found.map(({ box }) => box) : [];
      found = await look(pixels, near);
      if (!live) return;
      const now = performance.now();
      assign(panes, found).forEach((at, i) => {
        const pane = panes[i];
        if (pane.mode !== "follow") {
          boxes[i].hidden = true;
          return;
        }
        if (at >= 0) panes[i] = { ...pane, portrait: found[at], seen: now };
        else if (now - pane.seen > GRACE_MS) panes[i] = empty();
        mark(boxes[i], found[at], width, height);
      });
      await before;
      before = update();
    }
  }

  /** @param {HTMLElement} box @param {Portrait | undefined} face @param {number} width @param {number} height */
  function mark(box, face, width, height) {
    box.hidden = !face;
    if (!face) return;
    const [left, top, right, bottom] = face.box;
    // mirrored, as the picture is
    const sides = {
      left: 1 - right / width,
      top: top / height,
      width: (right - left) / width,
      height: (bottom - top) / height,
    };
    for (const [side, share] of Object.entries(sides)) box.style.setProperty(side, `${100 * share}%`);
  }

  function ended() {
    live = false;
    rate.textContent = "";
    delete root.dataset.rate;
    panes.forEach(({ mode }, i) => {
      if (mode === "follow") panes[i] = empty(); // nothing stays that the reader did not hold
    });
    if (signal.aborted) return;
    update();
    say("The camera is off.");
    start.focus();
  }

  root.addEventListener("keydown", (event) => event.key === "Escape" && camera.close());
  signal.addEventListener("abort", () => camera.close());
  frame.open(context, { lost: "" });
  update();
}

export default widget(build);
