// Undo and redo: states that were committed, the walk along them, and its keys.

/** Commits of one control that follow each other this closely, as of a held key, make one step. */
export const MERGE_MS = 1000;

/**
 * @template T
 * @param {T} first
 */
export function createHistory(first) {
  let states = [first];
  let at = 0;
  let last = { moved: "", when: 0 };
  return {
    /** @param {T} state @param {string} [moved] the control, if it was one @param {number} [when] */
    commit(state, moved = "", when = Date.now()) {
      if (JSON.stringify(state) === JSON.stringify(states[at])) return;
      const merge = at > 0 && moved !== "" && moved === last.moved && when - last.when < MERGE_MS;
      states = [...states.slice(0, at + (merge ? 0 : 1)), state].slice(-200);
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

/** Ctrl+Z and Shift+Ctrl+Z (on a Mac with Command) anywhere in a widget. @param {HTMLElement} root @param {(by: -1 | 1) => void} walk */
export function walkByKeys(root, walk) {
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    event.stopPropagation();
    walk(event.shiftKey ? 1 : -1);
  });
}
