/** Types that the modules share with each other and with the kernel; read by tsc only. */

export interface Attribute {
  name: string;
  label: string;
  unit: string;
  low: number;
  high: number;
  neutral: number;
  step: number;
  group: "face" | "light" | "image";
  color: string;
  shape: string;
  help: string;
  /** disabled in a page without a kernel, which has no answers for it */
  fixed?: boolean;
}

/** A slider. `from`: where its filled part begins, by default at the low end. */
export interface SliderSpec {
  name: string;
  label: string;
  low: number;
  high: number;
  step: number;
  from?: number;
  color?: string;
  help: string;
  show: (value: number) => string;
  speak: (value: number) => string;
}

export type Strengths = Record<string, number>;

/** [x, y, place of the identity, 1 for its neutral face] */
export type GalleryPoint = [number, number, number, number];

export interface Gallery {
  points?: GalleryPoint[];
  caption?: string;
  natural?: Record<string, number>;
  between?: number | null;
  order?: number[];
  thumb?: number;
  done?: number;
  all?: number;
  failed?: string;
}

export interface Problem {
  client?: string;
  seq?: number;
  what?: string;
  why?: string;
  todo?: string;
}

/** The part of anywidget's model that the widgets use. */
export interface Model {
  // biome-ignore lint/suspicious/noExplicitAny: the type of a trait's value is known to its reader only
  get(name: string): any;
  set(name: string, value: unknown): void;
  save_changes(): void;
  // biome-ignore lint/suspicious/noExplicitAny: only "msg:custom" gives arguments, a message and its buffers
  on(event: string, callback: (...message: any[]) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, callback?: (...message: any[]) => void): void;
  /** a message to the kernel; a page without a kernel lacks it */
  send?(content: object): void;
  /** what a page says that shows a saved state and has no kernel, see core/bundle.py */
  still?: string;
  /** `context`: in JupyterLab and Notebook; other hosts have other managers */
  widget_manager?: {
    context?: { sessionContext?: { kernelChanged?: Signal } };
    get_model(id: string): Promise<Model>;
  };
}

interface Signal {
  connect(slot: () => void): boolean;
  disconnect(slot: () => void): boolean;
}

export interface Command {
  action: string;
  values?: Strengths;
  moved?: string;
  /** "step": exact like a commit, but not a step of undo */
  phase?: "drag" | "step" | "commit";
  /** the page draws this face itself */
  drawn?: boolean;
  place?: number;
  model?: string;
  compare?: string | null;
  snapshot?: string;
}
