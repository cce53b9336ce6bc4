// A live page of a FieldExplorer: everything is stored in it, but the faces of a curve, which its engine draws.

import { startLive, toFrame } from "../shared/live.js";

/** @param {import("../shared/page_model").Page} page @returns {import("../shared/page_model").Kernel} */
export function createKernel({ live, load, receive, stored }) {
  const engine = startLive({ live, load });
  // without an engine the page shows no faces; everything else works
  engine.catch(() => {});
  const { names, base, steps, size, curves } = live.lattice;

  /** The strengths of the three faces of a curve. @param {number} identity @param {number} attribute @param {number} curve
   * @returns {Record<string, number>[]} */
  function recipes(identity, attribute, curve) {
    const { name, step } = steps[attribute];
    const values = base[identity][curves[curve]];
    const middle = Object.fromEntries(
      names.map((/** @type {string} */ one, /** @type {number} */ k) => [one, values[k]]),
    );
    return [-1, 0, 1].map((sign) => ({ ...middle, [name]: middle[name] + sign * step }));
  }

  return {
    async answer(request) {
      const update = await stored(request);
      if (!update?.curve_view) return receive(update ?? {});
      const { curve_view: view, ...rest } = update;
      receive(rest);
      try {
        const { draw } = await engine;
        const values = recipes(view.identity, view.attribute, view.curve);
        const faces = await Promise.all(values.map((one) => draw(view.identity, one, size, false)));
        const strengths = values.map((one) => one[steps[view.attribute].name]);
        receive({ frame: toFrame(...faces), curve_view: { ...view, strengths } });
      } catch {
        receive({ curve_view: view });
      }
    },
  };
}
