/** Types of Prediction, also of the data from the kernel; read by tsc only. */

export interface Setup {
  question: string;
  has_truth: boolean;
  kind: "number" | "choice" | "ranking" | "curve";
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
  /** the truth was requested without a guess */
  skipped?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  truth: any;
}

/** The input of one kind of guess. */
export interface Input {
  root: HTMLElement;
  /** null if there is nothing to commit */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  value(): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  set(guess: any): void;
  lock(locked: boolean): void;
  /** Show the truth beside the guess, or hide both if it is null. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  reveal(guess: any, truth: any): void;
}
