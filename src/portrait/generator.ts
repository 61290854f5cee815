/** The generator's programs: one graph for each stage, so that a moved camera reuses planes and background. */

import {
  type Aval,
  add,
  concat,
  f32,
  type Graph,
  i32,
  mul,
  resizeBilinear,
  sliceAxis,
  sub,
  type Tensor,
  trace,
} from '../tensor/index.ts';
import type { GeneratorConfig } from './config.ts';
import { decoderWeights, density, field } from './decoder.ts';
import { mapping, truncate } from './mapping.ts';
import { type ParameterShapes, type Parameters, parametersOf } from './parameters.ts';
import { generatorPose } from './pose.ts';
import { deformationOf, type GivenFaces, type Posing, posedInputs } from './posing.ts';
import { type RenderingOptions, render } from './renderer.ts';
import { superresolve } from './superresolution.ts';
import {
  type BlockOptions,
  type NoiseMode,
  type NoiseSource,
  rgbLayer,
  styleRow,
  synthesisNetwork,
} from './synthesis.ts';

/** Settings of the camera label and the pose. */
const CAMERA = 25;
const POSE = 6;

/** A generator's shapes and settings: all that is needed to trace its programs. */
export interface GeneratorNetwork {
  readonly config: GeneratorConfig;
  readonly shapes: ParameterShapes;
}

/** z, c, p, psi, cutoff to ws. Rows of ws below `cutoff` are truncated. */
export function mappingGraph({ config, shapes }: GeneratorNetwork, batch: number): Graph {
  const inputs = {
    z: f32(batch, config.zDim),
    c: f32(batch, CAMERA),
    p: f32(batch, POSE),
    psi: f32(),
    cutoff: i32(),
  };
  return trace('mapping', inputs, ({ z, c, p, psi, cutoff }) => {
    const net = parametersOf(shapes).scope('backbone').scope('mapping');
    const label = net.has('embed.weight') ? mul(concat([c, p], 1), config.conditionScale) : undefined;
    const ws = mapping(net, z, label, { layers: config.mappingLayers, numWs: config.numWs });
    return { ws: truncate(ws, net.get('w_avg'), psi, cutoff) };
  });
}

/** Noise layers of a synthesis network with their resolutions, in registration order. */
export function noiseLayers(
  shapes: ParameterShapes,
  prefix: string,
): { layer: string; resolution: number }[] {
  const layers: { layer: string; resolution: number }[] = [];
  for (const [name, { shape }] of shapes) {
    if (name.startsWith(prefix) && name.endsWith('.noise_const')) {
      layers.push({ layer: name.slice(0, -'.noise_const'.length), resolution: shape[0] });
    }
  }
  return layers;
}

function synthesisGraph(
  name: string,
  network: GeneratorNetwork,
  batch: number,
  noise: NoiseMode,
  prefix: string,
  body: (p: Parameters, ws: Tensor, block: BlockOptions) => Record<string, Tensor>,
): Graph {
  const { config, shapes } = network;
  const inputs: Record<string, Aval> = { ws: f32(batch, config.numWs, config.wDim) };
  if (noise === 'random') {
    for (const { layer, resolution } of noiseLayers(shapes, prefix))
      inputs[`noise/${layer}`] = f32(batch, resolution, resolution);
  }
  return trace(name, inputs, (given) => {
    const random: NoiseSource = (layer) => given[`noise/${layer}`];
    return body(parametersOf(shapes), given.ws, { noise, random, clamp: config.clamp });
  });
}

/** ws to planes [N, 3 C D, R, R]. */
export function planesGraph(network: GeneratorNetwork, batch: number, noise: NoiseMode): Graph {
  return synthesisGraph('planes', network, batch, noise, 'backbone.synthesis.', (p, ws, block) => ({
    planes: synthesisNetwork(
      p.scope('backbone').scope('synthesis'),
      ws,
      network.config.planeResolution,
      block,
    ),
  }));
}

/** ws to background features [N, C, R, R]. */
export function backgroundGraph(network: GeneratorNetwork, batch: number, noise: NoiseMode): Graph {
  const resolution = network.config.backgroundResolution;
  if (resolution === undefined) throw new Error('internal: the network has no background');
  return synthesisGraph('background', network, batch, noise, 'bcg_synthesis.', (p, ws, block) => ({
    background: synthesisNetwork(p.scope('bcg_synthesis'), ws, resolution, block),
  }));
}

/** planes, c to features [N, C, n, n], depth and opacity [N, 1, n, n].
 *
 * @param posed the body that samples follow: adds the inputs of `posedInputs`
 */
export function renderGraph(
  network: GeneratorNetwork,
  batch: number,
  n: number,
  rendering: RenderingOptions,
  posed?: { readonly posing: Posing; readonly faces?: GivenFaces | undefined },
): Graph {
  const inputs: Record<string, Aval> = {
    planes: planesAval(network, batch),
    c: f32(batch, CAMERA),
    ...(posed === undefined ? {} : posedInputs(posed.posing, batch, posed.faces)),
  };
  return trace('render', inputs, (given) => {
    const p = parametersOf(network.shapes).scope('decoder');
    const deform = posed === undefined ? undefined : deformationOf(posed.posing, given);
    const { features, depth, opacity } = render(p, given.planes, given.c, n, rendering, {}, deform);
    return { features, depth, opacity };
  });
}

