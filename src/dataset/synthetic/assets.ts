/**
 * Reads the asset package: one parametric human (base mesh, morph targets, rig) with its hair, garments and skins.
 *
 * `packages/assets/README.md` says what the arrays mean. Lengths are decimetres, y up, the person looks along +z
 * and its left is +x, until `person.ts` brings everything to the metres of our world.
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FormatError, UsageError } from '../../errors.ts';

/** An array inside one of the package's binary files. */
interface ArrayRef {
  readonly file: string;
  readonly dtype: 'f32' | 'u16' | 'i16' | 'u8';
  readonly shape: readonly number[];
  readonly offset: number;
}

/** A morph target: positions[indices[i]] += weight * scale * deltas[i]. */
export interface Target {
  /** [count]; absent: row i belongs to vertex i */
  readonly indices: Uint16Array | undefined;
  /** [count, 3] */
  readonly deltas: Int16Array;
  readonly scale: number;
}

/** A picture of the package, by file. */
export interface AssetTexture {
  readonly color?: string;
  readonly alpha?: string;
  readonly ao?: string;
  /** sRGB bytes, weighted by alpha */
  readonly meanColor: readonly number[];
}

/** A mesh that is fitted to the base mesh. */
export interface ProxyMesh {
  readonly name: string;
  readonly category: 'hair' | 'clothes' | 'hat' | 'eyebrows' | 'eyelashes' | 'eyes' | 'teeth' | 'tongue';
  readonly tags: readonly string[];
  readonly vertexCount: number;
  /** [Q, 4] a triangle repeats its first corner */
  readonly quads: Uint16Array;
  readonly quadUvs: Uint16Array;
  readonly uvs: Float32Array;
  /** [V, 3] base vertices that carry each vertex, and their weights */
  readonly refs: Uint16Array;
  readonly weights: Float32Array;
  /** [V, 3] multiplied by the per-axis scale */
  readonly offsets: Float32Array;
  /** two base vertices an axis whose distance over `length` is the scale */
  readonly scale: readonly { readonly a: number; readonly b: number; readonly length: number }[];
  /** base vertices that this garment hides */
  readonly deleteVertices: Uint16Array | undefined;
  readonly textures: readonly string[];
}

export interface Skin {
  readonly name: string;
  readonly age: 'young' | 'middleage' | 'old';
  readonly ethnicity: Ancestry;
  readonly gender: 'female' | 'male';
  readonly color: string;
}

export const ANCESTRIES = ['african', 'asian', 'caucasian'] as const;
export type Ancestry = (typeof ANCESTRIES)[number];

export interface Modifier {
  readonly name: string;
  readonly negative?: string;
  readonly positive: string;
}

export interface Assets {
  readonly folder: string;
  readonly base: {
    readonly vertexCount: number;
    readonly positions: Float32Array;
    readonly quads: Uint16Array;
    readonly quadUvs: Uint16Array;
    readonly uvs: Float32Array;
    /** [Q] index into `groups` */
    readonly quadGroup: Uint8Array;
    readonly groups: readonly string[];
  };
  readonly bones: readonly {
    readonly name: string;
    readonly parent: number;
    readonly joint: readonly number[];
  }[];
  /** Vertices whose mean is the joint. */
  readonly helperJoints: Readonly<Record<string, readonly number[]>>;
  /** [V, 8] */
  readonly boneIndex: Uint8Array;
  /** [V, 8] a row sums to 65535 */
  readonly boneWeight: Uint16Array;
  readonly modifiers: ReadonlyMap<string, Modifier>;
  target(name: string): Target;
  readonly proxies: ReadonlyMap<string, ProxyMesh>;
  readonly textures: Readonly<Record<string, AssetTexture>>;
  readonly skins: readonly Skin[];
  /** lips, eyelids, face in red, green, blue */
  readonly skinMasks: string;
}

const FORMAT = 'portraitgan-makehuman-pack';
const TYPES = { f32: Float32Array, u16: Uint16Array, i16: Int16Array, u8: Uint8Array };
const WAY_OUT =
  'the package portraitgan-assets holds them (packages/assets of the repository); install it or name its folder with --assets';

/** The folder of the installed asset package.
 *
 * @throws UsageError when it is not installed, saying where it is to be had.
 */
export function installedAssets(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('portraitgan-assets/manifest.json'));
  } catch {
    throw new UsageError(`the assets of synthetic portraits are not installed; ${WAY_OUT}`);
  }
}

/** Reads a folder of assets.
 *
 * @throws UsageError naming the first file that is missing, FormatError for files that are not what they should be.
 */
