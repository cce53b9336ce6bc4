// PhotoInput: pictures from files or the camera are sent to the kernel, which detects faces in them.

import { paint } from "../shared/bytes.js";
import { button, createFace, div, h, term, uid } from "../shared/dom.js";
import { createFrame, widget } from "../shared/frame.js";
import { createLink } from "../shared/link.js";
import { listen } from "../shared/view.js";
import { createCamera } from "./camera.js";
import { prepare } from "./pictures.js";

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Shot} Shot */
/** @typedef {import("../shared/types").Command} Command */
/** @typedef {import("../shared/types").Problem} Problem */

const THUMB = 96;
// the first picture also loads the face detector
const PATIENCE_MS = 30_000;
const LOST = "The kernel is gone, and the pictures with it. Run the cell again to continue.";
const PRIVACY = [
  "Pictures are reduced here and sent to ",
  ", which on Binder or another shared server is a machine of that server. They remain in its memory, are not written " +
    "to disk, and are deleted when you discard them, close the widget, or the kernel ends.",
];
const KERNEL =
  "The program that runs the cells of this notebook, on your own computer if Jupyter runs there. If Jupyter is set to " +
  "save widget state, which is not the default, the faces shown would be saved with the notebook.";

/**
 * The change of the pictures, in a sentence.
 * @param {Item[]} before
 * @param {Item[]} now
 */
export function news(before, now) {
  const known = new Set(before.map((item) => item.key));
  const fresh = now.filter((item) => !known.has(item.key));
  if (fresh.length) return fresh.map(({ name, note, todo }) => `${name}: ${note} ${todo}`.trim()).join(" ");
  const left = new Set(now.map((item) => item.key));
  const gone = before.filter((item) => !left.has(item.key)).map((item) => item.name);
  return gone.length ? `Discarded: ${gone.join(", ")}.` : "";
}

/**
 * The pictures as a list, each with a field for who it shows and a button to discard it.
 * @param {(key: number) => void} onRemove @param {(key: number, person: string) => void} onName
 */
function createList(onRemove, onName) {
  const root = h("ul", { class: "fr-shots", "aria-label": "Pictures" });
  /** @param {Item[]} items @param {DataView} sprite */
  function show(items, sprite) {
    const size = 3 * THUMB * THUMB;
    let place = 0;
    const typing = root.querySelector("input:focus"); // what is being typed outlives a change of the list
    const [typed, at] = typing instanceof HTMLInputElement ? [typing.value, Number(typing.dataset.key)] : [];
    root.replaceChildren();
    for (const { key, name, ok, note, todo, person } of items) {
      const canvas = createFace(THUMB);
      if (ok) {
        paint(canvas, sprite, [THUMB, THUMB], place * size);
        place += 1;
      }
      const remove = button("Remove", "remove", () => onRemove(key));
      remove.setAttribute("aria-label", `Remove ${name}`);
      const text = h("div", {}, h("b", { text: name }), h("p", { class: "fr-sub", text: `${note} ${todo}` }));
      const who = h("input", {
        type: "text",
        class: "fr-who",
        maxlength: 40,
        autocomplete: "off",
        placeholder: "Who is this?",
        "aria-label": `Who does ${name} show?`,
        "data-key": key,
      });
      who.value = key === at && typed !== undefined ? typed : person;
      who.addEventListener("change", () => onName(key, who.value));
      if (ok) text.append(who);
      root.append(h("li", { class: ok ? "fr-shot" : "fr-shot fr-none" }, canvas, text, remove));
      if (key === at) who.focus();
    }
    root.hidden = !items.length;
  }
  return { root, show };
}

