/** The super-resolution networks: two blocks from raw picture and features to the final picture (spec page 2.11). */

import { NetworkError } from '../errors.ts';
import { add, modulate, resizeBilinear, skipUp, type Tensor } from '../tensor/index.ts';
import type { Parameters } from './parameters.ts';
import {
  affine,
  type BlockOptions,
  type BlockResult,
  plainBlock,
  rgbLayer,
  rgbOf,
  styleRow,
  upBlock,
} from './synthesis.ts';

/** How the published classes differ: whether the first block doubles the size, and when the input is resized. */
const MODULES = {
  '8XDC': { firstUp: true, resize: 'differs' },
  '8X': { firstUp: true, resize: 'differs' },
  '4X': { firstUp: false, resize: 'smaller' },
  '2X': { firstUp: false, resize: 'differs' },
} as const;

export type SuperresolutionModule = keyof typeof MODULES;

export const SUPERRESOLUTION_MODULES = Object.keys(MODULES) as SuperresolutionModule[];

export interface SuperresolutionOptions {
  readonly module: SuperresolutionModule;
  /** Side of the final picture. */
  readonly resolution: number;
  /** Antialiasing when the input is shrunk. */
  readonly antialias: boolean;
  readonly block: BlockOptions;
}

/** The module of a published class name such as `training.superresolution.SuperresolutionHybrid8XDC`. */
export function moduleOfClass(className: string): SuperresolutionModule {
  const match = /SuperresolutionHybrid(8XDC|8X|4X|2X)$/.exec(className);
  if (match === null) {
    throw new NetworkError(
      `super-resolution class "${className}" is not known; known are ${SUPERRESOLUTION_MODULES.join(', ')}`,
    );
  }
  return match[1] as SuperresolutionModule;
}

/** Side that the module works on: a quarter of the picture if its first block doubles, else half. */
export function inputResolution(module: SuperresolutionModule, resolution: number): number {
  return resolution / (MODULES[module].firstUp ? 4 : 2);
}

export interface Superresolved {
  /** [N, 3, resolution, resolution] */
  readonly image: Tensor;
  /** The raw picture as the published program returns it: without resizing, a first block that does not
   * enlarge adds its picture in place. */
  readonly raw: Tensor;
}

/** Enlarges.
 *
 * @param p        scope holding `block0`, `block1`
 * @param raw      [N, 3, n, n]
 * @param features [N, 32, n, n]
 * @param ws       [N, numWs, W]; only the last row is used
 */
export function superresolve(
  p: Parameters,
  raw: Tensor,
  features: Tensor,
  ws: Tensor,
  options: SuperresolutionOptions,
): Superresolved {
  const { firstUp, resize } = MODULES[options.module];
  const size = inputResolution(options.module, options.resolution);
  const given = raw.shape[2];
  const resized = resize === 'smaller' ? given < size : given !== size;
  if (!resized && given !== size) {
    throw new NetworkError(
      `super-resolution ${options.module} takes pictures of ${size} px or smaller; the raw picture has ${given} px`,
    );
  }
  const toSize = (x: Tensor): Tensor => (resized ? resizeBilinear(x, size, size, options.antialias) : x);
  const w = styleRow(ws, ws.shape[1] - 1);
  const { block } = options;
  const [block0, block1] = [p.scope('block0'), p.scope('block1')];
  const input = modulate(toSize(features), affine(block0.scope('conv0'), w));
  const following = affine(block1.scope('conv0'), w);
  let rgb = toSize(raw);
  let returned = raw;
  let x: BlockResult;
  if (firstUp) {
    x = upBlock(block0, input, w, w, block, following);
    rgb = enlarge(block0, rgb, x.value, w, block);
  } else {
    x = plainBlock(block0, input, w, w, block, following);
    rgb = add(rgb, rgbLayer(block0.scope('torgb'), x.value, w, block.clamp));
    if (!resized) returned = rgb;
  }
  const last = upBlock(block1, x.scaled!, w, w, block);
  return { image: enlarge(block1, rgb, last.value, w, block), raw: returned };
}

function enlarge(block: Parameters, rgb: Tensor, x: Tensor, w: Tensor, options: BlockOptions): Tensor {
  const torgb = block.scope('torgb');
  return skipUp(rgb, rgbOf(torgb, x, w), torgb.get('bias'), options.clamp);
}
