/** Types of PhotoInput; read by tsc only. */

export interface Item {
  key: number;
  name: string;
  ok: boolean;
  /** Who it shows, as the user says; empty if nobody said so. */
  person: string;
  note: string;
  todo: string;
}

/** A picture ready to be sent. */
export interface Shot {
  name: string;
  data: ArrayBuffer;
}

export interface Camera {
  root: HTMLElement;
  open(): Promise<void>;
  close(): void;
}