/** @param {import("../shared/frame").Context} context */
function build(context) {
  const { model, signal } = context;
  const id = uid("photos");
  const below = div("");
  let leave = () => {};
  let gone = false;
  /** @type {Item[]} */
  let shown = [];
  /** Names of the pictures to be sent. @type {string[]} */
  let coming = [];
  let chain = Promise.resolve();
  let pending = false; // pictures were sent since the kernel last updated `photos`
  let round = 0; // Discard all begins a new round: pictures of an older round are no longer sent
  /** @type {((answered: boolean) => void) | null} */
  let answer = null;

  const frame = createFrame("fr-photos", { role: "region", "aria-labelledby": id });
  const { root, notices } = frame;
  const link = createLink(model, { signal, patience: PATIENCE_MS, banner: notices.showBanner });
  const status = h("p", { class: "fr-status", role: "status" });
  const say = (/** @type {string} */ text) => {
    status.textContent = text;
  };
  const file = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, tabindex: -1 });
  const buttons = {
    choose: button("Choose pictures", "choose", () => file.click()),
    camera: button("Use the camera", "camera", startCamera),
    discard: button("Discard all", "discard", () => {
      round += 1;
      link.send({ action: "discard" });
    }),
  };
  const camera = createCamera({
    signal,
    say,
    onUse: (data) => submit("the picture", async () => ({ name: "", data })),
    onProblem: (problem) => {
      notices.showError(problem);
      buttons.camera.focus();
    },
    onClose: () => {
      say("The camera is off.");
      buttons.camera.focus();
    },
  });
  const list = createList(
    (key) => link.send(/** @type {Command} */ ({ action: "remove", key })),
    (key, person) => link.send(/** @type {Command} */ ({ action: "name", key, person })),
  );
  const hint = h("p", {
    class: "fr-sub fr-who-hint",
    text: "Say who is who: pictures of one name show one person. Until then, the sentences below give the model\u2019s decision only.",
  });
  const zone = div(
    "fr-drop fr-flow",
    div("fr-actions", buttons.choose, buttons.camera, buttons.discard),
    h("span", { class: "fr-sub", text: "or drop pictures here" }),
    file,
  );
  root.append(
    h("h3", { id, text: "Your photographs" }),
    zone,
    camera.root,
    status,
    list.root,
    hint,
    h("p", { class: "fr-sub fr-privacy" }, PRIVACY[0], term("the kernel", KERNEL), PRIVACY[1]),
  );

  /** PhotoExplorer: show its explorer below this view. Its own model hears of each move, because a host such as marimo
   * watches only that one. */
  async function mount() {
    leave();
    const place = div("");
    below.replaceChildren(place);
    const shown = model.get("below");
    const other = shown && (await model.widget_manager?.get_model(shown));
    if (!other || !below.contains(place)) return;
    const tell = () => {
      const { serial, drag } = other.get("figures");
      if (drag) return;
      model.set("moved", serial);
      model.save_changes();
    };
    other.on("change:figures", tell);
    const end = await context.render?.({ model: other, el: place });
    leave = () => {
      other.off("change:figures", tell);
      end?.();
      leave = () => {};
    };
    if (!below.contains(place) || signal.aborted) leave();
  }

  function startCamera() {
    notices.showError({});
    camera.open();
  }

  /** Send one picture and wait for its answer; false if the kernel is gone. @param {Shot} shot */
  function transfer({ name, data }) {
    return new Promise((/** @type {(answered: boolean) => void} */ done) => {
      answer = done;
      model.set("upload", new DataView(data));
      link.send(/** @type {Command} */ ({ action: "add", name, size: data.byteLength }));
    });
  }

  /** After the last picture: update `photos`. @param {boolean} late */
  function finish(late) {
    say(pending && !late ? "Preparing the faces \u2026" : "");
    if (pending && !late) link.send({ action: "update_photos" });
    pending = false;
  }

  /** Send the pictures one by one: messages stay small, and the kernel processes one picture at a time.
   * @param {string} name @param {() => Promise<Shot>} make */
  function submit(name, make) {
    const own = round;
    const late = () => own !== round || gone || signal.aborted;
    coming.push(name);
    notices.showError({});
    say(`Looking for a face in ${name} \u2026`);
    chain = chain.then(async () => {
      try {
        while (link.busy && !late()) await new Promise((done) => setTimeout(done, 50));
        if (late()) return;
        say(
          `Looking for a face in ${coming[0]} \u2026${coming.length > 1 ? ` ${coming.length} to go.` : ""}`,
        );
        const shot = await make();
        if (late()) return;
        await transfer(shot);
        pending = true;
      } catch (error) {
        const { what, why, todo } = /** @type {Problem} */ (error);
        const unknown = {
          what: `${name} was not sent.`,
          why: String(error),
          todo: "Choose another picture.",
        };
        notices.showError(what ? { what, why, todo } : unknown);
      } finally {
        coming = coming.slice(1);
        if (!coming.length) finish(late());
      }
    });
  }

  /** @param {FileList | null | undefined} files */
  function take(files) {
    if (gone) return;
    for (const one of files ?? []) submit(one.name, () => prepare(one));
  }

  function show() {
    const items = /** @type {Item[]} */ (model.get("items") ?? []);
    const had =
      list.root.contains(document.activeElement) && document.activeElement instanceof HTMLButtonElement;
    list.show(items, model.get("sprite"));
    const words = news(shown, items);
    if (words) frame.say(words); // the list shows it too
    if (had) /** @type {HTMLElement} */ (list.root.querySelector("button") ?? buttons.choose).focus();
    shown = items;
    const faces = items.filter((item) => item.ok);
    root.dataset.photos = String(faces.length);
    hint.hidden = faces.length < 2 || faces.every((item) => item.person);
    if (document.activeElement === buttons.discard && !items.length) buttons.choose.focus();
    buttons.discard.hidden = !items.length;
  }

  /** @param {{client?: string, seq?: number}} reply */
  function settle(reply) {
    if (!link.settle(reply)) return;
    if (answer) answer(true);
    else if (!coming.length) say("");
    answer = null;
  }

  file.addEventListener("change", () => {
    take(file.files);
    file.value = ""; // the same file can be chosen again
  });
  const over = (/** @type {boolean} */ now) => zone.classList.toggle("fr-over", now && !gone);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
    over(true);
  });
  zone.addEventListener("dragleave", () => over(false));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation(); // JupyterLab would upload the file to the server's disk
    over(false);
    take(event.dataTransfer?.files);
  });
  root.addEventListener("keydown", (event) => event.key === "Escape" && camera.close());

  listen(model, signal, { below: mount, items: show, sprite: show, reply: () => settle(model.get("reply")) });
  signal.addEventListener("abort", () => {
    answer?.(false);
    leave();
  });
  frame.open(context, {
    lost: LOST,
    failed(problem) {
      say("");
      settle(problem);
    },
    kernel: (now) => {
      gone = now;
      link.connect(!gone);
      for (const node of Object.values(buttons)) node.disabled = gone;
      if (!gone) return show();
      camera.close();
      answer?.(false);
      answer = null;
      list.show([], model.get("sprite")); // the kernel's pictures are gone, so remove them here too
      shown = [];
      say("");
    },
  });
  show();
  context.el.append(below);
  mount();
}

export default widget(build);
