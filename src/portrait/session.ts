/**
 * A generator at work on an engine: traces each stage once per shape, keeps the compiled programs, and
 * lets callers hold on to styles, planes and backgrounds.
 */

import { UsageError } from '../errors.ts';
import {
  type Arrays,
  type Engine,
  type Graph,
  type NdArray,
  ndarray,
  type Program,
} from '../tensor/index.ts';
import { discriminatorConfig, type GeneratorConfig, generatorConfig, type NetworkRecord } from './config.ts';
import { discriminatorGraph } from './discriminator-program.ts';
import {
  backgroundGraph,
  fieldGraph,
  type GeneratorNetwork,
  mappingGraph,
  picturesGraph,
  planesGraph,
  poseGraph,
  renderGraph,
} from './generator.ts';
import type { RenderingOptions } from './renderer.ts';
import type { NoiseMode } from './synthesis.ts';

/** A network with its values. Arrays are read when a program first needs them. */
export interface LoadedNetwork {
  readonly record: NetworkRecord;
  /** The value of a parameter or buffer; the same array object each time. */
  readonly read: (name: string) => NdArray;
}

/** Noise for the synthesis networks. Random noise draws standard normals from the given source. */
export type Noise =
  | { readonly mode: 'const' | 'none' }
  | { readonly mode: 'random'; readonly normals: (count: number) => Float32Array };

export interface Truncation {
  /** 1 keeps styles as they are, 0 gives the mean style. */
  readonly psi?: number;
  /** Number of style rows truncated; all when left out. */
  readonly cutoff?: number | undefined;
}

export interface Labels {
  /** [N, 25] conditioning cameras */
  readonly c: NdArray;
  /** [N, 6] conditioning poses */
  readonly p: NdArray;
}

export interface ViewOptions {
  /** Side of the raw picture; the network's own when left out. */
  readonly neuralResolution?: number | undefined;
  /** Replaces the stored rendering settings. */
  readonly rendering?: Partial<RenderingOptions>;
  /** False leaves super-resolution out: a preview without `image`. */
  readonly superresolution?: boolean;
}

/** What a rendered view consists of; all [N, channels, side, side]. */
export interface View {
  readonly image?: NdArray;
  readonly image_raw: NdArray;
  readonly image_mask: NdArray;
  readonly image_depth: NdArray;
  readonly image_background?: NdArray;
  readonly feature_image: NdArray;
  readonly rgb_before_sr: NdArray;
  readonly render_feature: NdArray;
}

export interface PortraitGenerator {
  readonly config: GeneratorConfig;
  /** Latents [N, zDim] to styles [N, numWs, wDim]. */
  map(z: NdArray, labels: Labels, truncation?: Truncation): Promise<NdArray>;
  /** Styles to tri-grid planes. */
  planes(ws: NdArray, noise?: Noise): Promise<NdArray>;
  /** Styles to background features; undefined for a network without background. */
  background(ws: NdArray, noise?: Noise): Promise<NdArray | undefined>;
  /** Renders planes under cameras c [N, 25]. */
  view(
    parts: { planes: NdArray; background: NdArray | undefined; ws: NdArray },
    c: NdArray,
    options?: ViewOptions,
  ): Promise<View>;
  /** Density and features at canonical points [N, P, 3]. */
  field(planes: NdArray, points: NdArray): Promise<{ sigma: NdArray; rgb: NdArray }>;
  /** Poses [N, 6] that the generator imagines. */
  pose(z: NdArray, c: NdArray): Promise<NdArray>;
  /** Gives back every compiled program. */
  dispose(): Promise<void>;
}

/** Compiled programs by name, each traced when first asked for. */
function programCache(engine: Engine, read: (name: string) => NdArray) {
  const programs = new Map<string, Promise<Program>>();
  return {
    async run(key: string, graph: () => Graph, inputs: Arrays): Promise<Record<string, NdArray>> {
      let program = programs.get(key);
      if (program === undefined) {
        const traced = graph();
        const parameters = Object.fromEntries(traced.parameters.map(({ name }) => [name, read(name)]));
        program = engine.compile(traced, { parameters });
        programs.set(key, program);
        program.catch(() => programs.delete(key));
      }
      return (await program).run(inputs);
    },
    async dispose(): Promise<void> {
      const all = [...programs.values()];
      programs.clear();
      for (const program of all) await (await program).dispose();
    },
  };
}

