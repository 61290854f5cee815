/**
 * Reads the asset package: one parametric human (base mesh, morph targets, rig) with its hair, garments and skins.
 *
 * `packages/assets/README.md` says what the arrays mean. Lengths are decimetres, y up, the person looks along +z
 * and its left is +x, until `person.ts` brings everything to the metres of our world.
 */

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { DatasetError, UsageError } from '../../errors.ts';
import { type Field, openManifest, WAY_OUT } from './manifest.ts';

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
}

/** A mesh that is fitted to the base mesh. */
export interface ProxyMesh {
  readonly name: string;
  readonly category: 'hair' | 'clothes' | 'hat' | 'eyebrows' | 'eyelashes' | 'eyes' | 'teeth' | 'tongue';
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
  bone(name: string): Assets['bones'][number];
  /** [V, 8] */
  readonly boneIndex: Uint8Array;
  /** [V, 8] a row sums to 65535 */
  readonly boneWeight: Uint16Array;
  modifier(name: string): Modifier;
  target(name: string): Target;
  readonly proxies: ReadonlyMap<string, ProxyMesh>;
  proxy(name: string): ProxyMesh;
  texture(name: string): AssetTexture;
  readonly skins: readonly Skin[];
  /** lips, eyelids, face in red, green, blue */
  readonly skinMasks: string;
}

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

/** Most vertices of a mesh: indices have 16 bits. */
const MOST_VERTICES = 65535;
const CATEGORIES = ['hair', 'clothes', 'hat', 'eyebrows', 'eyelashes', 'eyes', 'teeth', 'tongue'] as const;
const AGES = ['young', 'middleage', 'old'] as const;
const SEXES = ['female', 'male'] as const;

/** Reads a folder of assets.
 *
 * @throws UsageError naming the first file that is missing, DatasetError for a folder that is not what it should be.
 */
export function readAssets(folder: string): Assets {
  const manifest = openManifest(folder);
  const lacking = (what: string, name: string): DatasetError =>
    new DatasetError(`"${folder}": there is no ${what} "${name}"; ${WAY_OUT}`);
  const base = baseOf(manifest.at('base'));
  const { vertexCount } = base;
  const rig = manifest.at('rig');
  const vertices = (field: Field): number[] => field.items().map((item) => item.whole(0, vertexCount - 1));
  const bones = rig
    .at('bones')
    .items()
    .map((bone, i) => {
      const joint = rig.at('joints').at(bone.at('head').text());
      return {
        name: bone.at('name').text(),
        parent: bone.at('parent').whole(-1, i - 1),
        joint: vertices(joint),
      };
    });
  const targets = new Map(manifest.at('targets').entries());
  const read = new Map<string, Target>();
  const textures = new Map(
    manifest
      .at('textures')
      .entries()
      .map(([name, field]) => [name, textureOf(field)]),
  );
  const proxies = new Map(
    manifest
      .at('proxies')
      .items()
      .map((field) => {
        const proxy = proxyOf(field, vertexCount);
        for (const name of proxy.textures) if (!textures.has(name)) throw lacking('texture', name);
        return [proxy.name, proxy];
      }),
  );
  const modifiers = new Map(
    manifest
      .at('modifiers')
      .items()
      .map((field) => {
        const modifier = modifierOf(field);
        return [modifier.name, modifier];
      }),
  );
  const named =
    <T>(map: ReadonlyMap<string, T>, what: string) =>
    (name: string): T => {
      const found = map.get(name);
      if (found === undefined) throw lacking(what, name);
      return found;
    };
  return {
    folder,
    base,
    bones,
    bone: named(new Map(bones.map((bone) => [bone.name, bone])), 'bone'),
    boneIndex: rig.at('boneIndex').array('u8', 8, vertexCount, bones.length),
    boneWeight: rig.at('boneWeight').array('u16', 8, vertexCount, 65536),
    modifier: named(modifiers, 'modifier'),
    target(name) {
      let target = read.get(name);
      if (target === undefined) {
        target = targetOf(named(targets, 'morph target')(name), vertexCount);
        read.set(name, target);
      }
      return target;
    },
    proxies,
    proxy: named(proxies, 'part'),
    texture: named(textures, 'texture'),
    skins: manifest
      .at('skins')
      .items()
      .map((skin) => ({
        name: skin.at('name').text(),
        age: skin.at('age').word(AGES),
        ethnicity: skin.at('ethnicity').word(ANCESTRIES),
        gender: skin.at('gender').word(SEXES),
        color: skin.at('color').file(),
      })),
    skinMasks: manifest.at('skinMasks').at('file').file(),
  };
}

function baseOf(field: Field): Assets['base'] {
  const vertexCount = field.at('vertexCount').whole(1, MOST_VERTICES);
  const groups = field
    .at('groups')
    .items()
    .map((group) => group.text());
  const uvs = field.at('uvs').array('f32', 2);
  const quads = field.at('quads').array('u16', 4, undefined, vertexCount);
  const quadCount = quads.length / 4;
  return {
    vertexCount,
    positions: field.at('positions').array('f32', 3, vertexCount),
    quads,
    quadUvs: field.at('quadUvs').array('u16', 4, quadCount, uvs.length / 2),
    uvs,
    quadGroup: field.at('quadGroup').array('u8', 1, quadCount, groups.length),
    groups,
  };
}

function targetOf(field: Field, vertexCount: number): Target {
  const count = field.at('count').whole(0, vertexCount);
  const indices = field.at('indices');
  const deltas = field.at('deltas');
  if (!deltas.isThere) return { indices: undefined, deltas: new Int16Array(0), scale: 0 };
  return {
    indices: indices.isThere ? indices.array('u16', 1, count, vertexCount) : undefined,
    deltas: deltas.array('i16', 3, count),
    scale: field.at('scale').number(),
  };
}

function modifierOf(field: Field): Modifier {
  const negative = field.at('negative');
  return {
    name: field.at('name').text(),
    positive: field.at('positive').text(),
    ...(negative.isThere ? { negative: negative.text() } : {}),
  };
}

function textureOf(field: Field): AssetTexture {
  const files = ['color', 'alpha', 'ao'].map((name) => [name, field.at(name)] as const);
  return Object.fromEntries(
    files.filter(([, file]) => file.isThere).map(([name, file]) => [name, file.file()]),
  );
}

function proxyOf(field: Field, base: number): ProxyMesh {
  const vertexCount = field.at('vertexCount').whole(1, MOST_VERTICES);
  const uvs = field.at('uvs').array('f32', 2);
  const quads = field.at('quads').array('u16', 4, undefined, vertexCount);
  const hidden = field.at('deleteVertices');
  return {
    name: field.at('name').text(),
    category: field.at('category').word(CATEGORIES),
    vertexCount,
    quads,
    quadUvs: field.at('quadUvs').array('u16', 4, quads.length / 4, uvs.length / 2),
    uvs,
    refs: field.at('refs').array('u16', 3, vertexCount, base),
    weights: field.at('weights').array('f32', 3, vertexCount),
    offsets: field.at('offsets').array('f32', 3, vertexCount),
    scale: field
      .at('scale')
      .items()
      .map((axis) => ({
        a: axis.at('a').whole(0, base - 1),
        b: axis.at('b').whole(0, base - 1),
        length: axis.at('length').number(),
      })),
    deleteVertices: hidden.isThere ? hidden.array('u16', 1, undefined, base) : undefined,
    textures: field
      .at('textures')
      .items()
      .map((name) => name.text()),
  };
}
