/**
 * The taught phase: a generator against renders whose latent, camera, pose, mask and depth are known.
 *
 * A phase of our own beside the published method; there is no discriminator in it. Pictures are looked at through
 * windows (`taught-window.ts`), so that rays can be as dense as in the final picture without all of them.
 */

import type { GeneratorConfig } from '../portrait/config.ts';
import { pictures } from '../portrait/generator.ts';
import { mapToW, updateWAvg } from '../portrait/mapping.ts';
import type { Parameters } from '../portrait/parameters.ts';
import { deformationOf, posedInputs } from '../portrait/posing.ts';
import { type Rendered, render } from '../portrait/renderer.ts';
import { synthesisNetwork } from '../portrait/synthesis.ts';
import {
  type Aval,
  abs,
  add,
  broadcastTo,
  constant,
  div,
  f32,
  filteredResize,
  type Graph,
  less,
  matmul,
  maximum,
  mean,
  mul,
  reduceSum,
  reshape,
  sliceAxis,
  stopGradient,
  sub,
  type Tensor,
  transpose,
  where,
} from '../tensor/index.ts';
import { backwardGraph, LABELS } from './backward.ts';
import type { TrainedGenerator } from './generator-loss.ts';
import { borderOf, type TaughtSetting } from './taught-options.ts';

type Given = Readonly<Record<string, Tensor>>;

/** Inputs of the taught phase; I people, N = I * views pictures, n rays and m pixels of a window's side:
 *
 * `z` [I, zDim], the identity's own latent; `conditions` [I, 31], the camera and pose that styles are conditioned on;
 * `c` [N, 25] cameras of the windows and, if posed, `mesh` [N, words]; `rows` and `columns` [N, n, B], which part
 * of the background the windows show; `image` [N, 3, m, m] and `mask` [N, 1, m, m], bytes as numbers 0 to 255;
 * `depth` [N, 1, n, n] metres, 0 where it is not known; `jitter` [N, n * n, samples] and
 * `quantiles` [N * n * n, importance samples], draws in [0, 1).
 */
export function taughtInputs(
  { config, posing }: TrainedGenerator,
  setting: TaughtSetting,
): Record<string, Aval> {
  const { people, views, rays } = setting;
  const count = people * views;
  const side = rays * setting.pixelsPerRay;
  const { samples, importanceSamples } = setting;
  const background = config.backgroundResolution;
  return {
    z: f32(people, config.zDim),
    conditions: f32(people, 31),
    c: f32(count, 25),
    ...(setting.posed ? posedInputs(posing, count) : {}),
    ...(background === undefined
      ? {}
      : { rows: f32(count, rays, background), columns: f32(count, rays, background) }),
    image: f32(count, 3, side, side),
    mask: f32(count, 1, side, side),
    ...(setting.weights.depth > 0 ? { depth: f32(count, 1, rays, rays) } : {}),
    jitter: f32(count, rays * rays, samples),
    ...(importanceSamples > 0 ? { quantiles: f32(count * rays * rays, importanceSamples) } : {}),
  };
}

/** Loss, gradients, statistics `Taught/...`, and `wAvg` [W], the tracked mean style after this batch. */
export function taughtLossGraph(generator: TrainedGenerator, setting: TaughtSetting): Graph {
  const inputs = taughtInputs(generator, setting);
  return backwardGraph('Taught', LABELS.G, generator, inputs, (p, given) => {
    const { shown, wAvg } = taughtPictures(p, generator, setting, given);
    const terms = differences(shown, given, setting);
    const total = Object.entries(terms)
      .map(([name, term]) => mul(term, setting.weights[name as keyof typeof terms]))
      .reduce(add);
    const statistics = Object.fromEntries(
      [...Object.entries(terms), ['loss', total] as const].map(([name, term]) => [`Taught/${name}`, term]),
    );
    return { loss: total, statistics, others: { wAvg } };
  });
}

interface Shown {
  /** [N, 3, m, m], [N, 3, n, n], [N, 1, n, n], [N, 1, n, n] */
  readonly image: Tensor;
  readonly raw: Tensor;
  readonly opacity: Tensor;
  readonly depth: Tensor;
}