/** Puts a generator on an engine.
 *
 * @throws NetworkError when the record describes no portrait generator.
 */
export function portraitGenerator(engine: Engine, network: LoadedNetwork): PortraitGenerator {
  const config = generatorConfig(network.record);
  const net: GeneratorNetwork = { config, shapes: network.record.shapes };
  const cache = programCache(engine, network.read);

  const synthesis = async (name: 'planes' | 'background', ws: NdArray, noise: Noise): Promise<NdArray> => {
    const batch = ws.shape[0];
    const trace = name === 'planes' ? planesGraph : backgroundGraph;
    const graph = (): Graph => trace(net, batch, noise.mode as NoiseMode);
    const inputs: Record<string, NdArray> = { ws };
    if (noise.mode === 'random') {
      for (const entry of graph().inputs) {
        if (entry.name === 'ws') continue;
        const { shape } = entry.tensor;
        inputs[entry.name] = ndarray(shape, noise.normals(shape.reduce((a, b) => a * b, 1)));
      }
    }
    return (await cache.run(`${name}/${batch}/${noise.mode}`, graph, inputs))[name];
  };

  return {
    config,
    async map(z, labels, { psi = 1, cutoff } = {}) {
      const batch = z.shape[0];
      const rows = psi === 1 ? 0 : Math.min(cutoff ?? config.numWs, config.numWs);
      const inputs = {
        z,
        ...labels,
        psi: ndarray([], [psi]),
        cutoff: { dtype: 'int32', shape: [], data: Int32Array.of(rows) } as const,
      };
      return (await cache.run(`mapping/${batch}`, () => mappingGraph(net, batch), inputs)).ws;
    },
    planes: (ws, noise = { mode: 'const' }) => synthesis('planes', ws, noise),
    background: async (ws, noise = { mode: 'const' }) =>
      config.backgroundResolution === undefined ? undefined : synthesis('background', ws, noise),
    async view({ planes, background, ws }, c, options = {}) {
      const batch = c.shape[0];
      const n = options.neuralResolution ?? config.neuralResolution;
      if (!Number.isInteger(n) || n < 2)
        throw new UsageError(`neural resolution is ${n}; it must be a whole number of at least 2`);
      const rendering = { ...config.rendering, ...options.rendering };
      const withImage = options.superresolution ?? true;
      const rendered = await cache.run(
        `render/${batch}/${n}/${JSON.stringify(rendering)}`,
        () => renderGraph(net, batch, n, rendering),
        { planes, c },
      );
      const inputs: Record<string, NdArray> = { features: rendered.features, opacity: rendered.opacity, ws };
      if (background !== undefined) inputs.background = background;
      const pictures = await cache.run(
        `pictures/${batch}/${n}/${withImage}`,
        () => picturesGraph(net, batch, n, withImage),
        inputs,
      );
      return {
        ...pictures,
        image_depth: rendered.depth,
        render_feature: rendered.features,
      } as unknown as View;
    },
    async field(planes, points) {
      const [batch, count] = points.shape;
      const { sigma, rgb } = await cache.run(`field/${batch}/${count}`, () => fieldGraph(net, batch, count), {
        planes,
        points,
      });
      return { sigma, rgb };
    },
    async pose(z, c) {
      const batch = z.shape[0];
      return (await cache.run(`pose/${batch}`, () => poseGraph(net, batch), { z, c })).pose;
    },
    dispose: () => cache.dispose(),
  };
}

export interface PortraitDiscriminator {
  /** Scores [N, 1] and predicted poses [N, 6] of pictures under cameras c [N, 25]. */
  judge(
    pictures: { image: NdArray; raw: NdArray; mask: NdArray },
    c: NdArray,
  ): Promise<{ logits: NdArray; pose: NdArray }>;
  dispose(): Promise<void>;
}

/** Puts a discriminator on an engine. */
export function portraitDiscriminator(engine: Engine, network: LoadedNetwork): PortraitDiscriminator {
  const config = discriminatorConfig(network.record);
  const cache = programCache(engine, network.read);
  return {
    async judge(pictures, c) {
      const batch = c.shape[0];
      const side = pictures.raw.shape[2];
      const graph = (): Graph => discriminatorGraph(network.record.shapes, config, batch, side);
      const { logits, pose } = await cache.run(`discriminator/${batch}/${side}`, graph, { ...pictures, c });
      return { logits, pose };
    },
    dispose: () => cache.dispose(),
  };
}
