/** What the taught phase is told: how a batch is looked at, and what each difference weighs. */

/** Weights of the parts of the loss; 0 leaves a part out. */
export interface TaughtWeights {
  /** Mean magnitude of the picture's error, in units of -1 to 1. */
  readonly image: number;
  /** The same of the raw picture. */
  readonly raw: number;
  /** Mean magnitude of the error's differences between neighbours: edges in the right place, and sharp. */
  readonly edges: number;
  /** Mean magnitude of the opacity's error. */
  readonly mask: number;
  /** Mean error of the depth where people are solid, metres. */
  readonly depth: number;
  /** What pixels of people count more than those of the backdrop: 1 for twice. */
  readonly person: number;
}

export const TAUGHT_WEIGHTS: TaughtWeights = {
  image: 1,
  raw: 0.5,
  edges: 1,
  mask: 2,
  depth: 5,
  person: 1,
};

/** Sizes that are built into the program. */
export interface TaughtSetting {
  readonly people: number;
  /** Pictures of each person: planes are computed once for all of them. */
  readonly views: number;
  /** Rays of the window's side. */
  readonly rays: number;
  /** Rays that the side of a whole picture has; a window of as many rays is the whole picture. */
  readonly neuralResolution: number;
  /** Pixels of the picture for each ray, along a side: super-resolution makes up for what rays lack. */
  readonly pixelsPerRay: number;
  /** Side of the planes: that of the network, or less to leave its last blocks out. */
  readonly planeResolution: number;
  /** Samples of each ray, and of the second pass; 0 leaves that out. */
  readonly samples: number;
  readonly importanceSamples: number;
  /** Whether bodies are posed. A set of `--poses none` does without: finding the nearest face of every sample takes
   * more time than all the rest of a step. */
  readonly posed: boolean;
  readonly weights: TaughtWeights;
}

/** Rays at the border of a window that no picture is compared at: convolutions see the edge there. A whole picture
 * has none. */
export function borderOf({ rays, neuralResolution }: TaughtSetting): number {
  return rays < neuralResolution ? 2 : 0;
}
