/** Types of FieldExplorer, also of the data from the kernel; read by tsc only. */

import type { Attribute } from "../shared/types";

/** The first word of a neighbourhood, such as "knn", "ball" or "all_pairs". */
export type Kind = string;
export type PlaneName = "points" | "directions" | "mean";

export interface FieldAttribute extends Attribute {
  step: number;
}

export interface FieldSetup {
  identities: (string | number)[];
  attributes: FieldAttribute[];
  grid: Record<Kind, number[]>;
  /** the words of each kind */
  kinds: Record<Kind, string>;
  curves: number;
  dim: number;
  size: number;
  redrawn: boolean;
}

export interface FieldState {
  version: number;
  identity: string | number;
  attribute: string;
  plane: PlaneName;
  kind: Kind;
  scale: number;
  length: "direction" | "magnitude";
  curve: number | null;
}

/** The description of one cell, whose numbers are sent as bytes. */
export interface PayloadHead {
  client?: string;
  seq?: number;
  identity: number;
  attribute: number;
  kind: Kind;
  planes: Record<PlaneName, [number, number | null]>;
  known: number;
  magnitude: number | null;
  energy: (number | null)[];
  coverage: number[];
}

export interface Payload extends PayloadHead {
  flat: Record<PlaneName, { xy: Float32Array; arrows: Float32Array; variance: number; seen: number }>;
  moves: Float32Array;
  /** of the points at an index of the grid */
  energies: (place: number) => Float32Array;
}

/** [index of the scale, mean, standard deviation] */
export type NullSamples = [number, number, number][];

/** The neighbours of a curve, whose order is sent as bytes; `counts` at each scale. */
export interface Neighbors {
  identity: number;
  attribute: number;
  curve: number;
  counts: Record<Kind, (number | null)[]>;
}