/** planes, points [N, P, 3] to density [N, P, 1] and features [N, P, C] of the canonical space. */
export function fieldGraph(network: GeneratorNetwork, batch: number, count: number): Graph {
  return trace(
    'field',
    { planes: planesAval(network, batch), points: f32(batch, count, 3) },
    ({ planes, points }) =>
      field(
        decoderWeights(parametersOf(network.shapes).scope('decoder')),
        planes,
        points,
        network.config.rendering,
      ),
  );
}

/** planes, points [N, P, 3] to density [N, P, 1] alone: `fieldGraph` at half the cost. */
export function densityGraph(network: GeneratorNetwork, batch: number, count: number): Graph {
  return trace(
    'density',
    { planes: planesAval(network, batch), points: f32(batch, count, 3) },
    ({ planes, points }) => {
      const weights = decoderWeights(parametersOf(network.shapes).scope('decoder'));
      return { sigma: density(weights, planes, points, network.config.rendering) };
    },
  );
}

function planesAval({ config, shapes }: GeneratorNetwork, batch: number): Aval {
  const r = config.planeResolution;
  const channels = shapes.get(`backbone.synthesis.b${r}.torgb.weight`)?.shape[0] ?? 0;
  return f32(batch, channels, r, r);
}

/** features, opacity, background, ws to the pictures.
 *
 * Outputs: `image`, `image_raw` (as the published program returns it), `image_mask`, `image_background`
 * and `rgb_before_sr`. Without a background network the input `background` is missing and so is its picture.
 */
export function picturesGraph(
  network: GeneratorNetwork,
  batch: number,
  n: number,
  withImage: boolean,
): Graph {
  const { config, shapes } = network;
  const channels = shapes.get('decoder.net.2.bias')!.shape[0] - 1;
  const inputs: Record<string, Aval> = {
    features: f32(batch, channels, n, n),
    opacity: f32(batch, 1, n, n),
    ws: f32(batch, config.numWs, config.wDim),
  };
  const side = config.backgroundResolution;
  if (side !== undefined) inputs.background = f32(batch, channels, side, side);
  return trace('pictures', inputs, ({ features, opacity, background, ws }) => {
    const { image, raw, mask, behind, composed, beforeSuperresolution } = pictures(
      parametersOf(shapes),
      config,
      { features, opacity, background, ws },
      withImage,
    );
    return {
      image_raw: raw,
      image_mask: mask,
      feature_image: composed,
      rgb_before_sr: beforeSuperresolution,
      ...(behind === undefined ? {} : { image_background: behind }),
      ...(image === undefined ? {} : { image }),
    };
  });
}

/** What pictures are composed of. */
export interface PictureParts {
  /** [N, C, n, n] and [N, 1, n, n] of the renderer. */
  readonly features: Tensor;
  readonly opacity: Tensor;
  /** [N, C, R, R], or undefined without a background network. */
  readonly background: Tensor | undefined;
  /** [N, numWs, W] */
  readonly ws: Tensor;
  /** The background's styles, where they are others. */
  readonly wsBackground?: Tensor | undefined;
}

export interface Pictures {
  /** [N, 3, resolution, resolution], unless left out. */
  readonly image: Tensor | undefined;
  /** [N, 3, n, n] as the published program returns it. */
  readonly raw: Tensor;
  /** [N, 1, n, n] */
  readonly mask: Tensor;
  readonly behind: Tensor | undefined;
  readonly composed: Tensor;
  readonly beforeSuperresolution: Tensor;
}

/** Composes and enlarges (spec page 2.1).
 *
 * @param p the whole generator
 */
export function pictures(
  p: Parameters,
  config: GeneratorConfig,
  { features, opacity, background, ws, wsBackground = ws }: PictureParts,
  withImage = true,
): Pictures {
  const n = features.shape[2];
  const spread = config.rendering.activation === 'sigmoid' ? sub(mul(features, 2), 1) : features;
  const resized =
    background === undefined ? undefined : resizeBilinear(background, n, n, config.superresolution.antialias);
  const composed = resized === undefined ? spread : add(spread, mul(sub(1, opacity), resized));
  const rgb = rawPicture(p, composed, styleRow(ws, config.numWs - 1), config);
  const side = config.backgroundResolution;
  const behind =
    resized === undefined || side === undefined
      ? undefined
      : rawPicture(p, resized, styleRow(wsBackground, 2 * Math.log2(side) - 3), config);
  const common = { behind, composed, mask: sub(mul(opacity, 1.002), 0.001), beforeSuperresolution: rgb };
  if (!withImage) return { ...common, image: undefined, raw: rgb };
  const block: BlockOptions = { noise: 'none', clamp: config.superresolution.clamp };
  const enlarged = superresolve(p.scope('superresolution'), rgb, composed, ws, {
    module: config.superresolution.module,
    resolution: config.resolution,
    antialias: config.superresolution.antialias,
    block,
  });
  return { ...common, ...enlarged };
}

function rawPicture(p: Parameters, features: Tensor, w: Tensor, config: GeneratorConfig): Tensor {
  return config.rawFromRgbLayer ? rgbLayer(p.scope('torgb'), features, w) : sliceAxis(features, 1, 0, 3);
}

/** z, c to the pose that the generator imagines. */
export function poseGraph({ config, shapes }: GeneratorNetwork, batch: number): Graph {
  return trace('pose', { z: f32(batch, config.zDim), c: f32(batch, CAMERA) }, ({ z, c }) => ({
    pose: generatorPose(parametersOf(shapes).scope('pose_branch'), z, c),
  }));
}
