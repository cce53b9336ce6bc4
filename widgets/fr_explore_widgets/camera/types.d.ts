/** Types of the camera's page; read by tsc only. */

import type { Card } from "../attribute/types";
import type { Portrait } from "../engine/types";
import type { Attribute } from "../shared/types";

export interface Setup {
  card: Card;
  attributes: Attribute[];
}

/** Where a pane's face comes from: the camera, as it moves; a face of the camera that is held; a file. */
export type Mode = "follow" | "held" | "file";

export interface Pane {
  mode: Mode;
  portrait: Portrait | null;
  /** Who or what the reader calls it: a file's name. */
  name: string;
  /** performance.now() when its face was last seen */
  seen: number;
}
