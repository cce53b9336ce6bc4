// Helpers for the page: elements, pictures, theme, tooltips.

const FOCUSABLE = new Set(["button", "input", "select"]);

let counter = 0;

/** An id that is unique in the page. @param {string} stem */
export function uid(stem) {
  counter += 1;
  return `fr-${stem}-${counter}-${Math.random().toString(36).slice(2, 7)}`;
}

/**
 * An element with attributes, listeners (`onclick`, `onchange`, ...) and children; `text` is its text content, and a
 * boolean sets or leaves out an attribute.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | undefined | ((event: Event) => void)>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = String(value);
    else if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, String(value));
  }
  // JupyterLab's shortcuts look at the focused element only, so the same mark on an ancestor would not suppress them
  if (FOCUSABLE.has(tag)) node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.append(...children);
  return node;
}

/**
 * Change an element's text. The same text, or another one in the same text node, costs the page less than a new node:
 * hosts and we have style rules with `:has()`, which every new node makes the browser check again.
 * @param {Element} node @param {string} text
 */
export function setText(node, text) {
  const only = node.childNodes.length === 1 ? node.firstChild : null;
  if (!(only instanceof Text) || !text) {
    if (node.textContent !== text) node.textContent = text;
  } else if (only.data !== text) only.data = text;
}

/**
 * Run `work` at most once per `ms`, always with the newest arguments: `soon` may wait, `now` does not.
 * @template {any[]} A @param {(...values: A) => void} work @param {number} ms @param {AbortSignal} signal
 */
export function paced(work, ms, signal) {
  let last = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {A} */
  let newest;
  function run() {
    clearTimeout(timer);
    timer = undefined;
    last = performance.now();
    work(...newest);
  }
  signal.addEventListener("abort", () => clearTimeout(timer));
  return {
    soon(/** @type {A} */ ...values) {
      newest = values;
      timer ??= setTimeout(run, Math.max(0, last + ms - performance.now()));
    },
    now(/** @type {A} */ ...values) {
      newest = values;
      run();
    },
  };
}

/** @param {string} name its class @param {...(Node | string)} children */
export function div(name, ...children) {
  return h("div", { class: name }, ...children);
}

/** A part of a widget, with a name for screen readers. @param {string} name its class @param {string} label @param {...(Node | string)} children */
export function section(name, label, ...children) {
  return h("section", { class: name, "aria-label": label }, ...children);
}

/** A button with a text; `action` identifies it for styles and tests. @param {string} text @param {string} action @param {() => void} press */
export function button(text, action, press) {
  return h("button", { type: "button", class: "fr-button", "data-action": action, text, onclick: press });
}

/**
 * A list to choose from, and its label.
 * @param {string} label @param {[string | number, string][]} options values and texts @param {(value: string) => void} choose
 */
export function createSelect(label, options, choose) {
  const id = uid("select");
  const items = options.map(([value, text]) => h("option", { value, text }));
  const select = h("select", { class: "fr-list", id, onchange: () => choose(select.value) }, ...items);
  return { select, label: h("label", { for: id, text: label }) };
}

/** The canvas of a small face; its style sets `--size`. @param {number} size in pixels */
export function createFace(size) {
  return h("canvas", { class: "fr-face", width: size, height: size, "aria-hidden": "true" });
}

/**
 * "dark" or "light", from the colour behind an element, because hosts name their themes in many ways.
 * @param {string} color as computed: rgb(...), color(srgb ...), oklch(...), oklab(...), lab(...) or lch(...)
 * @returns {"dark" | "light" | null} null for a transparent colour
 */
export function themeOf(color) {
  const [, kind, values] = color.match(/^([a-z]+)\((?:[a-z][a-z0-9-]* )?(.*)\)$/) ?? [];
  const parts = values?.match(/[-\d.e]+%?/g)?.map((c) => Number.parseFloat(c) / (c.endsWith("%") ? 100 : 1));
  if (!parts || parts.length < 3 || parts[3] === 0) return null;
  return luminance(kind, parts) < 0.2 ? "dark" : "light";
}

/** From 0 to 1. @param {string} kind @param {number[]} parts */
function luminance(kind, parts) {
  if (kind.startsWith("ok")) return parts[0] ** 3;
  if (kind.startsWith("l")) return ((parts[0] + 16) / 116) ** 3;
  const [r, g, b] = parts.map((c) => (kind.startsWith("rgb") ? c / 255 : c) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The parent of an element, across the border of a shadow root. @param {Element} node */
function around(node) {
  return node.parentElement ?? /** @type {Partial<ShadowRoot>} */ (node.getRootNode()).host ?? null;
}

/** @param {Element} element */
function themeBehind(element) {
  for (let node = around(element); node; node = around(node)) {
    const theme = themeOf(getComputedStyle(node).backgroundColor);
    if (theme) return theme;
  }
  // a page that is closing may lack it
  return globalThis.matchMedia?.("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** A host's style sheet arrives at most this long after the attribute that names its theme. */
const SETTLE_MS = 1500;

/**
 * Keep `data-theme` of `root` equal to the host's theme.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 * @param {() => void} [changed]
 */
export function followTheme(root, signal, changed = () => {}) {
  let last = "";
  const update = () => {
    const theme = themeBehind(root);
    root.dataset.theme = theme;
    // the host's colours arrive with its style sheet, after its attribute
    const surface = getComputedStyle(root).color + theme;
    if (surface !== last) changed();
    last = surface;
  };
  let until = 0;
  const watch = () => {
    if (signal.aborted) return;
    update();
    if (performance.now() < until) requestAnimationFrame(watch);
  };
  // each frame for a while, so that the change is drawn in the frame in which it shows
  const later = () => {
    const watching = performance.now() < until;
    until = performance.now() + SETTLE_MS;
    if (!watching) watch();
  };
  const observer = new MutationObserver(later);
  for (const node of [document.documentElement, document.body]) observer.observe(node, { attributes: true });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", later, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
  later();
}

/**
 * A term whose explanation appears on hover and on focus; Escape hides it.
 * @param {string} word
 * @param {string} meaning
 */
export function term(word, meaning) {
  const id = uid("tip");
  const tip = h("span", { class: "fr-tip", role: "tooltip", id, text: meaning, hidden: true });
  const button = h("button", { type: "button", class: "fr-term", "aria-describedby": id, text: word });
  const show = () => {
    tip.hidden = false;
    tip.style.translate = "";
    const own = tip.getBoundingClientRect();
    const room = (tip.closest(".fr-lab") ?? tip).getBoundingClientRect();
    const shift = Math.max(0, room.left - own.left) - Math.max(0, own.right - room.right);
    // below the word where there is no room above it
    const down = own.top < room.top ? own.height + button.offsetHeight + 12 : 0;
    tip.style.translate = `${shift}px ${down}px`;
  };
  const hide = () => {
    tip.hidden = true;
  };
  for (const event of ["mouseenter", "focus", "click"]) button.addEventListener(event, show);
  for (const event of ["mouseleave", "blur"]) button.addEventListener(event, hide);
  button.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  return h("span", { class: "fr-term-box" }, button, tip);
}
