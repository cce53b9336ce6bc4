// AttributeExplorer: sliders, the face beside its reference, the distance, and the path on the map.

import { cutSprite, paint } from "../shared/bytes.js";
import { div, paced, section } from "../shared/dom.js";
import { createFrame, widget } from "../shared/frame.js";
import { walkByKeys } from "../shared/history.js";
import { createLink } from "../shared/link.js";
import { listen } from "../shared/view.js";
import { describe, formatValue, sameOne } from "../shared/words.js";
import { createBars } from "./bars.js";
import { createCommands } from "./commands.js";
import { createPicture } from "./face.js";
import { createGuess } from "./guess.js";
import { createHand } from "./hand.js";
import { createKey } from "./key.js";
import { createMapPanel } from "./map.js";
import { createModels } from "./models.js";
import { belongs, createPath } from "./path.js";
import { createPicker } from "./picker.js";
import { retentionWords } from "./retention.js";
import { createSliders } from "./sliders.js";
import { createSnapshots } from "./snapshots.js";
import { createSweep } from "./sweep.js";

/** @typedef {import("../shared/types").Gallery} Gallery */
/** @typedef {import("../shared/types").Model} Model */
/** @typedef {import("./types").Energies} Energies */
/** @typedef {import("./types").Figures} Figures */
/** @typedef {import("./types").Reading} Reading */
/** @typedef {import("./types").Reply} Reply */
/** @typedef {import("./types").Sample} Sample */
/** @typedef {import("./types").Setup} Setup */

const LOST =
  "The kernel of this widget is gone. You see its last state; run the cell again for a live widget.";

/** During a drag, words under the picture change at most this often: each change lays the page out again. */
const WORDS_MS = 80;

