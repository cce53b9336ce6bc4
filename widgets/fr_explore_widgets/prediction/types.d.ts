/** What the modules of Prediction share with each other and with the kernel; read by tsc only. */

export interface Setup {
  question: string;
  has_truth: boolean;
  kind: "number" | "ranking" | "curve";
  unit: string;
  low: number | null;
  high: number | null;
  options: string[];
  labels: string[];
  colors: string[];
  x: number[];
  x_label: string;
  y_label: string;
}

export interface State {
  version: number;
  // biome-ignore lint/suspicious/noExplicitAny: a number, a list of names or of numbers; each kind knows its own
  tries: { guess: any; after_reveal: boolean }[];
  open: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  truth: any;
}

/** One kind of guess on the page. */
export interface Input {
  root: HTMLElement;
  /** null while there is nothing to commit */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  value(): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  set(guess: any): void;
  lock(locked: boolean): void;
  /** The truth beside the guess, or neither for null. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  reveal(guess: any, truth: any): void;
}
