// Undo and redo where the page owns the state: widgets that compute in the browser, and every page without a kernel.
// Where the kernel owns the state, core/session.py does the same there, so that `w.undo()` works from Python too.

/** Commits of one control within this time, such as a held arrow key, make one step. */
export const MERGE_MS = 1000;
const LIMIT = 200;

/**
 * @template T
 * @param {T} first
 */
export function createHistory(first) {
  let states = [first];
  let at = 0;
  let last = { moved: "", when: 0 };
  return {
    /** @param {T} state @param {string} [moved] the control that moved, if only one did @param {number} [when] */
    commit(state, moved = "", when = Date.now()) {
      if (JSON.stringify(state) === JSON.stringify(states[at])) return;
      const merge = at > 0 && moved !== "" && moved === last.moved && when - last.when < MERGE_MS;
      states = [...states.slice(0, at + (merge ? 0 : 1)), state].slice(-LIMIT);
      at = states.length - 1;
      last = { moved, when };
    },
    /** @param {-1 | 1} by */
    step(by) {
      at = Math.min(Math.max(at + by, 0), states.length - 1);
      last = { moved: "", when: 0 };
      return states[at];
    },
    get canUndo() {
      return at > 0;
    },
    get canRedo() {
      return at < states.length - 1;
    },
  };
}

/** Ctrl+Z and Shift+Ctrl+Z (Command on a Mac) anywhere in a widget. @param {HTMLElement} root @param {(by: -1 | 1) => void} walk */
export function walkByKeys(root, walk) {
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    event.stopPropagation();
    walk(event.shiftKey ? 1 : -1);
  });
}
