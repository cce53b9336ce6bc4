// A model's map: the gallery, the reference and the trail; how much of the variance it shows; the nearest identities.

import { button, div, h, setText, term } from "../shared/dom.js";
import { createCard, createMap } from "../shared/map.js";
import { GLOSSARY } from "../shared/words.js";
import { extend, MOST_STEPS, paintNow, paintTrail } from "./trail.js";

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("../shared/types").Gallery} Gallery */
/** @typedef {import("../shared/types").GalleryPoint} GalleryPoint */
/** @typedef {import("./types").Reading} Reading */
/** @typedef {import("./types").Tangent} Tangent */
/** @typedef {import("./trail").Step} Step */
/** @typedef {import("./trail").Arrow} Arrow */
/** @typedef {import("./trail").Point} Point */

const NEAREST = "The identities whose neutral faces are nearest in the full embedding space, not on the map.";
/** The faces of the gallery: varied or neutral, of other identities or of the current one. */
const KINDS = [
  { color: "ink", radius: 2.2, opacity: 0.25 },
  { color: "ink", radius: 3.5, opacity: 0.5 },
  { color: "ink", radius: 2.2, opacity: 0.75 },
  { color: "ink", radius: 3.5, opacity: 0.75 },
];

/** @param {Point | null} a @param {Point | null} b */
const same = (a, b) => a?.[0] === b?.[0] && a?.[1] === b?.[1];

/** x, y, x, y, ... @param {number[][]} points */
const flat = (points) => points.flatMap((point) => point.slice(0, 2));

/**
 * The gallery with the trail in front of it.
 * @param {{signal: AbortSignal, nameOf: (place: number) => string, live?: HTMLCanvasElement}} options `live`: the face in hand
 */
export function createTrailMap({ signal, nameOf, live }) {
  /** @type {GalleryPoint[]} */
  let gallery = [];
  /** @type {HTMLCanvasElement[]} */
  let thumbs = [];
  /** @type {Step[]} */
  let trail = [];
  /** @type {Point | null} */
  let reference = null;
  /** @type {Arrow | null} */
  let arrow = null;
  let [close, place] = [false, 0];
  /** @type {Set<number>} */
  let near = new Set();
  /** what the map's layer shows: steps before `from`, and the extent @type {number[][]} */
  let taken = [];
  let from = 0;
  /** @type {number[]} */
  let around = [];
  const map = createMap({
    signal,
    label: "Map of embeddings",
    margin: 28,
    onHover(i) {
      const [, , who, neutral] = gallery[i] ?? [];
      card.show(i < 0 ? "" : `identity ${nameOf(who)}${neutral ? "" : ", varied"}`);
      card.face.hidden = !thumbs[who];
      if (thumbs[who]) card.face.getContext("2d")?.drawImage(thumbs[who], 0, 0, 48, 48);
    },
    over(c, scene) {
      /** @type {import("./trail").Person[]} */
      const people = gallery
        .filter((point) => point[3])
        .sort((a, b) => Number(a[2] === place) - Number(b[2] === place))
        .map(([x, y, who]) => ({ at: [x, y], who, name: nameOf(who), picture: thumbs[who] ?? null }));
      taken = paintTrail(c, scene, { trail, reference, dark: dark(), people, names: near });
      from = trail.length;
    },
    top(c, scene) {
      const face = live?.width ? live : null;
      paintNow(c, scene, { trail, from, taken, reference, arrow, dark: dark(), live: face });
    },
  });
  const dark = () => map.root.closest('[data-theme="dark"]') !== null;
  const card = createCard();
  const wait = h("p", { class: "fr-map-wait fr-sub", text: "Rendering the gallery for the map" });
  map.root.append(card.root, wait);
  map.root.dataset.trail = "0";

  /** Whether the map shows this point anyway. @param {Point} point */
  function inside(point) {
    return point.every((value, axis) => {
      const values = around.filter((_, i) => i % 2 === axis);
      return value >= Math.min(...values) && value <= Math.max(...values);
    });
  }

  function update() {
    // close up: only the faces of the current identity
    const seen = gallery.filter((point) => !close || !trail.length || point[2] === place);
    const shown = [...seen, ...trail.map(({ x, y }) => [x, y]), ...(reference ? [reference] : [])];
    around = gallery.length ? flat(shown) : [];
    map.setExtent(around);
    const kind = Uint8Array.from(gallery, ([, , who, neutral]) => 2 * Number(who === place) + neutral);
    map.setLook({ kind, kinds: KINDS, radius: 10 });
  }

  return {
    ...map,
    /** @param {string} text */
    progress(text) {
      wait.textContent = text;
      wait.hidden = false;
    },
    /** @param {GalleryPoint[]} points @param {HTMLCanvasElement[]} pictures by place */
    setGallery(points, pictures) {
      gallery = points;
      thumbs = pictures;
      wait.hidden = true;
      map.setPoints(Float32Array.from(flat(points)));
      update();
    },
    /**
     * @param {Point} point
     * @param {{who: number, fresh: boolean, reference: Point | null, step: Omit<Step, "x" | "y">, path?: Point[],
     *   nearest?: number[]}} more `path`: the way to this point, if it is not on the trail yet
     */
    move([x, y], { who, fresh, reference: pinned, step, path = [], nearest = [] }) {
      near = new Set(nearest);
      const restarts = fresh || who !== place || !same(pinned, reference);
      const before = fresh || who !== place ? [] : trail;
      const way = path.map((at) => ({ x: at[0], y: at[1], ...step, lift: false }));
      trail = extend(way.length ? way : before, { x, y, ...step });
      place = who;
      reference = pinned;
      arrow = null;
      map.root.dataset.trail = String(trail.length);
      map.root.dataset.point = `${x},${y}`;
      // a step of a drag is painted over the rest, unless it leaves the map
      if (step.rough && !restarts && trail.length < MOST_STEPS && inside([x, y])) map.refresh();
      else update();
    },
    /** Show the tangent at the current point until the point moves. @param {Arrow | null} tangent */
    point(tangent) {
      arrow = tangent;
      map.root.dataset.tangent = String(tangent !== null);
      map.refresh();
    },
    /** Fit the path and its identity's faces, or the whole gallery. @param {boolean} on */
    zoom(on) {
      close = on;
      map.showAll();
      update();
    },
  };
}

