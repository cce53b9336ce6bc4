/** Types of MacroscaleExplorer, also of the data from the kernel; read by tsc only. */

export interface Attribute {
  name: string;
  label: string;
  color: string;
  shape: string;
}

export interface Setup {
  attributes: Attribute[];
  images: number;
  shown: number;
  people: number;
  /** of the shown images */
  names: string[];
  metric: string;
  model: string;
  pictures: boolean;
  umap: boolean;
  caption: string;
}

export interface Gap {
  value: number;
  distance: number;
  within: number;
  across: number;
}

export interface Probe {
  problem?: string;
  balanced_accuracy?: number;
  balanced_accuracy_sd?: number;
  auc?: number;
  images?: number;
  identities?: number;
}

/** The figures of one attribute; unknown ones are missing. */
export interface Row {
  attribute: string;
  n: number;
  ks_positive?: number;
  ks_negative?: number;
  ks_mean?: number;
  null_mean?: number;
  null_sd?: number;
  ks_scaled?: number;
  p_value?: number;
  p_corrected?: number;
  intra_entropy?: number;
  positive: number;
  negative: number;
  unknown: number;
  words: string;
  null: number[];
  gaps?: { positive: Gap; negative: Gap };
  /** index of the first number and length of each curve: distances, then shares */
  curves?: Record<string, [number, number]>;
  probe?: Probe;
}

export interface Correlation {
  rho?: number;
  p_value?: number;
  attributes: number;
}

export interface State {
  version: number;
  attribute: string;
  projection: "pca" | "umap";
}