/** @param {import("../shared/frame").Context} context */
function build({ model, el, signal }) {
  const setup = /** @type {Setup} */ (model.get("setup"));
  const offline = Boolean(model.get("offline")); // an exported page: only its sliders work
  const byName = new Map(setup.attributes.map((a) => [a.name, a]));
  const cards = new Map(setup.models.map((card) => [card.name, card]));
  const nameOf = (/** @type {number} */ place) => setup.identities[place];
  const cardOf = (/** @type {string} */ name) => cards.get(name) ?? setup.models[0];

  const frame = createFrame("fr-explorer");
  const { root, notices } = frame;
  const reference = createPicture("Reference", setup.size);
  const live = createPicture("Now", setup.size);
  const picker = createPicker(setup.identities, (place) => link.send({ action: "identity", place }));
  const models = createModels(setup.models, (name, compare) =>
    link.send({ action: "models", model: name, compare }),
  );
  const snapshots = createSnapshots(setup, nameOf, (command) => link.send(command));
  const commands = createCommands((action) => link.send({ action }));
  const bars = createBars(setup.attributes, (action) => link.send({ action }), offline);
  const panel = createSliders(setup.attributes, setup.main, {
    onMove(name, value, phase) {
      sweep.drop();
      const { place, strengths } = /** @type {Reply} */ (model.get("reply"));
      const drawn = hand.draws(place);
      if (!link.busy) moves = {};
      moves[name] = value;
      const face = { place, strengths: { ...strengths, ...moves } };
      if (drawn) hand.move(face, phase === "commit");
      guess.move(drawn ? face : null);
      link.send({ action: "set", values: { [name]: value }, moved: name, phase, ...(drawn && { drawn }) });
    },
    onSweep(name) {
      const attribute = byName.get(name);
      if (sweep.name === name) sweep.stop();
      else if (attribute) play(attribute);
    },
  });
  const { sliders } = panel;
  const path = createPath((name) => link.send({ action: "path", moved: name }));
  // the parts that depend on the model; created again when another model is chosen
  const maps = div("fr-maps");
  const keys = div("fr-keys");
  /** @type {{name: string, key: ReturnType<typeof createKey>, map: ReturnType<typeof createMapPanel>, stop: AbortController}[]} */
  let views = [];
  const faces = section(
    "fr-faces",
    "Faces",
    div("fr-pair", reference.figure, live.figure),
    picker.root,
    div("fr-actions", ...commands.nodes),
    snapshots.root,
  );
  const foot = div("fr-foot", bars.root, path.root, models.root);
  root.append(div("fr-stage", keys, faces, panel.root, maps, foot));

  /** slider values that the kernel has not answered yet @type {Record<string, number>} */
  let moves = {};
  const hand = createHand({ model, signal, setup, paint: showDrawn });
  const guess = createGuess({
    signal,
    hand,
    names: () => views.map(({ name }) => name),
    reference: () => model.get("figures").reference,
    show: (i, distance, { place }) => views[i] && showKey(i, distance, place, true),
  });
  const link = createLink(model, {
    signal,
    banner: notices.showBanner,
    sent: ({ seq, drawn }) => guess.sent(seq, Boolean(drawn)),
  });
  let drawn = -1;
  let newest = -1;
  let asked = false; // the view is open: from now on it announces answers
  let lift = false;
  let swept = { name: "", at: "" };
  /** @type {HTMLCanvasElement[]} */
  const thumbs = [];

  // --- sweeps

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const sweep = createSweep({
    signal,
    send: (command) => link.send(command),
    reduced: () => still.matches,
    onStop: ({ name }, value) => sliders[name].set(value),
    onSample: ({ name }, samples) => sliders[name].strip.show(samples, cardOf(views[0].name).threshold),
    onEnd(attribute, samples, whole) {
      sliders[attribute.name].play(false);
      root.classList.remove("fr-playing");
      lift = whole;
      showRetention(attribute.name, samples, whole);
    },
  });

  /** @param {import("../shared/types").Attribute} attribute */
  function play(attribute) {
    lift = true;
    showRetention("", []);
    sweep.play(attribute, sliders[attribute.name].input.valueAsNumber);
    sliders[attribute.name].play(true);
    root.classList.add("fr-playing");
  }

  /** Everything but one strength: a strip belongs to one face and disappears when anything else changes. @param {string} name */
  function everythingBut(name) {
    const [reply, figures] = [model.get("reply"), model.get("figures")];
    return JSON.stringify([reply.place, figures.reference, figures.model, { ...reply.strengths, [name]: 0 }]);
  }

  /** @param {string} name "" for none @param {Sample[]} samples @param {boolean} [aloud] */
  function showRetention(name, samples, aloud = false) {
    const { threshold } = cardOf(views[0]?.name);
    const attribute = byName.get(name);
    if (!attribute) for (const slider of Object.values(sliders)) slider.strip.show([], null);
    else sliders[name].strip.show(samples, threshold);
    swept = { name, at: name && everythingBut(name) };
    const span = samples.length > 1 && attribute ? samples[samples.length - 1][0] - samples[0][0] : 0;
    const whole = attribute && span > 0.999 * (attribute.high - attribute.low);
    const words = attribute && whole ? retentionWords(attribute, samples, threshold) : "";
    panel.setResult(words);
    path.offer(whole && !offline ? attribute : undefined);
    showPath();
    if (aloud && words) frame.say(words);
  }

  function showPath() {
    const [found, attribute] = [model.get("path") ?? {}, byName.get(swept.name)];
    const own = attribute && belongs(found, swept.name, views[0]?.name, model.get("reply"));
    if (own) path.show(attribute, found);
  }

  // --- what the kernel publishes

  /** One key figure and one map for each model that is shown. @param {string[]} names */
  function arrange(names) {
    if (views.length === names.length && views.every(({ name }, i) => name === names[i])) return;
    for (const view of views) view.stop.abort();
    views = names.map((name) => {
      const own = new AbortController();
      signal.addEventListener("abort", () => own.abort(), { signal: own.signal });
      const card = cardOf(name);
      const title = names.length > 1 ? name.replace(/.*\//, "") : "";
      return {
        name,
        key: createKey(card, { name: title }),
        map: createMapPanel({
          signal: own.signal,
          nameOf,
          live: live.canvas,
          title,
        }),
        stop: own,
      };
    });
    keys.replaceChildren(...views.map(({ key }) => key.root));
    maps.replaceChildren(...views.map(({ map }) => map.root));
    root.classList.toggle("fr-two", views.length > 1);
    showGalleries();
  }

  /** @param {number} place @param {import("../shared/types").Strengths} strengths */
  const words = (place, strengths) => `identity ${nameOf(place)}, ${describe(setup.attributes, strengths)}`;
  const named = paced(live.name, WORDS_MS, signal);

  const announce = (/** @type {string} */ name, /** @type {object} */ detail) =>
    root.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));

  /** The page's own picture. @param {import("../engine/types").Drawn} drawn @param {number} place
   * @param {import("../shared/types").Strengths} strengths */
  function showDrawn({ pixels, size }, place, strengths) {
    live.put(pixels, size);
    named.soon(words(place, strengths));
    announce("fr-drawn", { place, strengths, shape: [size, size], drag: true, drawn: true });
  }

  function showReply() {
    const reply = /** @type {Reply} */ (model.get("reply"));
    if (!(reply.serial > drawn)) return; // an older answer that arrives late
    drawn = reply.serial;
    root.dataset.drawn = String(reply.serial);
    if (!reply.drawn || !asked) {
      hand.drop();
      const side = Math.sqrt(model.get("frame").byteLength / 3); // a view that opens during a drag shows the last one
      paint(live.canvas, model.get("frame"), reply.drawn ? [side, side] : reply.shape);
      named.now(words(reply.place, reply.strengths));
      announce("fr-drawn", reply);
    }
    hand.prepare(reply.place);
    // a drag does not wait for its figures: the next picture can be requested
    if (reply.drag) link.settle(reply);
  }

  function showFigures() {
    const figures = /** @type {Figures} */ (model.get("figures"));
    if (figures.serial < newest) return;
    newest = figures.serial;
    root.dataset.told = String(newest);
    const reply = /** @type {Reply} */ (model.get("reply"));
    const { reference: ref } = figures;
    arrange(figures.compare ? [figures.model, figures.compare] : [figures.model]);
    reference.show(model.get("reference_frame"), ref.shape);
    reference.name(words(ref.place, ref.strengths));
    if (figures.client === link.client) guess.told(figures.seq ?? 0);
    const sentence = showReading(0, figures, reply);
    if (figures.can.undo || figures.can.redo) panel.setTouched();
    commands.show(figures);
    if (swept.name && everythingBut(swept.name) !== swept.at) showRetention("", []);
    const own = link.settle(figures);
    follow();
    if (asked && !figures.drag && !sweep.name && !["step", "again"].includes(figures.phase ?? ""))
      say(figures, reply, sentence);
    if (!figures.drag && figures.moved) showEnergies(figures.moved);
    if (own && sweep.name) sweep.answered(figures.distance, reply.strengths[sweep.name]);
    announce("fr-told", { ...figures, strengths: reply.strengths });
  }

  /** Set the controls to the kernel's values, unless an answer to their request is still due. */
  function follow() {
    if (link.busy || sweep.name) return;
    const [reply, figures] = [model.get("reply"), model.get("figures")];
    for (const [name, slider] of Object.entries(sliders)) slider.set(reply.strengths[name]);
    panel.mark();
    picker.set(reply.place);
    models.set(figures.model, figures.compare);
  }

  /** @param {number} i the first or the second model @param {Reading} reading @param {Reply} reply */
  function showReading(i, reading, reply) {
    const figures = /** @type {Figures} */ (model.get("figures"));
    const rough = Boolean(reading.drag);
    const attribute = reading.moved ? byName.get(reading.moved) : undefined;
    const fresh = Boolean(figures.fresh) && figures.serial === reading.serial;
    views[i].map.move(reading, { who: reply.place, fresh, lift, rough, attribute });
    if (!i && !reading.drag) lift = false;
    const overtaken = reading.client === link.client && guess.overtook(reading.seq ?? 0);
    return overtaken ? "" : showKey(i, reading.distance, reply.place, rough);
  }

  /** @param {number} i @param {number} distance @param {number} place of the face in hand @param {boolean} rough */
  function showKey(i, distance, place, rough) {
    const gallery = model.get(i ? "second_gallery" : "gallery") ?? {};
    const sameIdentity = sameOne(setup.people, model.get("figures").reference.place, place);
    return views[i].key.show({ distance, gallery, place, sameIdentity, rough });
  }

  function showSecond() {
    const reading = /** @type {Reading} */ (model.get("second") ?? {});
    if (views.length < 2 || reading.model !== views[1].name) return;
    showReading(1, reading, model.get("reply"));
  }

  /** @param {Figures} figures @param {Reply} reply @param {string} sentence */
  function say(figures, reply, sentence) {
    const moved = figures.moved ? byName.get(figures.moved) : undefined;
    const what = moved ? `${moved.label} ${formatValue(moved, reply.strengths[moved.name])}. ` : "";
    frame.say(`${what}Distance ${figures.distance.toFixed(3)}. ${sentence}`);
  }

  function showTangent() {
    const tangent = model.get("tangent") ?? {};
    const shown = tangent.serial === newest ? tangent : null;
    views[0]?.map.point(shown, shown && byName.get(shown.name));
  }

  function showSnapshots() {
    const figures = /** @type {Figures} */ (model.get("figures"));
    snapshots.show(model.get("snapshots") ?? {}, model.get("snapshot_frame"), cardOf(figures.model));
  }

  function showEnergies(moved = "") {
    bars.show(/** @type {Energies} */ (model.get("energies") ?? {}), moved);
  }

  function showGalleries() {
    const gallery = /** @type {Gallery} */ (model.get("gallery") ?? {});
    if (gallery.order && model.get("sprite").byteLength && !thumbs.length) {
      const cut = cutSprite(model.get("sprite"), gallery.thumb ?? 48, gallery.order.length);
      for (const [i, place] of gallery.order.entries()) thumbs[place] = cut[i];
      picker.setThumbs(thumbs);
    }
    views.forEach(({ map }, i) => {
      map.showGallery(model.get(i ? "second_gallery" : "gallery") ?? {}, thumbs);
    });
    if (views.length) showEnergies();
  }

  function showRetained() {
    const { name, samples } = model.get("retention") ?? {};
    if (name) showRetention(name, samples);
  }

  listen(model, signal, {
    packed: () => hand.prepare(model.get("reply").place),
    reply: showReply,
    figures: showFigures,
    second: showSecond,
    gallery: showGalleries,
    sprite: showGalleries,
    second_gallery: showGalleries,
    tangent: showTangent,
    snapshots: showSnapshots,
    snapshot_frame: showSnapshots,
    energies() {
      showEnergies();
      // figures that arrived meanwhile did not move the controls
      if (link.settle(model.get("energies"))) follow();
    },
    retention: showRetained,
    path() {
      showPath();
      if (link.settle(model.get("path"))) follow();
    },
    error() {
      root.classList.toggle("fr-stale", Boolean(model.get("error")?.what));
    },
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") sweep.stop();
  });
  walkByKeys(root, (by) => link.send({ action: by > 0 ? "redo" : "undo" }));
  /** @param {boolean} off */
  function disable(off) {
    for (const slider of Object.values(sliders)) slider.disable(off);
    for (const part of [commands, picker, models, snapshots, bars, path]) part.disable(off);
  }
  frame.open(
    { model, el, signal },
    {
      lost: LOST,
      failed(problem) {
        link.settle(problem);
        sweep.drop();
      },
      themed() {
        for (const { map } of views) map.redraw();
      },
      kernel(gone) {
        sweep.drop();
        disable(gone);
        link.connect(!gone);
        if (!gone) showFigures();
      },
    },
  );
  root.classList.toggle("fr-offline", offline);
  showReply();
  showFigures();
  showGalleries();
  showSecond();
  showSnapshots();
  showRetained();
  showTangent();
  asked = true;
  // the first view of an untouched widget shows a face that has already moved a little
  if (!offline && newest === 1) link.send({ action: "greet" });
}

export default widget(build);
