/** What a training run is told about its losses (spec pages 5.2 to 5.5). Counts of images are in thousands where a
 * name says `Kimg`; the names are those of the published trainer. */

/** The phases of an iteration (spec page 5.1). `Gboth` and `Dboth` are a main and a regularising phase in one. */
export const PHASES = ['Gmain', 'Greg', 'Gboth', 'Dmain', 'Dreg', 'Dboth'] as const;
export type Phase = (typeof PHASES)[number];

export interface LossOptions {
  /** Weight of the gradient penalty on image and raw image; 0 leaves the whole penalty out, the mask's too. */
  readonly r1Gamma: number;
  readonly r1GammaSeg: number;
  readonly styleMixingProb: number;
  /** Pixels; 0 for no blur. */
  readonly blurInitSigma: number;
  readonly blurFadeKimg: number;
  readonly densityNoiseFadeKimg: number;
  /** Probability of conditioning on a neighbour's camera and pose after the fade; undefined: no conditioning at all. */
  readonly gpcRegProb: number | undefined;
  readonly gpcRegFadeKimg: number;
  /** Probability of taking the background's styles from a neighbour. */
  readonly bcgRegProb: number;
  readonly neuralRenderingResolutionInitial: number;
  readonly neuralRenderingResolutionFinal: number | undefined;
  readonly neuralRenderingResolutionFadeKimg: number;
  /** How reals are resized to the raw resolution; a number m is `(1 - m) plain + m antialiased`. */
  readonly filterMode: 'antialiased' | 'none' | number;
  readonly poseLossWeight: number;
  readonly inputPoseParamsRegLossWeight: number;
  readonly inputPoseParamsRegLossKimg: number;
  /** How long it then fades; the published trainer fades over 200. */
  readonly inputPoseParamsRegLossFadeKimg: number;
}

/** Kinds of density regularisation. The published trainer accepts the last two but computes nothing for them. */
export const DENSITY_REG_TYPES = [
  'l1',
  'monotonic-detach',
  'monotonic-fixed',
  'l1-alt',
  'total-variation',
] as const;
export type DensityRegType = (typeof DENSITY_REG_TYPES)[number];

export interface DensityRegOptions {
  /** Weight; 0 turns `Greg` into nothing and `Gboth` into `Gmain`. */
  readonly weight: number;
  readonly type: DensityRegType;
  /** Standard deviation of the displacement of `l1`, metres. */
  readonly distance: number;
}

/** Adam's settings (Kingma and Ba 2015); no weight decay. */
export interface AdamOptions {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
}

/** What a phase really computes: an unused regulariser leaves the main part, or nothing.
 *
 * @param densityReg weight of the density regularisation
 */
export function partsOf(
  phase: Phase,
  { r1Gamma }: Pick<LossOptions, 'r1Gamma'>,
  densityReg: number,
): { readonly network: 'G' | 'D'; readonly main: boolean; readonly regularise: boolean } {
  const network = phase.startsWith('G') ? 'G' : 'D';
  const wanted = network === 'G' ? densityReg !== 0 : r1Gamma !== 0;
  return { network, main: !phase.endsWith('reg'), regularise: !phase.endsWith('main') && wanted };
}
