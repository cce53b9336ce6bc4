// Groups side by side: densities, error rates, intervals and numbers of pairs at the same threshold.

import { h, section } from "../shared/dom.js";
import { axisBelow, createPlot, linear, percent, ticks } from "../shared/plot.js";
import { line } from "../shared/svg.js";
import { binsFor, count, histogram } from "./counting.js";
import { ratesAt } from "./data.js";
import { twoKinds } from "./plot.js";
import { interval } from "./words.js";

/** @typedef {import("./types").Part} Part */

const HEIGHT = 116;

/** @param {AbortSignal} signal @param {Part[]} parts @param {number} top */
export function createGroups(signal, parts, top) {
  let threshold = 0;
  const panels = parts.map((part) => {
    const { genuine, impostor } = part;
    const kinds = [genuine, impostor].filter((values) => values.length);
    const bins = Math.min(binsFor(kinds, top), 40);
    const most = Math.max(...[genuine, impostor].flatMap((values) => histogram(values, bins, top)));
    const plot = createPlot(
      signal,
      "fr-small",
      () => HEIGHT,
      (width) => {
        const f = { width, height: HEIGHT, left: 6, right: 6, top: 8, bottom: 20 };
        const x = linear(0, top, f.left, width - f.right);
        const y = linear(0, most || 1, HEIGHT - f.bottom, f.top);
        return [
          ...twoKinds(part, top, x, y, bins, threshold, f),
          line([x(threshold), 0], [x(threshold), HEIGHT - f.bottom], "fr-pen fr-ink fr-threshold"),
          axisBelow(f, x, ticks(0, top, 3), ""),
        ];
      },
    );
    const [far, frr] = [h("p"), h("p")];
    const few = h("p", {
      class: "fr-few fr-noted fr-sub",
      text: "Few pairs or people: read the interval, not the rate.",
    });
    const people = part.people === null ? "" : `, ${count(part.people)} people`;
    const root = h(
      "li",
      { class: "fr-group-panel" },
      h("h4", { text: part.name }),
      h("p", {
        class: "fr-sub",
        text: `${count(genuine.length)} genuine, ${count(impostor.length)} impostor pairs${people}`,
      }),
      plot.root,
      far,
      frr,
      few,
    );
    return { part, plot, root, far, frr, few };
  });
  const root = section(
    "fr-groups-box fr-stack fr-ruled",
    "Groups",
    h("h3", { text: "Groups at the same threshold" }),
    h("ul", { class: "fr-panels" }, ...panels.map((panel) => panel.root)),
  );
  return {
    root,
    /** @param {number} next */
    show(next) {
      threshold = next;
      for (const { part, plot, far, frr, few } of panels) {
        const rates = ratesAt(part, threshold);
        const words = (/** @type {string} */ name, /** @type {import("./types").Rate} */ rate) =>
          rate.among
            ? `${name} ${percent(rate.share)} (${interval(rate)})`
            : `no ${name === "false match" ? "impostor" : "genuine"} pair, so no ${name} rate`;
        far.textContent = words("false match", rates.far);
        frr.textContent = words("false non-match", rates.frr);
        few.hidden = !rates.few;
        plot.show(`${part.name}: ${far.textContent}, ${frr.textContent}`);
      }
    },
  };
}
