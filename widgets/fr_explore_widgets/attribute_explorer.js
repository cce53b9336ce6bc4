// AttributeExplorer: sliders, the face beside its reference, the distance, and the path on the map.

import { followTheme, h, paint, term, uid } from "./shared_dom.js";
import { createLink } from "./shared_link.js";
import { createMap, cutSprite } from "./shared_map.js";
import { createNotices, watchKernel } from "./shared_notice.js";
import { createPicker } from "./shared_picker.js";
import { createSlider } from "./shared_slider.js";
import { describe, formatValue, GLOSSARY, meterEnd, verdict } from "./shared_words.js";

/** @typedef {import("./shared_types").Attribute} Attribute */
/** @typedef {import("./shared_types").Figures} Figures */
/** @typedef {import("./shared_types").Gallery} Gallery */
/** @typedef {import("./shared_types").Model} Model */
/** @typedef {import("./shared_types").Problem} Problem */
/** @typedef {import("./shared_types").Reply} Reply */
/** @typedef {import("./shared_types").Setup} Setup */

const GROUPS = [
  { key: "face", title: "Face" },
  { key: "light", title: "Light" },
  { key: "image", title: "Image" },
];
const LOST =
  "The kernel that ran this widget is gone. What you see is its last state; run the cell again for a live one.";
const SILENT = "The kernel has not answered for some seconds: it is busy, or it was restarted.";

/** @param {string} title @param {number} size */
function createPicture(title, size) {
  const canvas = h("canvas", { width: size, height: size, role: "img", "aria-label": title });
  const caption = h("span", { class: "fr-sub" });
  const figure = h("figure", {}, canvas, h("figcaption", {}, h("b", { text: title }), caption));
  return { figure, canvas, caption };
}

/** The key figure, its meter and its sentence. @param {Setup} setup */
function createKey(setup) {
  const { threshold, threshold_source: source, title, dim } = setup.model;
  const figure = h("span", { class: "fr-figure", text: "\u2013" });
  const limit = threshold === null ? "no threshold" : `of threshold ${threshold.toFixed(2)}`;
  const fill = h("div", { class: "fr-fill" });
  const natural = h("div", { class: "fr-natural", hidden: true });
  const tick = h("div", { class: "fr-tick", hidden: threshold === null });
  const others = h("div", { class: "fr-others", hidden: true });
  const meter = h("div", { class: "fr-meter", role: "meter", "aria-label": "distance to the reference" });
  meter.append(natural, fill, tick, others);
  const sentence = h("p", { class: "fr-sentence" });
  const marks = h("p", { class: "fr-marks" });
  const root = h(
    "section",
    { class: "fr-key", "aria-label": "Distance to the reference" },
    h("h3", { text: "How far did it move?" }),
    h(
      "p",
      { class: "fr-line" },
      figure,
      " ",
      term("distance", GLOSSARY.distance),
      " ",
      h("span", { class: "fr-sub" }, term(limit, `${GLOSSARY.threshold} Source: ${source}.`)),
    ),
    meter,
    sentence,
    marks,
    h("p", { class: "fr-sub", text: `${title}, ${dim} dimensions` }),
  );

  /** @param {number} distance @param {Gallery} gallery @param {number} place @param {boolean} sameIdentity */
  function show(distance, gallery, place, sameIdentity) {
    const usual = gallery.natural?.[place] ?? null;
    const end = meterEnd(threshold, gallery.between, distance);
    const { kind, text } = verdict({ distance, threshold, natural: usual, sameIdentity });
    const known = Number.isFinite(distance);
    figure.textContent = known ? distance.toFixed(3) : "\u2013";
    root.dataset.kind = kind;
    root.dataset.distance = String(distance);
    sentence.textContent = `${sameIdentity ? "" : "Two different identities. "}${text}`;
    const set = (/** @type {HTMLElement} */ node, /** @type {number | null | undefined} */ value) => {
      node.hidden = value === null || value === undefined;
      node.style.setProperty("--at", String((value ?? 0) / end));
    };
    set(fill, known ? distance : 0);
    set(tick, threshold);
    set(natural, usual);
    set(others, gallery.between);
    showMarks(usual, gallery.between ?? null);
    meter.setAttribute("aria-valuemin", "0");
    meter.setAttribute("aria-valuemax", String(end));
    meter.setAttribute("aria-valuenow", String(known ? distance : 0));
    meter.setAttribute("aria-valuetext", known ? `${distance.toFixed(3)}. ${text}` : text);
  }

  let shown = "";
  /** @param {number | null} usual @param {number | null} between */
  function showMarks(usual, between) {
    const now = `${usual} ${between}`;
    if (now === shown) return; // an open explanation stays open
    shown = now;
    marks.replaceChildren();
    const key = (
      /** @type {string} */ kind,
      /** @type {keyof typeof GLOSSARY} */ word,
      /** @type {number} */ value,
    ) =>
      h(
        "span",
        { class: `fr-mark fr-mark-${kind}` },
        h("i"),
        term(word, GLOSSARY[word]),
        ` ${value.toFixed(2)}`,
      );
    if (usual !== null) marks.append(key("natural", "natural variation", usual));
    if (between !== null) marks.append(key("others", "other people", between));
  }
  return { root, show };
}