/** One of the nearest identities: name and distance for the eye, and both in words for a screen reader. */
function createItem() {
  const parts = [h("span"), h("b"), h("span", { class: "fr-hidden" })];
  const seen = h("span", { "aria-hidden": "true" }, parts[0], parts[1]);
  return { root: h("li", {}, seen, parts[2]), parts };
}

/** @param {{signal: AbortSignal, nameOf: (place: number) => string, title?: string, live?: HTMLCanvasElement}} options */
export function createMapPanel({ signal, nameOf, title = "", live }) {
  const map = createTrailMap({ signal, nameOf, live });
  const note = h("p", { class: "fr-sub fr-map-note fr-one-line" });
  const near = h("div", { class: "fr-near fr-sub fr-row", hidden: true });
  const list = h("ol", { class: "fr-near-list fr-row" });
  near.append(h("span", {}, term("nearest", NEAREST)), list);
  const zoom = button("Close up", "zoom", () => {
    const on = zoom.getAttribute("aria-pressed") !== "true";
    zoom.setAttribute("aria-pressed", String(on));
    map.zoom(on);
  });
  zoom.setAttribute("aria-pressed", "false");
  map.tools.prepend(zoom);
  const root = h("section", { class: "fr-map", "aria-label": title ? `Map, ${title}` : "Map" });
  root.append(h("h3", { class: "fr-one-line", text: title || "Where the face lies" }));
  root.append(map.root, div("fr-map-foot", near, note));
  let caption = "";
  /** @type {ReturnType<typeof createItem>[]} */
  const items = [];

  return {
    root,
    redraw: map.redraw,
    /** @param {Gallery} gallery @param {HTMLCanvasElement[]} pictures by place */
    showGallery(gallery, pictures) {
      if (gallery.failed) map.progress(`No map: rendering the gallery failed. ${gallery.failed}`);
      else if (!gallery.points) {
        const some = gallery.done ? `: ${gallery.done} of ${gallery.all} faces` : "";
        map.progress(`Rendering the gallery for the map${some}`);
      }
      if (!gallery.points) return;
      map.setGallery(gallery.points, pictures);
      const said = gallery.caption ?? "";
      map.describe(
        `${said}: ${gallery.points.length} faces of the gallery, the reference, and the path of the current face.`,
      );
      if (said === caption) return; // keep an open explanation open
      caption = said;
      note.replaceChildren(
        term(said.slice(0, 14), GLOSSARY["PCA projection"]),
        said.slice(14).replace(" of the variance", ""),
      );
    },
    /**
     * @param {Reading} reading
     * @param {{who: number, fresh: boolean, lift?: boolean, rough?: boolean, attribute?: Attribute}} more `lift`: no line from the previous point
     */
    move(reading, { who, fresh, lift = false, rough = false, attribute }) {
      near.hidden = !reading.nearest.length;
      while (items.length < reading.nearest.length) {
        items.push(createItem());
        list.append(items[items.length - 1].root);
      }
      items.forEach(({ root: item, parts }, i) => {
        const [place, distance] = reading.nearest[i] ?? [];
        item.hidden = place === undefined;
        if (place === undefined || distance === undefined) return;
        const figure = distance.toFixed(2);
        item.title = `identity ${nameOf(place)}, distance ${figure}`;
        setText(parts[0], `${nameOf(place)} `);
        setText(parts[1], figure);
        setText(parts[2], item.title);
      });
      if (!reading.point) return;
      const { color = "", shape = "circle", label = "", name = "" } = attribute ?? {};
      const step = { color, shape, label, name, lift, rough };
      const nearest = reading.nearest.map(([place]) => place);
      map.move(reading.point, {
        who,
        fresh,
        reference: reading.reference_point,
        step,
        nearest,
        path: reading.path,
      });
    },
    /** @param {Tangent | null} tangent @param {Attribute} [attribute] */
    point(tangent, attribute) {
      if (!tangent || !attribute) return map.point(null);
      map.point({ vector: tangent.vector, color: attribute.color, share: tangent.share });
    },
  };
}
