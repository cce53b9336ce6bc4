// MacroscaleExplorer: pick an attribute; the map, its distributions of distances, its place among all attributes.
// Every figure comes from the kernel's library; here they are looked up and drawn.

import { button, followTheme, h, term, uid } from "../shared/dom.js";
import { createHistory, walkByKeys } from "../shared/history.js";
import { createLink } from "../shared/link.js";
import { createNotices, watchKernel } from "../shared/notice.js";
import { listen } from "../shared/view.js";
import { createCdf, curvesOf } from "./cdf.js";
import { createChart, createNull } from "./chart.js";
import { createMap } from "./map.js";
import { probability, probeWords, TERMS } from "./words.js";

/** @typedef {import("../shared/types").Model} Model */
/** @typedef {import("./types").Row} Row */
/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").State} State */

const LOST =
  "The kernel that ran this widget is gone. What was measured stays; run the cell again for pictures, probes and UMAP.";

/** @param {DataView | undefined} view */
function floats(view) {
  return view?.byteLength
    ? new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))
    : new Float32Array(0);
}

/** The figures of one attribute. @param {AbortSignal} signal */
function createFigures(signal) {
  const words = h("p", { class: "fr-sentence" });
  const strip = createNull(signal);
  const [value, sides, chance, p] = [h("b", { class: "fr-figure" }), h("span"), h("span"), h("span")];
  const root = h(
    "section",
    { class: "fr-key", "aria-label": "Figures of this attribute" },
    words,
    h("p", {}, term("KS", TERMS.ks), " ", value, " ", h("span", { class: "fr-sub" }, sides)),
    strip.root,
    h("p", { class: "fr-sub" }, term("null", TERMS.null), " ", chance),
    h("p", { class: "fr-sub" }, term("p", TERMS.p), " ", p),
  );
  return {
    root,
    words: () => words.textContent ?? "",
    /** @param {Row | undefined} row @param {number} tests */
    show(row, tests) {
      words.textContent = row?.words ?? "This attribute is still being measured.";
      const known = row?.ks_mean !== undefined;
      for (const node of [...root.children].slice(1)) node.toggleAttribute("hidden", !known);
      if (!row || row.ks_mean === undefined) return;
      strip.show(row);
      value.textContent = row.ks_mean.toFixed(3);
      sides.textContent = `mean of ${row.ks_positive?.toFixed(3)} with it and ${row.ks_negative?.toFixed(3)} without; ${row.n} people each`;
      const drawn = row.null_mean !== undefined;
      chance.textContent = drawn
        ? `${row.null_mean?.toFixed(3)} \u00b1 ${row.null_sd?.toFixed(3)} over ${row.null.length} random labellings; the KS is ${row.ks_scaled?.toFixed(1)} times that`
        : "was not drawn";
      p.textContent = drawn
        ? `${probability(row.p_value)}; corrected for ${tests} attributes ${probability(row.p_corrected)}`
        : "\u2013";
    },
  };
}

