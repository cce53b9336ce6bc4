// A model's map with its label, which says how much of the variance it shows, and the nearest identities.

import { button, h, term } from "../shared/dom.js";
import { createMap } from "../shared/map.js";
import { GLOSSARY } from "../shared/words.js";

/** @typedef {import("../shared/types").Attribute} Attribute */
/** @typedef {import("../shared/types").Gallery} Gallery */
/** @typedef {import("./types").Reading} Reading */
/** @typedef {import("./types").Tangent} Tangent */

const NEAREST = "The identities whose neutral faces are nearest in the full embedding space, not on the map.";

/** @param {{signal: AbortSignal, nameOf: (place: number) => string, title?: string}} options */
export function createMapPanel({ signal, nameOf, title = "" }) {
  const map = createMap({ signal, nameOf });
  const note = h("p", { class: "fr-sub fr-map-note" });
  const near = h("div", { class: "fr-near", hidden: true });
  const faces = h("ol", { class: "fr-near-faces" });
  near.append(h("span", { class: "fr-sub" }, term("nearest", NEAREST)), faces);
  const zoom = button("Close up", "zoom", () => {
    const on = zoom.getAttribute("aria-pressed") !== "true";
    zoom.setAttribute("aria-pressed", String(on));
    map.zoom(on);
  });
  zoom.classList.add("fr-map-tool");
  zoom.setAttribute("aria-pressed", "false");
  const root = h("section", { class: "fr-map", "aria-label": title ? `Map, ${title}` : "Map" });
  if (title) root.append(h("h3", { text: title }));
  root.append(zoom, map.root, h("div", { class: "fr-map-foot" }, near, note));
  /** @type {HTMLCanvasElement[]} */
  let thumbs = [];
  let caption = "";

  return {
    root,
    redraw: map.redraw,
    /** @param {Gallery} gallery @param {HTMLCanvasElement[]} pictures by place */
    showGallery(gallery, pictures) {
      thumbs = pictures;
      if (gallery.failed) map.progress(`No map: rendering the gallery failed. ${gallery.failed}`);
      else if (!gallery.points) {
        const some = gallery.done ? `: ${gallery.done} of ${gallery.all} faces` : "";
        map.progress(`Rendering the gallery for the map${some}`);
      }
      if (!gallery.points) return;
      map.setGallery(gallery.points, thumbs);
      const said = gallery.caption ?? "";
      map.describe(
        `${said}: ${gallery.points.length} faces of the gallery, the reference, and the path of the current face.`,
      );
      if (said === caption) return; // keep an open explanation open
      caption = said;
      note.replaceChildren(term(said.slice(0, 14), GLOSSARY["PCA projection"]), said.slice(14));
    },
    /**
     * @param {Reading} reading
     * @param {{who: number, fresh: boolean, lift?: boolean, rough?: boolean, attribute?: Attribute}} more `lift`: no line from the previous point
     */
    move(reading, { who, fresh, lift = false, rough = false, attribute }) {
      near.hidden = !reading.nearest.length;
      faces.replaceChildren(
        ...reading.nearest.map(([place, distance]) => {
          const canvas = h("canvas", { width: 48, height: 48, "aria-hidden": "true" });
          if (thumbs[place]) canvas.getContext("2d")?.drawImage(thumbs[place], 0, 0, 48, 48);
          const name = `identity ${nameOf(place)}, distance ${distance.toFixed(2)}`;
          const figure = h("span", { class: "fr-sub", "aria-hidden": "true", text: distance.toFixed(2) });
          return h("li", { title: name }, canvas, figure, h("span", { class: "fr-hidden", text: name }));
        }),
      );
      if (!reading.point) return;
      const step = {
        color: attribute?.color ?? "",
        shape: attribute?.shape ?? "circle",
        label: attribute?.label ?? "",
        name: attribute?.name ?? "",
        lift,
        rough,
      };
      map.move(reading.point, { who, fresh, reference: reading.reference_point, step });
    },
    /** @param {Tangent | null} tangent @param {Attribute} [attribute] */
    point(tangent, attribute) {
      map.point(
        tangent && attribute
          ? { vector: tangent.vector, color: attribute.color, share: tangent.share }
          : null,
      );
    },
  };
}
