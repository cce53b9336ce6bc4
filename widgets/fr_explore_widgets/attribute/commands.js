// The buttons below the faces.

import { button, setText } from "../shared/dom.js";

/** @param {(action: string) => void} send */
export function createCommands(send) {
  const create = (/** @type {string} */ text, /** @type {string} */ action) => {
    const node = button(text, action, () => send(node.dataset.action ?? action));
    return node;
  };
  const undo = create("Undo", "undo");
  const redo = create("Redo", "redo");
  const pin = create("Pin", "pin");
  pin.title = "Keep this face as the reference";
  const nodes = [undo, redo, create("Reset", "reset"), pin];
  return {
    nodes,
    /** @param {Pick<import("./types").Figures, "can" | "reference">} figures */
    show({ can, reference: { pinned } }) {
      undo.disabled = !can.undo;
      redo.disabled = !can.redo;
      pin.dataset.action = pinned ? "unpin" : "pin";
      pin.setAttribute("aria-pressed", String(pinned));
      setText(pin, pinned ? "Unpin" : "Pin");
    },
    /** @param {boolean} off */
    disable(off) {
      for (const node of nodes) node.disabled = off;
    },
  };
}
