/** Types of PhotoInput; read by tsc only. */

export interface Item {
  key: number;
  name: string;
  ok: boolean;
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
