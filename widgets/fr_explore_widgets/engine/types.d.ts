/** The part of a model's card that a page needs (models/packed.py, CARD_FIELDS). */
export interface PageCard {
  name: string;
  title: string;
  input_size: number;
  dim: number;
  metric: "euclidean" | "cosine";
  color_order: "RGB" | "BGR";
  mean: number[];
  std: number[];
  template: number[][];
  normalized: boolean;
  threshold: number | null;
}

/** A picture, rows from the top, channels side by side: float in [0, 1], or 8 bits; a fourth channel is not read. */
export interface Picture {
  data: Float32Array | Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
  channels: 3 | 4;
}

/** What a page is given (core/engine.py): compressed files, and a key that identifies their content. */
export interface Parts {
  id: string;
  worker: Uint8Array<ArrayBuffer>;
  renderer: Uint8Array<ArrayBuffer>;
  network: Uint8Array<ArrayBuffer>;
  network_relaxed: Uint8Array<ArrayBuffer>;
}

export interface DrawRequest {
  /** keys of a head and of a person that were added before */
  head: string;
  person: string;
  size: number;
  /** parameters that are not neutral */
  values: Record<string, number>;
  /** whether the networks need the picture as well */
  keep?: boolean;
}

export interface Drawn {
  /** 8-bit pixels (size, size, 4), as `ImageData` takes them */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  size: number;
  landmarks: number[][];
  picture?: Picture;
}

export interface EmbedRequest {
  picture: Picture;
  landmarks: number[][];
  models: string[];
}

export interface AdjustRequest {
  picture: Picture;
  values: Record<string, number>;
  seed: number;
  /** whether the networks need the picture as well */
  keep?: boolean;
}

export interface Adjusted {
  pixels: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
  picture?: Picture;
}

export interface LookRequest {
  picture: Picture & { data: { buffer: ArrayBuffer } };
  /** at most so many faces, the largest first */
  most: number;
  /** px: side of their portraits */
  size: number;
  /** boxes of the faces in the picture before it: if all are found again, no others are looked for */
  near?: number[][];
}

/** A face cut out of a picture as `PortraitCrop` of fr_explore/faces/photographs/portrait_crop.py does. */
export interface Portrait {
  /** in the picture */
  box: number[];
  /** in the portrait */
  landmarks: number[][];
  picture: Picture;
}

/** Networks and numbers of the face finder, from `pack_finder` of fr_explore/faces/photographs/detect.py. */
export interface FinderParts {
  yunet: Uint8Array;
  onet: Uint8Array;
  /** px: sides of the square copy that YuNet sees, and px between its proposals */
  side: number;
  steps: number[];
  /** YuNet's score of a proposal, and O-Net's of a face */
  proposed: number;
  certain: number;
  /** boxes that overlap more than this show one face */
  overlap: number;
  /** added on each side where no face is found, as a share of the long side */
  room: number;
  /** O-Net: passes, and (value - mean) / std of its input */
  passes: number;
  mean: number;
  std: number;
}

/** A face in a picture, in its pixels; a pixel's centre is at +0.5. */
export interface Found {
  score: number;
  /** left, top, right, bottom */
  box: number[];
  landmarks: number[][];
}

/** A linear projection (geometry/projection.py): coordinates are (point - mean) . axes. */
export interface Projection {
  mean: ArrayLike<number>;
  axes: ArrayLike<number>[];
}

// biome-ignore lint/suspicious/noExplicitAny: an instance's functions take and return numbers
export type Exports = Record<string, (...numbers: number[]) => any> & { memory: WebAssembly.Memory };