/** @param {{model: Model, el: HTMLElement, signal?: AbortSignal}} context */
function render({ model, el, signal: given }) {
  const stop = new AbortController();
  given?.addEventListener("abort", () => stop.abort());
  const { signal } = stop;
  const setup = /** @type {Setup} */ (model.get("setup"));
  const alone = Boolean(model.get("offline"));
  let gone = false;
  let state = readState();
  let sent = JSON.stringify(state);
  const history = createHistory(state);

  const notices = createNotices();
  const select = h("select", { class: "fr-select", id: uid("attribute"), "data-control": "attribute" });
  for (const { name, label } of setup.attributes) select.append(h("option", { value: name, text: label }));
  select.addEventListener("change", () => change({ attribute: select.value }));
  const buttons = {
    before: button("\u2039", "before", () => go(-1)),
    after: button("\u203a", "after", () => go(1)),
    undo: button("Undo", "undo", () => walk(-1)),
    redo: button("Redo", "redo", () => walk(1)),
    umap: button("UMAP", "umap", () => change({ projection: state.projection === "umap" ? "pca" : "umap" })),
    probe: button("Linear probe", "probe", () => link.send({ action: "probe" })),
  };
  buttons.before.setAttribute("aria-label", "Attribute before");
  buttons.after.setAttribute("aria-label", "Next attribute");
  if (!setup.umap) buttons.umap.title = "UMAP needs the extra: pip install 'fr-explore[umap]'";
  const swatch = h("i", { class: "fr-swatch", "aria-hidden": "true" });
  const about = h("p", {
    class: "fr-sub",
    text: `${setup.model ? `${setup.model}: ` : ""}${setup.images.toLocaleString("en")} images of ${setup.people} people, ${setup.attributes.length} attributes`,
  });
  const map = createMap(signal, setup, ask);
  map.foot.append(buttons.umap);
  const figures = createFigures(signal);
  const cdf = createCdf(signal);
  const chart = createChart(signal, (attribute) => change({ attribute }));
  const probed = h("p", { class: "fr-probed" });
  const progress = h("p", { class: "fr-sub fr-progress", role: "status" });
  const spoken = h("div", { class: "fr-hidden", role: "status", "aria-live": "polite" });
  const picker = h(
    "div",
    { class: "fr-actions" },
    h("label", { for: select.id, text: "Attribute" }),
    swatch,
    select,
    buttons.before,
    buttons.after,
    buttons.undo,
    buttons.redo,
  );
  const root = h(
    "div",
    { class: "fr-lab fr-macro", "data-lm-suppress-shortcuts": "true" },
    notices.root,
    h("div", { class: "fr-head" }, picker, about),
    h(
      "div",
      { class: "fr-stage" },
      map.root,
      h(
        "div",
        { class: "fr-side" },
        figures.root,
        h(
          "div",
          { class: "fr-actions" },
          buttons.probe,
          h("span", { class: "fr-sub" }, term("What is that?", TERMS.probe)),
        ),
        probed,
        progress,
      ),
      cdf.root,
      chart.root,
    ),
    spoken,
  );
  el.append(root);

  const link = createLink(model, { signal });
  let wanted = -1;

  /** @returns {State} */
  function readState() {
    return {
      version: 1,
      attribute: setup.attributes[0].name,
      projection: "pca",
      ...(model.get("state") ?? {}),
    };
  }

  /** The picture of the point that is pointed at now; those that were passed on the way are not asked for. @param {number} place */
  function ask(place) {
    wanted = place;
    if (!link.busy && !alone && !gone) link.send({ action: "picture", place });
  }

  function showReply() {
    const reply = model.get("reply") ?? {};
    if (reply.action === "picture") map.picture(reply.place, model.get("frame"), reply.shape);
    if (link.settle(reply) && reply.action === "picture" && wanted >= 0 && wanted !== reply.place)
      ask(wanted);
  }

  function showPoints() {
    const laid = floats(model.get("umap_points"));
    const projection = state.projection === "umap" && laid.length ? "umap" : "pca";
    if (root.dataset.projection === projection) return;
    root.dataset.projection = projection;
    map.setPoints(projection === "umap" ? laid : floats(model.get("points")));
    map.explain(projection);
  }

  function draw() {
    const rows = /** @type {Record<string, Row>} */ (model.get("results") ?? {});
    const place = setup.attributes.findIndex((one) => one.name === state.attribute);
    const attribute = setup.attributes[place];
    const row = rows[state.attribute];
    const labels = /** @type {DataView} */ (model.get("labels"));
    const start = labels.byteOffset + place * setup.shown;
    root.style.setProperty("--c", attribute.color);
    select.value = state.attribute;
    showPoints();
    map.show(attribute, new Int8Array(labels.buffer.slice(start, start + setup.shown)), row);
    figures.show(row, setup.attributes.length);
    if (row) cdf.show(row, curvesOf(model.get("curves"), row), setup.metric);
    cdf.root.hidden = !row?.curves;
    const complete = Object.keys(rows).length === setup.attributes.length;
    chart.show(
      { attributes: setup.attributes, rows, now: state.attribute },
      model.get("summary")?.intra_entropy,
      complete,
    );
    probed.textContent = row ? probeWords(row) : "";
    buttons.undo.disabled = !history.canUndo;
    buttons.redo.disabled = !history.canRedo;
    buttons.before.disabled = place === 0;
    buttons.after.disabled = place === setup.attributes.length - 1;
    const laid = Boolean(model.get("umap_points")?.byteLength);
    buttons.umap.disabled = !laid && (!setup.umap || alone || gone);
    buttons.umap.setAttribute("aria-pressed", String(state.projection === "umap"));
    buttons.probe.disabled = alone || gone || Boolean(row?.probe) || !row;
    root.dataset.attribute = state.attribute;
    root.dataset.done = String(Object.keys(rows).length);
  }

  /** @param {Partial<State>} more */
  function change(more) {
    state = { ...state, ...more };
    history.commit(state);
    draw();
    keep();
  }

  function keep() {
    sent = JSON.stringify(state);
    model.set("state", { ...state });
    model.save_changes();
    spoken.textContent = `${setup.attributes.find((one) => one.name === state.attribute)?.label}. ${figures.words()}`;
  }

  /** @param {-1 | 1} by */
  function go(by) {
    const place = setup.attributes.findIndex((one) => one.name === state.attribute) + by;
    if (setup.attributes[place]) change({ attribute: setup.attributes[place].name });
  }

  /** @param {-1 | 1} by */
  function walk(by) {
    if (!(by < 0 ? history.canUndo : history.canRedo)) return;
    state = history.step(by);
    draw();
    keep();
  }

  function fromKernel() {
    const told = readState();
    if (JSON.stringify(told) === sent) return;
    state = told;
    sent = JSON.stringify(told);
    history.commit(state);
    draw();
  }

  function showProgress() {
    const { what, done, all } = model.get("progress") ?? {};
    progress.hidden = !what;
    progress.textContent = what ? `${what}${all ? `: ${done} of ${all}` : " \u2026"}` : "";
  }

  function showError() {
    const problem = model.get("error") ?? {};
    notices.showError(problem);
    if (problem.what) link.settle(problem);
  }

  listen(model, signal, {
    state: fromKernel,
    results: draw,
    umap_points: draw,
    progress: showProgress,
    reply: showReply,
    error: showError,
  });
  walkByKeys(root, walk);
  followTheme(root, signal, draw);
  watchKernel(el, model, signal, (lost) => {
    gone = lost;
    notices.showBanner(lost ? LOST : "");
    root.classList.toggle("fr-lost", lost);
    link.connect(!lost);
    draw();
  });
  showProgress();
  showError();
  draw();
  return () => stop.abort();
}

export default { render };
