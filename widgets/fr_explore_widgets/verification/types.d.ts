/** What the modules of VerificationExplorer share with each other and with the kernel; read by tsc only. */

import type { Attribute as Record } from "../shared/types";

export interface Attribute extends Record {
  grid: number[];
}

export interface Mark {
  name: string;
  at: number;
  low?: number;
  high?: number;
}

export interface Setup {
  title: string;
  metric: string;
  marks: Mark[];
  eer: { rate: number; at: number; low?: number; high?: number };
  genuine: number;
  impostor: number;
  groups: string[];
  /** of all pairs, then of each group; null where nobody knows */
  people: (number | null)[];
  level: number;
  /** lengths */
  curves: number[];
  facts: { draws: number; resampled?: string };
  start: number;
  attributes: Attribute[];
}

export interface Curve {
  threshold: Float32Array;
  farLow: Float32Array;
  farHigh: Float32Array;
  frrLow: Float32Array;
  frrHigh: Float32Array;
}

export interface Part {
  name: string;
  genuine: Float32Array;
  impostor: Float32Array;
  curve: Curve;
  people: number | null;
}

export interface Rate {
  bad: number;
  among: number;
  share: number;
  low: number;
  high: number;
}

/** One attribute that was measured. */
export interface Told {
  place: number;
  done: boolean[];
  pairs: number;
  people: number;
}

export interface State {
  version: number;
  threshold: number | null;
  attribute: string | null;
  strength: number | null;
}
