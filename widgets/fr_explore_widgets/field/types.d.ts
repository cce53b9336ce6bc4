/** What FieldExplorer's modules share with each other and with the kernel; read by tsc only. */

import type { Attribute } from "../shared/types";

export type Kind = "knn" | "ball";
export type PlaneName = "points" | "directions" | "mean";

export interface FieldAttribute extends Attribute {
  step: number;
}

export interface FieldSetup {
  identities: (string | number)[];
  attributes: FieldAttribute[];
  grid: Record<Kind, number[]>;
  curves: number;
  dim: number;
  metric: string;
  model: string;
  draws: number;
  size: number;
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

/** The head of a sheet; its numbers come as bytes beside it. */
export interface SheetHead {
  client?: string;
  seq?: number;
  identity: number;
  attribute: number;
  kind: Kind;
  planes: Record<PlaneName, [number, number | null]>;
  known: number;
  magnitude: number | null;
  length: number | null;
  energy: (number | null)[];
  coverage: number[];
}

export interface Sheet extends SheetHead {
  flat: Record<PlaneName, { xy: Float32Array; arrows: Float32Array; variance: number; seen: number }>;
  moves: Float32Array;
  /** of the points at a scale */
  energies: (place: number) => Float32Array;
}

/** [place of the scale, mean, standard deviation] */
export type Null = [number, number, number][];

export interface Near {
  identity: number;
  attribute: number;
  curve: number;
  counts: Record<Kind, number[]>;
}
