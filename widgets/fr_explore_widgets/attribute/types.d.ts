/** What the kernel publishes to the explorer's page; read by tsc only. */

import type { Attribute, Strengths } from "../shared/types";

export interface Card {
  name: string;
  title: string;
  metric: string;
  threshold: number | null;
  threshold_source: string;
  /** in a live page: the error of its distances, as a share */
  margin?: number;
  dim: number;
  accuracy: string;
  trained_on: string;
  licence: string;
  weaknesses: string[];
}

export interface Setup {
  attributes: Attribute[];
  /** names of the attributes whose sliders are shown first */
  main: string[];
  identities: string[];
  /** Who each identity is, as a number for each person; null if it is not known. Missing: each is another person. */
  people?: (number | null)[];
  models: Card[];
  size: number;
  /** of the face while a slider is dragged */
  drag_size: number;
}

/** Part of every answer; client and seq only if it answers a request of a page. */
export interface Tag {
  client?: string;
  seq?: number;
  serial: number;
  moved: string | null;
  drag?: boolean;
}

/** The first half of an answer: the picture, with `frame` in the same message. */
export interface Reply extends Tag {
  place: number;
  strengths: Strengths;
  shape: [number, number];
  /** there is no picture, because the page has drawn it */
  drawn?: boolean;
}

/** One model's figures of a face. */
export interface Reading extends Tag {
  model: string;
  distance: number;
  point: [number, number] | null;
  reference_point: [number, number] | null;
  nearest: [place: number, distance: number][];
  /** the way from the reference, if the page has not seen it */
  path?: [number, number][];
}

/** The second half of an answer: the figures. */
export interface Figures extends Reading {
  fresh?: boolean;
  phase?: string;
  reference: { place: number; strengths: Strengths; pinned: boolean; shape: [number, number] };
  compare: string | null;
  can: { undo: boolean; redo: boolean };
}

export interface Snapshot {
  place: number;
  strengths: Strengths;
  shape: [number, number];
}

export interface Snapshots {
  A?: Snapshot;
  B?: Snapshot;
  distance?: number;
}

export interface Tangent {
  serial: number;
  name: string;
  vector: [number, number];
  share: number;
  length: number;
}

export interface EnergyRow {
  name: string;
  energy: number | null;
  spread: number | null;
  magnitude: number | null;
  null: number | null;
}

export interface Energies {
  source?: "estimate" | "table";
  rows?: EnergyRow[];
  curves?: number | null;
  identities?: number | null;
  neighborhood?: string;
  done?: number;
  all?: number;
  /** whether the estimate can be stopped */
  stoppable?: boolean;
  failed?: string;
}

/** Distances between the steps of a sweep, or how far they are computed. */
export interface Path {
  name?: string;
  model?: string;
  place?: number;
  /** the strengths of the face; that of `name` does not matter */
  at?: Strengths;
  strengths?: number[];
  distances?: number[][];
  /** null: the path ends where it starts */
  bend?: number | null;
  /** null: it does not move */
  reach?: number | null;
  done?: number;
  all?: number;
  failed?: string;
}

/** A strength and the distance there. */
export type Sample = [number, number];