/**
 * The sliders, by group. @param {Attribute[]} attributes
 * @param {(name: string, value: number, phase: "drag" | "commit") => void} onMove
 */
function createSliders(attributes, onMove) {
  const root = h("div", { class: "fr-sliders" });
  const foot = h("p", { class: "fr-help fr-help-foot", "aria-hidden": "true" });
  /** @type {Record<string, ReturnType<typeof createSlider>>} */
  const sliders = {};
  const widths = [];
  for (const { key, title } of GROUPS) {
    const own = attributes.filter((a) => a.group === key);
    if (!own.length) continue;
    const help = h("span", { class: "fr-help", "aria-hidden": "true" });
    const id = uid(key);
    const rows = h("div", { class: "fr-rows" });
    const group = h(
      "div",
      { class: "fr-group", role: "group", "aria-labelledby": id },
      h("div", { class: "fr-group-head" }, h("h3", { id, text: title }), help),
      rows,
    );
    const columns = Math.ceil(own.length / 3);
    widths.push(`minmax(0, ${columns}fr)`);
    group.style.setProperty("--columns", String(columns));
    for (const attribute of own) {
      const onHelp = (/** @type {string} */ text) => {
        help.textContent = text;
        foot.textContent = text;
      };
      sliders[attribute.name] = createSlider(attribute, { onMove, onHelp });
      rows.append(sliders[attribute.name].row);
    }
    root.append(group);
  }
  root.append(foot);
  root.style.setProperty("--groups", widths.join(" "));
  return { root, sliders };
}