export function readAssets(folder: string): Assets {
  const manifest = readManifest(folder);
  const buffers = new Map<string, ArrayBuffer>();
  for (const [file, { bytes }] of Object.entries(manifest.files)) {
    const path = existing(folder, file);
    if (statSync(path).size !== bytes)
      throw new FormatError(`"${path}" has ${statSync(path).size} bytes, the manifest says ${bytes}`);
    buffers.set(file, new Uint8Array(readFileSync(path)).buffer);
  }
  const images = [
    ...Object.values(manifest.textures).flatMap(({ color, alpha, ao }) => [color, alpha, ao]),
    ...manifest.skins.map(({ color }) => color),
    manifest.skinMasks.file,
  ];
  for (const image of images) if (image !== undefined) existing(folder, image);

  function array<T>(ref: ArrayRef): T {
    const count = ref.shape.reduce((a, b) => a * b, 1);
    const Type = TYPES[ref.dtype];
    const buffer = buffers.get(ref.file);
    const fits =
      buffer !== undefined &&
      ref.offset % Type.BYTES_PER_ELEMENT === 0 &&
      ref.offset + count * Type.BYTES_PER_ELEMENT <= buffer.byteLength;
    if (!fits)
      throw new FormatError(`"${folder}": an array at byte ${ref.offset} of "${ref.file}" is not there`);
    return new Type(buffer, ref.offset, count) as T;
  }

  const { base, rig } = manifest;
  const targets = new Map<string, Target>();
  return {
    folder,
    base: {
      vertexCount: base.vertexCount,
      positions: array(base.positions),
      quads: array(base.quads),
      quadUvs: array(base.quadUvs),
      uvs: array(base.uvs),
      quadGroup: array(base.quadGroup),
      groups: base.groups,
    },
    bones: rig.bones.map(({ name, parent, head }) => ({ name, parent, joint: rig.joints[head] })),
    helperJoints: rig.helperJoints,
    boneIndex: array(rig.boneIndex),
    boneWeight: array(rig.boneWeight),
    modifiers: new Map(manifest.modifiers.map((modifier) => [modifier.name, modifier])),
    target(name) {
      let target = targets.get(name);
      if (target === undefined) {
        const entry = manifest.targets[name];
        if (entry === undefined) throw new FormatError(`"${folder}": there is no morph target "${name}"`);
        target = {
          indices: entry.indices && array(entry.indices),
          deltas: entry.deltas === undefined ? new Int16Array(0) : array(entry.deltas),
          scale: entry.scale,
        };
        targets.set(name, target);
      }
      return target;
    },
    proxies: new Map(
      manifest.proxies.map((proxy) => [
        proxy.name,
        {
          ...proxy,
          quads: array(proxy.quads),
          quadUvs: array(proxy.quadUvs),
          uvs: array(proxy.uvs),
          refs: array(proxy.refs),
          weights: array(proxy.weights),
          offsets: array(proxy.offsets),
          deleteVertices: proxy.deleteVertices && array(proxy.deleteVertices),
        } as ProxyMesh,
      ]),
    ),
    textures: manifest.textures,
    skins: manifest.skins,
    skinMasks: manifest.skinMasks.file,
  };
}

interface Manifest {
  readonly format: string;
  readonly files: Readonly<Record<string, { readonly bytes: number }>>;
  readonly base: Record<'positions' | 'quads' | 'quadUvs' | 'uvs' | 'quadGroup', ArrayRef> & {
    readonly vertexCount: number;
    readonly groups: readonly string[];
  };
  readonly rig: {
    readonly bones: readonly { readonly name: string; readonly parent: number; readonly head: string }[];
    readonly joints: Readonly<Record<string, readonly number[]>>;
    readonly helperJoints: Readonly<Record<string, readonly number[]>>;
    readonly boneIndex: ArrayRef;
    readonly boneWeight: ArrayRef;
  };
  readonly targets: Readonly<
    Record<string, { readonly scale: number; readonly indices?: ArrayRef; readonly deltas?: ArrayRef }>
  >;
  readonly modifiers: readonly Modifier[];
  readonly proxies: readonly (Omit<
    ProxyMesh,
    'quads' | 'quadUvs' | 'uvs' | 'refs' | 'weights' | 'offsets' | 'deleteVertices'
  > &
    Record<'quads' | 'quadUvs' | 'uvs' | 'refs' | 'weights' | 'offsets', ArrayRef> & {
      readonly deleteVertices?: ArrayRef;
    })[];
  readonly textures: Readonly<Record<string, AssetTexture>>;
  readonly skins: readonly Skin[];
  readonly skinMasks: { readonly file: string };
}

function readManifest(folder: string): Manifest {
  const path = existing(folder, 'manifest.json');
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch (error) {
    throw new FormatError(`"${path}": ${error instanceof Error ? error.message : error}`);
  }
  if (manifest?.format !== FORMAT)
    throw new FormatError(`"${path}" is not the manifest of an asset folder (format "${manifest?.format}")`);
  return manifest;
}

function existing(folder: string, file: string): string {
  const path = join(folder, file);
  if (!existsSync(path)) throw new UsageError(`there is no asset file "${path}"; ${WAY_OUT}`);
  return path;
}
