/**
 * A generator at work on an engine: traces each stage once per shape, keeps the compiled programs, and
 * lets callers hold on to styles, planes and backgrounds.
 */

import type { BodyModel } from '../body/index.ts';
import { UsageError } from '../errors.ts';
import { graphOf } from '../tensor/graph.ts';
import {
  type Engine,
  type Graph,
  type NdArray,
  ndarray,
  type Program,
  type Resident,
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
import {
  checkFaces,
  deformationGraph,
  type GivenFaces,
  type PosedBodies,
  type Posing,
  poseBodies,
  posingOf,
} from './posing.ts';
import type { RenderingOptions } from './renderer.ts';
import type { NoiseMode } from './synthesis.ts';

/** An array, or one that the engine already holds. */
export type Value = NdArray | Resident;

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
  /** Poses [N, 6] of the body, radians: neck, then head, axis-angle. All zero is the canonical body. */
  readonly pose?: NdArray | undefined;
  /** With a pose: the faces that carry the samples, instead of the nearest ones. */
  readonly faces?: GivenFaces | undefined;
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

/** Where points go, their squared distances to the posed body and the nearest faces. */
export interface Deformed {
  /** [N, V, 3] */
  readonly vertices: NdArray;
  /** [N, P, 3] */
  readonly moved: NdArray;
  /** [N, P] */
  readonly sqdist: NdArray;
  /** [N, P] int32 */
  readonly face: NdArray;
}

/** What a view is rendered from; planes and background may be arrays or values that the engine holds. */
export interface Parts {
  readonly planes: Value;
  readonly background: Value | undefined;
  readonly ws: NdArray;
}

export interface PortraitGenerator {
  readonly config: GeneratorConfig;
  /** Latents [N, zDim] to styles [N, numWs, wDim]. */
  map(z: NdArray, labels: Labels, truncation?: Truncation): Promise<NdArray>;
  /** Styles to tri-grid planes, which stay with the engine until released. */
  planes(ws: NdArray, noise?: Noise): Promise<Resident>;
  /** Styles to background features, which stay with the engine; undefined for a network without background. */
  background(ws: NdArray, noise?: Noise): Promise<Resident | undefined>;
  /** Renders planes under cameras c [N, 25]. */
  view(parts: Parts, c: NdArray, options?: ViewOptions): Promise<View>;
  /** The picture of a view alone [N, 3, side, side]: the final one, or the raw one without super-resolution. Nothing
   * else leaves the engine. */
  picture(parts: Parts, c: NdArray, options?: ViewOptions): Promise<NdArray>;
  /** How points [N, P, 3] of posed space move, for checking. */
  deformation(pose: NdArray, points: NdArray): Promise<Deformed>;
  /** Density and features at canonical points [N, P, 3]. */
  field(planes: Value, points: NdArray): Promise<{ sigma: NdArray; rgb: NdArray }>;
  /** Poses [N, 6] that the generator imagines. */
  pose(z: NdArray, c: NdArray): Promise<NdArray>;
  /** Copies planes or a background out of the engine. */
  download(value: Resident): Promise<NdArray>;
  /** Gives planes and backgrounds back. */
  release(...values: readonly (Resident | undefined)[]): Promise<void>;
  /** Gives back every compiled program. */
  dispose(): Promise<void>;
}

/** Compiled programs by name, each traced when first asked for. */
function programCache(engine: Engine, read: (name: string) => NdArray) {
  const programs = new Map<string, Promise<Program>>();
  return {
    async get(key: string, graph: () => Graph): Promise<Program> {
      let program = programs.get(key);
      if (program === undefined) {
        const traced = graph();
        const parameters = Object.fromEntries(traced.parameters.map(({ name }) => [name, read(name)]));
        program = engine.compile(traced, { parameters });
        programs.set(key, program);
        program.catch(() => programs.delete(key));
      }
      return program;
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
 * @param body  follows poses; without one a pose is refused.
 * @throws NetworkError when the record describes no portrait generator.
 */
export function portraitGenerator(
  engine: Engine,
  network: LoadedNetwork,
  body?: BodyModel,
): PortraitGenerator {
  const config = generatorConfig(network.record);
  const net: GeneratorNetwork = { config, shapes: network.record.shapes };
  const cache = programCache(engine, network.read);
  const posing = body === undefined ? undefined : posingOf(body, config.rendering.boxWarp, config.thickness);
  const needPosing = (): NonNullable<typeof posing> => {
    if (posing === undefined)
      throw new UsageError('a pose was asked for, but the generator was made without a body');
    return posing;
  };

  const synthesis = async (name: 'planes' | 'background', ws: NdArray, noise: Noise): Promise<Resident> => {
    const batch = ws.shape[0];
    const trace = name === 'planes' ? planesGraph : backgroundGraph;
    const program = await cache.get(`${name}/${batch}/${noise.mode}`, () =>
      trace(net, batch, noise.mode as NoiseMode),
    );
    const inputs: Record<string, NdArray> = { ws };
    if (noise.mode === 'random') {
      for (const entry of program.graph.inputs) {
        if (entry.name === 'ws') continue;
        const { shape } = entry.tensor;
        inputs[entry.name] = ndarray(shape, noise.normals(shape.reduce((a, b) => a * b, 1)));
      }
    }
    return (await program.runResident(inputs))[name];
  };

  let last: { readonly key: string; readonly bodies: PosedBodies } | undefined;
  /** Views of one pose from many sides build its body once. */
  const lastPosed = (own: Posing, pose: NdArray): PosedBodies => {
    const key = pose.data.join();
    if (last?.key !== key) last = { key, bodies: poseBodies(own, pose) };
    return last.bodies;
  };

  /** What a pose adds to a rendering; nothing when there is none or every number is zero. */
  const posedOf = ({ pose, faces }: ViewOptions) => {
    if (pose === undefined || (faces === undefined && pose.data.every((value) => value === 0)))
      return undefined;
    const own = needPosing();
    if (faces !== undefined) checkFaces(own, faces);
    const { mesh, vertices } = lastPosed(own, pose);
    const given = faces && { vertices, coarseFaces: faces.coarse, fineFaces: faces.fine };
    return { posing: own, faces, inputs: { mesh, ...given }, key: faces === undefined ? 'posed' : 'given' };
  };

  /** Renders a view and hands what pictures are composed of to `use`, with the depth, the side of the raw picture and
   * whether super-resolution is wanted. */
  const rendered = async <T>(
    { planes, background, ws }: Parts,
    c: NdArray,
    options: ViewOptions,
    use: (inputs: Record<string, Value>, depth: Resident, n: number, withImage: boolean) => Promise<T>,
  ): Promise<T> => {
    const n = options.neuralResolution ?? config.neuralResolution;
    if (!Number.isInteger(n) || n < 2)
      throw new UsageError(`neural resolution is ${n}; it must be a whole number of at least 2`);
    const rendering = { ...config.rendering, ...options.rendering };
    const posed = posedOf(options);
    const key = `render/${c.shape[0]}/${n}/${JSON.stringify(rendering)}/${posed === undefined ? '' : posed.key}`;
    const renderer = await cache.get(key, () => renderGraph(net, c.shape[0], n, rendering, posed));
    const { features, opacity, depth } = await renderer.runResident({ planes, c, ...posed?.inputs });
    try {
      const inputs: Record<string, Value> = { features, opacity, ws };
      if (background !== undefined) inputs.background = background;
      return await use(inputs, depth, n, options.superresolution ?? true);
    } finally {
      for (const value of [features, opacity, depth]) await engine.release(value);
    }
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
      const program = await cache.get(`mapping/${batch}`, () => mappingGraph(net, batch));
      return (await program.run(inputs)).ws;
    },
    planes: (ws, noise = { mode: 'const' }) => synthesis('planes', ws, noise),
    background: async (ws, noise = { mode: 'const' }) =>
      config.backgroundResolution === undefined ? undefined : synthesis('background', ws, noise),
    view: (parts, c, options = {}) =>
      rendered(parts, c, options, async (inputs, depth, n, withImage) => {
        const pictures = await cache.get(`pictures/${c.shape[0]}/${n}/${withImage}`, () =>
          picturesGraph(net, c.shape[0], n, withImage),
        );
        const made = await pictures.run(inputs);
        const image_depth = await engine.download(depth);
        const render_feature = await engine.download(inputs.features as Resident);
        return { ...made, image_depth, render_feature } as unknown as View;
      }),
    picture: (parts, c, options = {}) =>
      rendered(parts, c, options, async (inputs, _, n, withImage) => {
        const name = withImage ? 'image' : 'image_raw';
        const picture = await cache.get(`picture/${c.shape[0]}/${n}/${withImage}`, () =>
          onlyOutput(picturesGraph(net, c.shape[0], n, withImage), name),
        );
        return (await picture.run(inputs))[name];
      }),
    async deformation(pose, points) {
      const own = needPosing();
      const [batch, count] = points.shape;
      const { mesh, vertices } = poseBodies(own, pose);
      const { mesh: far } = poseBodies(own, pose, Number.POSITIVE_INFINITY);
      const program = await cache.get(`deformation/${batch}/${count}`, () =>
        deformationGraph(own, batch, count),
      );
      const { moved, sqdist, face } = await program.run({ mesh, far, points });
      return { vertices, moved, sqdist, face };
    },
    async field(planes, points) {
      const [batch, count] = points.shape;
      const program = await cache.get(`field/${batch}/${count}`, () => fieldGraph(net, batch, count));
      const { sigma, rgb } = await program.run({ planes, points });
      return { sigma, rgb };
    },
    async pose(z, c) {
      const batch = z.shape[0];
      const program = await cache.get(`pose/${batch}`, () => poseGraph(net, batch));
      return (await program.run({ z, c })).pose;
    },
    download: (value) => engine.download(value),
    async release(...values) {
      for (const value of values) if (value !== undefined) await engine.release(value);
    },
    dispose: () => cache.dispose(),
  };
}

/** The part of a graph that makes one of its outputs. */
function onlyOutput({ name, inputs, outputs }: Graph, wanted: string): Graph {
  return graphOf(
    name,
    inputs,
    outputs.filter((output) => output.name === wanted),
  );
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
      const program = await cache.get(`discriminator/${batch}/${side}`, graph);
      const { logits, pose } = await program.run({ ...pictures, c });
      return { logits, pose };
    },
    dispose: () => cache.dispose(),
  };
}
