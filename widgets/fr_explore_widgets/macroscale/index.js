// MacroscaleExplorer: choose an attribute; the map, its distributions of distances, and a comparison of all attributes.
// Every figure comes from the kernel's library; the page looks them up and draws them.

import { floats } from "../shared/bytes.js";
import { button, createSelect, div, h, section, term } from "../shared/dom.js";
import { createFrame, createState, widget } from "../shared/frame.js";
import { createLink } from "../shared/link.js";
import { listen } from "../shared/view.js";
import { createCdf, curvesOf } from "./cdf.js";
import { createChart, createNull } from "./chart.js";
import { createImageMap } from "./map.js";
import { probability, probeWords, TERMS } from "./words.js";

/** @typedef {import("./types").Row} Row */
/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").State} State */

const LOST =
  "The kernel is gone. The measured attributes still work; run the cell again for pictures, probes and UMAP.";

/** The figures of one attribute. @param {AbortSignal} signal */
function createFigures(signal) {
  const words = h("p", { class: "fr-sentence" });
  const nullPlot = createNull(signal);
  const [value, sides, chance, p] = [h("b", { class: "fr-figure" }), h("span"), h("span"), h("span")];
  const root = section(
    "fr-key fr-stack",
    "Figures of this attribute",
    words,
    h("p", {}, term("KS", TERMS.ks), " ", value, " ", h("span", { class: "fr-sub" }, sides)),
    nullPlot.root,
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
      nullPlot.show(row);
      value.textContent = row.ks_mean.toFixed(3);
      sides.textContent = `mean of ${row.ks_positive?.toFixed(3)} with it and ${row.ks_negative?.toFixed(3)} without; ${row.n} people each`;
      const drawn = row.null_mean !== undefined;
      chance.textContent = drawn
        ? `${row.null_mean?.toFixed(3)} \u00b1 ${row.null_sd?.toFixed(3)} over ${row.null.length} label permutations; the KS is ${row.ks_scaled?.toFixed(1)} times that`
        : "was not computed";
      p.textContent = drawn
        ? tests === 1
          ? probability(row.p_value)
          : `${probability(row.p_value)}; corrected for ${tests} attributes ${probability(row.p_corrected)}`
        : "\u2013";
    },
  };
}