/** @param {{model: Model, el: HTMLElement, signal?: AbortSignal}} context */
function render({ model, el, signal: given }) {
  const stop = new AbortController();
  given?.addEventListener("abort", () => stop.abort());
  const { signal } = stop;
  const setup = /** @type {Setup} */ (model.get("setup"));
  const byName = new Map(setup.attributes.map((a) => [a.name, a]));
  const nameOf = (/** @type {number} */ place) => setup.identities[place];

  const notices = createNotices();
  const reference = createPicture("Reference", setup.size);
  const live = createPicture("Now", setup.size);
  const picker = createPicker(setup.identities, (place) => link.send({ action: "identity", place }));
  const button = (/** @type {string} */ text, /** @type {string} */ action) => {
    const node = h("button", { type: "button", class: "fr-button", "data-action": action, text });
    node.addEventListener("click", () => link.send({ action: node.dataset.action ?? action }));
    return node;
  };
  const buttons = {
    undo: button("Undo", "undo"),
    redo: button("Redo", "redo"),
    reset: button("Reset", "reset"),
    pin: button("Pin as reference", "pin"),
  };
  const map = createMap({ signal, nameOf });
  const note = h("p", { class: "fr-sub fr-map-note" });
  const key = createKey(setup);
  const spoken = h("div", { class: "fr-hidden", role: "status", "aria-live": "polite" });
  const { root: panel, sliders } = createSliders(setup.attributes, (name, value, phase) => {
    link.send({ action: "set", values: { [name]: value }, moved: name, phase });
  });
  const root = h(
    "div",
    { class: "fr-lab fr-explorer", "data-lm-suppress-shortcuts": "true" },
    notices.root,
    h(
      "div",
      { class: "fr-stage" },
      h(
        "section",
        { class: "fr-faces", "aria-label": "Faces" },
        h("div", { class: "fr-pair" }, reference.figure, live.figure),
        picker.root,
        h("div", { class: "fr-actions" }, ...Object.values(buttons)),
      ),
      h("section", { class: "fr-map", "aria-label": "Map" }, map.root, note),
      key.root,
      panel,
    ),
    spoken,
  );
  el.append(root);

  const link = createLink(model, {
    signal,
    onSilence: (silent) => notices.showBanner(silent ? SILENT : ""),
  });
  let drawn = -1;
  let told = -1;

  function showReply() {
    const reply = /** @type {Reply} */ (model.get("reply"));
    if (!(reply.serial > drawn)) return; // an older answer that came late
    drawn = reply.serial;
    paint(live.canvas, model.get("frame"), reply.shape);
    root.dataset.drawn = String(reply.serial);
    live.canvas.setAttribute(
      "aria-label",
      `Now: identity ${nameOf(reply.place)}, ${describe(setup.attributes, reply.strengths)}`,
    );
    live.caption.textContent = `identity ${nameOf(reply.place)}, ${describe(setup.attributes, reply.strengths)}`;
    root.dispatchEvent(new CustomEvent("fr-drawn", { detail: reply, bubbles: true }));
  }

  function showFigures() {
    const figures = /** @type {Figures} */ (model.get("figures"));
    if (figures.serial < told) return;
    told = figures.serial;
    root.dataset.told = String(told);
    const reply = /** @type {Reply} */ (model.get("reply"));
    const { reference: ref } = figures;
    paint(reference.canvas, model.get("reference_frame"), ref.shape);
    reference.caption.textContent = `identity ${nameOf(ref.place)}, ${describe(setup.attributes, ref.strengths)}`;
    reference.canvas.setAttribute("aria-label", `Reference: ${reference.caption.textContent}`);
    key.show(figures.distance, model.get("gallery"), reply.place, ref.place === reply.place);
    movePoint(figures, reply);
    buttons.undo.disabled = !figures.can.undo;
    buttons.redo.disabled = !figures.can.redo;
    buttons.pin.dataset.action = ref.pinned ? "unpin" : "pin";
    buttons.pin.setAttribute("aria-pressed", String(ref.pinned));
    buttons.pin.textContent = ref.pinned ? "Unpin reference" : "Pin as reference";
    link.settle(figures);
    if (!link.busy) {
      for (const [name, slider] of Object.entries(sliders)) slider.set(reply.strengths[name]);
      picker.set(reply.place);
    }
    if (!figures.drag && told > 1) say(figures, reply);
    root.dispatchEvent(new CustomEvent("fr-told", { detail: figures, bubbles: true }));
  }

  /** @param {Figures} figures @param {Reply} reply */
  function movePoint(figures, reply) {
    if (!figures.point) return;
    const moved = figures.moved ? byName.get(figures.moved) : undefined;
    const step = {
      color: moved?.color ?? "",
      shape: moved?.shape ?? "circle",
      label: moved?.label ?? "",
      name: moved?.name ?? "",
    };
    const fresh = Boolean(figures.fresh);
    map.move(figures.point, { who: reply.place, fresh, reference: figures.reference_point, step });
  }

  /** @param {Figures} figures @param {Reply} reply */
  function say(figures, reply) {
    const moved = figures.moved ? byName.get(figures.moved) : undefined;
    const what = moved ? `${moved.label} ${formatValue(moved, reply.strengths[moved.name])}. ` : "";
    spoken.textContent = `${what}Distance ${figures.distance.toFixed(3)}. ${key.root.querySelector(".fr-sentence")?.textContent}`;
  }

  function showGallery() {
    const gallery = /** @type {Gallery} */ (model.get("gallery"));
    if (gallery.failed) map.progress(`No map, the gallery failed: ${gallery.failed}`);
    else if (gallery.done)
      map.progress(`Rendering the gallery for the map: ${gallery.done} of ${gallery.all} faces`);
    if (!gallery.points || !gallery.order) return;
    const cut = cutSprite(model.get("sprite"), gallery.thumb ?? 48, gallery.order.length);
    /** @type {HTMLCanvasElement[]} */
    const thumbs = [];
    gallery.order.forEach((place, i) => {
      thumbs[place] = cut[i];
    });
    picker.setThumbs(thumbs);
    map.setGallery(gallery.points, thumbs);
    map.describe(
      `${gallery.caption}: ${gallery.points.length} faces of the gallery, the reference, and the path of the current face.`,
    );
    const [term1, rest] = [gallery.caption?.slice(0, 14) ?? "", gallery.caption?.slice(14) ?? ""];
    note.replaceChildren(term(term1, GLOSSARY["PCA projection"]), rest);
  }

  function showError() {
    const problem = /** @type {Problem} */ (model.get("error") ?? {});
    notices.showError(problem);
    root.classList.toggle("fr-stale", Boolean(problem.what));
    if (problem.what) link.settle(problem);
  }

  const listen = { reply: showReply, figures: showFigures, gallery: showGallery, error: showError };
  for (const [name, callback] of Object.entries(listen)) model.on(`change:${name}`, callback);
  signal.addEventListener("abort", () => {
    for (const [name, callback] of Object.entries(listen)) model.off(`change:${name}`, callback);
  });
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    event.stopPropagation();
    link.send({ action: event.shiftKey ? "redo" : "undo" });
  });
  followTheme(root, signal, map.redraw);
  watchKernel(el, model, signal, (gone) => {
    notices.showBanner(gone ? LOST : "");
    root.classList.toggle("fr-lost", gone);
    for (const slider of Object.values(sliders)) slider.disable(gone);
    for (const node of Object.values(buttons)) node.disabled = gone;
    picker.disable(gone);
    link.connect(!gone);
    if (!gone) showFigures();
  });
  showGallery();
  showReply();
  showFigures();
  showError();
  return () => stop.abort();
}

export default { render };
