/** What the modules of the EnergyPlayground share; read by tsc only. */

export interface Rule {
  rule: "ball" | "knn" | "all" | "all_weighted";
  radius: number;
  k: number;
  include_self: boolean;
}

export interface Settings extends Rule {
  version: number;
  layout: "ring" | "grid" | "random";
  pattern: "parallel" | "tangential" | "radial" | "opposed";
  order: number;
  dim: number;
  seed: number;
  selected: number;
}

/** A slider, and the words at the ends of its plot. */
export type Spec = import("../shared/types").SliderSpec & { ends?: [string, string] };

/** Everything that follows from the settings. */
export interface Scene {
  settings: Settings;
  points: [number, number][];
  units: Float64Array[];
  d: Float64Array[];
  cos: Float64Array[];
  graph: import("./math").Graph;
  energy: number;
  pointEnergies: number[];
  coverage: number;
  isolated: number[];
  expected: number;
  random: { mean: number; sd: number };
  magnetisation: number;
  meanDistance: number;
}
