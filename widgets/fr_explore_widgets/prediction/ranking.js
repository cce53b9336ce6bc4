// The guess of an order: rows that are moved by dragging or by keys; after the reveal, lines join guess and truth.

import { div, h } from "../shared/dom.js";
import { figure } from "../shared/plot.js";
import { s } from "../shared/svg.js";

/** @typedef {import("./types").Setup} Setup */
/** @typedef {import("./types").Input} Input */

const ROW = 36;

/**
 * The order with the item at `from` moved to `to`, limited to the list.
 * @template T
 * @param {T[]} order
 * @param {number} from
 * @param {number} to
 * @returns {T[]}
 */
export function move(order, from, to) {
  const rest = order.filter((_, i) => i !== from);
  rest.splice(Math.min(Math.max(to, 0), rest.length), 0, order[from]);
  return rest;
}

/** The place to which a key moves an item, null for any other key. @param {string} key @param {number} at @param {number} n @returns {number | null} */
export function placeFor(key, at, n) {
  /** @type {Record<string, number>} */
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: n - 1, PageUp: at - 3, PageDown: at + 3 };
  return key in to ? Math.min(Math.max(to[key], 0), n - 1) : null;
}

/** @param {Setup} setup @param {(spoken?: string) => void} changed @returns {Input} */
export function createRanking(setup, changed) {
  const { options, labels, colors } = setup;
  const n = options.length;
  const labelOf = (/** @type {string} */ name) => labels[options.indexOf(name)];
  const dot = (/** @type {string} */ name) => {
    const mark = h("i", { class: "fr-swatch", "aria-hidden": "true" });
    mark.style.setProperty("--c", colors[options.indexOf(name)] || "var(--fr-soft)");
    return mark;
  };
  let order = [...options];
  let locked = false;
  const list = h("ol", { class: "fr-ranks", "aria-label": "Your ranking, the first on top" });
  const lines = s("svg", { class: "fr-links", "aria-hidden": "true", preserveAspectRatio: "none" });
  const truthList = h("ol", { class: "fr-ranks fr-truth", "aria-label": "The truth" });
  const heading = h("p", { class: "fr-sub fr-column" });
  const left = h("div", {}, heading, list);
  const right = div("fr-right", h("p", { class: "fr-sub fr-column", text: "The truth" }), truthList);
  const root = div("fr-ranking", left, lines, right);

  const step = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ move) =>
    h("button", {
      type: "button",
      class: "fr-bare",
      tabindex: -1,
      text,
      "aria-label": label,
      onclick: move,
    });

  const rows = options.map((name) => {
    const grip = h("button", { type: "button", class: "fr-grip fr-button", "data-option": name });
    const [up, down] = [
      step("\u2191", `Move ${labelOf(name)} up`, () => put(name, order.indexOf(name) - 1)),
      step("\u2193", `Move ${labelOf(name)} down`, () => put(name, order.indexOf(name) + 1)),
    ];
    const place = h("span", { class: "fr-place" });
    grip.append(place, dot(name), h("span", { class: "fr-option fr-one-line", text: labelOf(name) }));
    const row = h("li", { class: "fr-rank fr-row" }, grip, up, down);
    grip.addEventListener("keydown", (event) => {
      const to = placeFor(event.key, order.indexOf(name), n);
      if (to === null || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      put(name, to);
      grip.focus();
    });
    drag(grip, row, name);
    return { name, row, grip, up, down, place };
  });

  /** @param {string} name @param {number} to */
  function put(name, to) {
    if (locked || to < 0 || to >= n || to === order.indexOf(name)) return;
    order = move(order, order.indexOf(name), to);
    show();
    changed(`${labelOf(name)}, place ${to + 1} of ${n}`);
  }

  /** Make a row follow the pointer. @param {HTMLElement} grip @param {HTMLElement} row @param {string} name */
  function drag(grip, row, name) {
    let start = 0;
    grip.addEventListener("pointerdown", (event) => {
      if (locked || event.button !== 0) return;
      grip.setPointerCapture(event.pointerId);
      start = event.clientY - ROW * order.indexOf(name);
      row.classList.add("fr-held");
    });
    grip.addEventListener("pointermove", (event) => {
      if (!row.classList.contains("fr-held")) return;
      const at = (event.clientY - start) / ROW;
      const to = Math.min(Math.max(Math.round(at), 0), n - 1);
      if (to !== order.indexOf(name)) put(name, to);
      row.style.transform = `translateY(${ROW * (at - order.indexOf(name))}px)`;
    });
    const end = () => {
      row.classList.remove("fr-held");
      row.style.transform = "";
    };
    grip.addEventListener("pointerup", end);
    grip.addEventListener("pointercancel", end);
  }

  function show() {
    for (const { name, row, grip, up, down, place } of rows) {
      const at = order.indexOf(name);
      // positioned by CSS: a row keeps its focus and its pointer while it moves
      row.style.top = `${ROW * at}px`;
      place.textContent = `${at + 1}`;
      grip.setAttribute(
        "aria-label",
        `${labelOf(name)}, place ${at + 1} of ${n}${locked ? "" : "; arrow keys move it"}`,
      );
      grip.disabled = locked;
      up.hidden = locked;
      down.hidden = locked;
      up.disabled = at === 0;
      down.disabled = at === n - 1;
    }
  }
  list.append(...rows.map(({ row }) => row));
  list.style.height = `${ROW * n}px`;
  show();

  /** @param {string[]} guess empty if it was skipped @param {{order: string[], values: number[] | null}} truth */
  function draw(guess, truth) {
    const values = truth.values ?? [];
    const largest = Math.max(...values.map(Math.abs)) || 1;
    const decimals = values.every(Number.isInteger) ? 0 : Math.max(0, 2 - Math.floor(Math.log10(largest)));
    truthList.replaceChildren(
      ...truth.order.map((name, i) => {
        const value = truth.values ? figure(truth.values[i], decimals) : "";
        return h(
          "li",
          { class: "fr-rank fr-row" },
          h("span", { class: "fr-place", text: i + 1 }),
          dot(name),
          h("span", { class: "fr-option fr-one-line", text: labelOf(name) }),
          h("span", { class: "fr-end", text: value }),
        );
      }),
    );
    lines.setAttribute("viewBox", `0 0 40 ${ROW * n}`);
    lines.setAttribute("height", String(ROW * n));
    lines.replaceChildren(
      ...guess.map((name, i) => {
        const [a, b] = [ROW * (i + 0.5), ROW * (truth.order.indexOf(name) + 0.5)];
        const line = s("path", { d: `M0 ${a}C20 ${a} 20 ${b} 40 ${b}`, class: "fr-pen fr-soft fr-link" });
        if (colors[options.indexOf(name)]) line.style.setProperty("--c", colors[options.indexOf(name)]);
        return line;
      }),
    );
  }

  return {
    root,
    value: () => [...order],
    set(guess) {
      order = guess ? [...guess] : [...options];
      show();
    },
    lock(now) {
      locked = now;
      show();
    },
    reveal(guess, truth) {
      root.classList.toggle("fr-revealed", truth !== null && guess !== null);
      heading.textContent = truth === null ? "Your ranking, the first on top" : "Your ranking";
      right.hidden = truth === null;
      lines.style.display = truth === null || guess === null ? "none" : "";
      left.hidden = truth !== null && guess === null;
      if (truth !== null) draw(guess ?? [], truth);
    },
  };
}