/** @param {import("../shared/frame").Context} context */
function build(context) {
  const { model, signal } = context;
  const setup = /** @type {Setup} */ (model.get("setup"));
  const names = setup.attributes.map(({ name }) => name);
  const offline = Boolean(model.get("offline"));
  let gone = false;
  let pointed = -1;

  const frame = createFrame("fr-macro");
  const { root } = frame;
  const state = createState(context, root, {
    defaults: /** @type {State} */ ({ version: 1, attribute: names[0], projection: "pca" }),
    draw,
    saved: () => frame.say(`${attribute().label}. ${figures.words()}`),
  });
  /** @type {() => number} */
  const place = () => names.indexOf(state.now.attribute);
  /** @type {() => import("./types").Attribute} */
  const attribute = () => setup.attributes[place()];
  const choice = createSelect(
    "Attribute",
    setup.attributes.map(({ name, label }) => [name, label]),
    (name) => state.change({ attribute: name }),
  );
  choice.select.dataset.control = "attribute";
  const step = (/** @type {number} */ by) => () => state.change({ attribute: names[place() + by] });
  const buttons = {
    before: button("\u2039", "before", step(-1)),
    after: button("\u203a", "after", step(1)),
    umap: button("UMAP", "umap", () =>
      state.change({ projection: state.now.projection === "umap" ? "pca" : "umap" }),
    ),
    probe: button("Linear probe", "probe", () => link.send({ action: "probe" })),
  };
  buttons.before.setAttribute("aria-label", "Previous attribute");
  buttons.after.setAttribute("aria-label", "Next attribute");
  if (!setup.umap) buttons.umap.title = "UMAP needs the extra: pip install 'fr-explore[umap]'";
  const counts = `${setup.images.toLocaleString("en")} images of ${setup.people} people, ${names.length} attribute${names.length === 1 ? "" : "s"}`;
  const about = h("p", { class: "fr-sub", text: setup.model ? `${setup.model}: ${counts}` : counts });
  const map = createImageMap(signal, setup, requestPicture);
  map.foot.append(buttons.umap);
  const figures = createFigures(signal);
  const cdf = createCdf(signal);
  const chart = createChart(signal, (name) => state.change({ attribute: name }));
  const probed = h("p", { class: "fr-probed" });
  const progress = h("p", { class: "fr-sub fr-progress", role: "status" });
  root.append(
    div(
      "fr-top fr-flow",
      div(
        "fr-actions",
        choice.label,
        h("i", { class: "fr-swatch", "aria-hidden": "true" }),
        choice.select,
        buttons.before,
        buttons.after,
        state.buttons.undo,
        state.buttons.redo,
      ),
      about,
    ),
    div(
      "fr-stage",
      map.root,
      div(
        "fr-side fr-stack",
        figures.root,
        div("fr-actions", buttons.probe, h("span", { class: "fr-sub" }, term("What is that?", TERMS.probe))),
        probed,
        progress,
      ),
      cdf.root,
      chart.root,
    ),
  );
  const link = createLink(model, { signal });

  /** Request the picture of the point under the pointer; points passed meanwhile are skipped. @param {number} point */
  function requestPicture(point) {
    pointed = point;
    if (!link.busy && !offline && !gone) link.send({ action: "picture", place: point });
  }

  function showReply() {
    const reply = model.get("reply") ?? {};
    const isPicture = reply.action === "picture";
    if (isPicture) map.picture(reply.place, model.get("frame"), reply.shape);
    if (link.settle(reply) && isPicture && pointed >= 0 && pointed !== reply.place) requestPicture(pointed);
  }

  function showPoints() {
    const layout = floats(model.get("umap_points"));
    const projection = state.now.projection === "umap" && layout.length ? "umap" : "pca";
    if (root.dataset.projection === projection) return;
    root.dataset.projection = projection;
    map.setPoints(projection === "umap" ? layout : floats(model.get("points")));
    map.explain(projection);
  }

  function draw() {
    const rows = /** @type {Record<string, Row>} */ (model.get("results") ?? {});
    const { attribute: now, projection } = state.now;
    const row = rows[now];
    const labels = /** @type {DataView} */ (model.get("labels"));
    const start = labels.byteOffset + place() * setup.shown;
    const done = Object.keys(rows).length;
    root.style.setProperty("--c", attribute().color);
    choice.select.value = now;
    showPoints();
    map.show(attribute(), new Int8Array(labels.buffer.slice(start, start + setup.shown)), row);
    figures.show(row, names.length);
    if (row) cdf.show(row, curvesOf(model.get("curves"), row), setup.metric);
    cdf.root.hidden = !row?.curves;
    const scene = { attributes: setup.attributes, rows, now };
    chart.show(scene, model.get("summary")?.intra_entropy, done === names.length);
    probed.textContent = row ? probeWords(row) : "";
    buttons.before.disabled = place() === 0;
    buttons.after.disabled = place() === names.length - 1;
    const fitted = Boolean(model.get("umap_points")?.byteLength);
    buttons.umap.disabled = !fitted && (!setup.umap || offline || gone);
    buttons.umap.setAttribute("aria-pressed", String(projection === "umap"));
    buttons.probe.disabled = offline || gone || Boolean(row?.probe) || !row;
    root.dataset.attribute = now;
    root.dataset.done = String(done);
  }

  function showProgress() {
    const { what, done, all } = model.get("progress") ?? {};
    progress.hidden = !what;
    progress.textContent = what ? `${what}${all ? `: ${done} of ${all}` : " \u2026"}` : "";
  }

  listen(model, signal, {
    results: draw,
    umap_points: draw,
    progress: showProgress,
    reply: showReply,
  });
  frame.open(context, {
    lost: LOST,
    failed: link.settle,
    themed: draw,
    kernel: (lost) => {
      gone = lost;
      link.connect(!lost);
      draw();
    },
  });
  showProgress();
  state.show();
}

export default widget(build);
