/** Types of VerificationExplorer, also of the data from the kernel; read by tsc only. */

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
  /** of all pairs, then of each group; null if unknown */
  people: (number | null)[];
  level: number;
  /** lengths */
  curves: number[];
  facts: { draws: number; resampled?: string };
  start: number;
  attributes: Attribute[];
  /** px of the faces of a pair; 0 if there are none */
  size: number;
}

/** Two images of the gallery. */
export interface Pair {
  distance: number;
  images: number[];
  people: string[];
  same: boolean;
}

export interface Curve {
  threshold: Float64Array;
  farLow: Float64Array;
  farHigh: Float64Array;
  frrLow: Float64Array;
  frrHigh: Float64Array;
}

export interface Part {
  name: string;
  genuine: Float64Array;
  impostor: Float64Array;
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

/** The distances that were computed along one attribute. */
export interface ShiftRecord {
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