/** Pictures through the windows. */
function taughtPictures(
  p: Parameters,
  { config, posing }: TrainedGenerator,
  { people, views, rays, posed, pixelsPerRay, planeResolution, samples, importanceSamples }: TaughtSetting,
  given: Given,
): { shown: Shown; wAvg: Tensor } {
  const net = p.scope('backbone').scope('mapping');
  const label = net.has('embed.weight') ? mul(given.conditions, config.conditionScale) : undefined;
  const w = mapToW(net, given.z, label, { layers: config.mappingLayers });
  const ws = broadcastTo(reshape(w, [people, 1, config.wDim]), [people, config.numWs, config.wDim]);
  const block = { noise: 'none', clamp: config.clamp } as const;
  const planes = synthesisNetwork(p.scope('backbone').scope('synthesis'), ws, planeResolution, block);
  const rendering = { ...config.rendering, samples, importanceSamples };
  const draws = { jitter: given.jitter, quantiles: given.quantiles };
  const deform = posed ? deformationOf(posing, { mesh: given.mesh }) : undefined;
  const each = (x: Tensor): Tensor => repeated(x, views);
  const rendered: Rendered = render(
    p.scope('decoder'),
    each(planes),
    given.c,
    rays,
    rendering,
    draws,
    deform,
  );
  const side = config.backgroundResolution;
  const background =
    side === undefined
      ? undefined
      : uncovered(windowOf(synthesisNetwork(p.scope('bcg_synthesis'), ws, side, block), views, given), given);
  const inWindow: GeneratorConfig = { ...config, resolution: rays * pixelsPerRay };
  const made = pictures(p, inWindow, { ...rendered, background, ws: each(ws) });
  const shown = { image: made.image!, raw: made.raw, opacity: rendered.opacity, depth: rendered.depth };
  return { shown, wAvg: updateWAvg(net.get('w_avg'), w) };
}

/** [I, ...] to [I * views, ...], the views of one after another. */
function repeated(x: Tensor, views: number): Tensor {
  const [people, ...rest] = x.shape;
  if (views === 1) return x;
  return reshape(broadcastTo(reshape(x, [people, 1, ...rest]), [people, views, ...rest]), [
    people * views,
    ...rest,
  ]);
}

/** What windows show of backgrounds [I, C, B, B]: [I * views, C, n, n]. */
function windowOf(background: Tensor, views: number, { rows, columns }: Given): Tensor {
  const [people, channels, side] = background.shape;
  const rays = rows.shape[1];
  const perView = [people, views, 1, rays, side];
  const wide = matmul(
    reshape(background, [people, 1, channels * side, side]),
    transpose(reshape(columns, [people, views, rays, side]), [0, 1, 3, 2]),
  ); // [I, views, C * B, n]
  const shown = matmul(reshape(rows, perView), reshape(wide, [people, views, channels, side, rays])); // [I, views, C, n, n]
  return reshape(shown, [people * views, channels, rays, rays]);
}

/** A backdrop that learns only where nobody is: otherwise it is the first to look like people, and nothing solid
 * comes of them. */
function uncovered(background: Tensor, { mask }: Given): Tensor {
  const covered = filteredResize(div(mask, 255), background.shape[2], 'antialiased');
  return add(mul(background, sub(1, covered)), mul(stopGradient(background), covered));
}

/** The parts of the loss that have a weight. */
function differences(
  { image, raw, opacity, depth }: Shown,
  given: Given,
  setting: TaughtSetting,
): Partial<Record<'image' | 'raw' | 'edges' | 'mask' | 'depth', Tensor>> {
  const { weights, rays } = setting;
  const pixels = image.shape[2] / rays;
  const border = borderOf(setting);
  const inner = (x: Tensor): Tensor => cropped(x, x.shape[2] === rays ? border : border * pixels);
  const truth = sub(div(given.image, 127.5), 1);
  const mask = div(given.mask, 255);
  const shrink = (x: Tensor): Tensor => filteredResize(x, rays, 'antialiased');
  const emphasis = (m: Tensor): Tensor => add(1, mul(inner(m), weights.person));
  const error = inner(sub(image, truth));
  const terms: Record<string, () => Tensor> = {
    image: () => mean(mul(abs(error), emphasis(mask))),
    raw: () => mean(mul(abs(inner(sub(raw, shrink(truth)))), emphasis(shrink(mask)))),
    edges: () => add(mean(abs(slope(error, 2))), mean(abs(slope(error, 3)))),
    mask: () => mean(abs(sub(opacity, shrink(mask)))),
    depth: () => depthError(depth, given.depth),
  };
  const used = Object.entries(terms).filter(([name]) => weights[name as 'image'] > 0);
  return Object.fromEntries(used.map(([name, term]) => [name, term()]));
}

function cropped(x: Tensor, border: number): Tensor {
  if (border === 0) return x;
  const side = x.shape[2];
  return sliceAxis(sliceAxis(x, 2, border, side - border), 3, border, side - border);
}

/** Differences between neighbours along an axis. */
function slope(x: Tensor, axis: number): Tensor {
  const last = x.shape[axis] - 1;
  return sub(sliceAxis(x, axis, 1), sliceAxis(x, axis, 0, last));
}

/** Mean of what is known. */
function depthError(depth: Tensor, truth: Tensor): Tensor {
  const known = less(0, truth);
  const off = where(known, abs(sub(depth, truth)), constant(0));
  return div(reduceSum(off), maximum(reduceSum(where(known, constant(1), constant(0))), 1));
}
