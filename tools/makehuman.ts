/**
 * Reads the CC0 MakeHuman head-and-shoulders pack as far as a body needs it: a morphed mesh, bones, skin weights.
 *
 * The pack's own README says what the arrays mean; lengths are decimetres, y up, the person looks along +z.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ArrayRef {
  readonly file: string;
  readonly dtype: 'f32' | 'u16' | 'i16' | 'u8';
  readonly shape: readonly number[];
  readonly offset: number;
}

interface Target {
  readonly count: number;
  readonly scale: number;
  readonly indices?: ArrayRef;
  readonly deltas?: ArrayRef;
}

interface Manifest {
  readonly base: Record<'positions' | 'quads' | 'quadGroup', ArrayRef> & {
    readonly groups: readonly string[];
  };
  readonly rig: {
    readonly bones: readonly { readonly name: string; readonly parent: number; readonly head: string }[];
    readonly joints: Readonly<Record<string, readonly number[]>>;
    readonly boneIndex: ArrayRef;
    readonly boneWeight: ArrayRef;
  };
  readonly targets: Readonly<Record<string, Target>>;
}

export interface Bone {
  readonly name: string;
  /** Number of the parent, -1 for the root. */
  readonly parent: number;
  /** Where the bone starts. */
  readonly head: readonly number[];
}

export interface Person {
  /** [V, 3] decimetres; helper geometry included. */
  readonly positions: Float64Array;
  /** [Q, 4] of the named groups, counter-clockwise from outside. */
  quads(groups: readonly string[]): Int32Array;
  readonly bones: readonly Bone[];
  /** Bones and weights of a vertex. */
  influences(vertex: number): [bone: number, weight: number][];
}

const TYPES = { f32: Float32Array, u16: Uint16Array, i16: Int16Array, u8: Uint8Array };

/** The person that morph targets with these weights make. */
export function readPerson(folder: string, weights: Readonly<Record<string, number>>): Person {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const files = new Map<string, ArrayBuffer>();
  const array = (ref: ArrayRef): ArrayLike<number> => {
    const buffer = files.get(ref.file) ?? new Uint8Array(readFileSync(join(folder, ref.file))).buffer;
    files.set(ref.file, buffer);
    return new TYPES[ref.dtype](
      buffer,
      ref.offset,
      ref.shape.reduce((a, b) => a * b, 1),
    );
  };
  const { base, rig, targets } = manifest;
  const positions = Float64Array.from(array(base.positions));
  for (const [name, weight] of Object.entries(weights)) {
    const target = targets[name];
    if (target === undefined) throw new Error(`the pack has no target "${name}"`);
    if (target.deltas === undefined || weight === 0) continue;
    const deltas = array(target.deltas);
    const indices = target.indices && array(target.indices);
    for (let i = 0; i < target.count; i++) {
      const vertex = indices?.[i] ?? i;
      for (let k = 0; k < 3; k++) positions[3 * vertex + k] += weight * target.scale * deltas[3 * i + k];
    }
  }
  const middle = (vertices: readonly number[]): number[] =>
    [0, 1, 2].map((k) => vertices.reduce((sum, v) => sum + positions[3 * v + k], 0) / vertices.length);
  const quads = array(base.quads);
  const quadGroup = array(base.quadGroup);
  const boneIndex = array(rig.boneIndex);
  const boneWeight = array(rig.boneWeight);
  return {
    positions,
    quads: (groups) => {
      const wanted = new Set(groups.map((name) => base.groups.indexOf(name)));
      const kept: number[] = [];
      for (let q = 0; q < quadGroup.length; q++) {
        if (wanted.has(quadGroup[q])) kept.push(...[0, 1, 2, 3].map((k) => quads[4 * q + k]));
      }
      return Int32Array.from(kept);
    },
    bones: rig.bones.map(({ name, parent, head }) => ({ name, parent, head: middle(rig.joints[head]) })),
    influences: (vertex) =>
      Array.from({ length: 8 }, (_, i): [number, number] => [
        boneIndex[8 * vertex + i],
        boneWeight[8 * vertex + i] / 65535,
      ]).filter(([, weight]) => weight > 0),
  };
}

/** Weights of the targets of an adult of 25 years, half man, half woman, a third of each origin. */
export function neutralAdult(): Record<string, number> {
  const weights: Record<string, number> = {};
  for (const gender of ['female', 'male']) {
    for (const origin of ['african', 'asian', 'caucasian']) {
      weights[`macrodetails/${origin}-${gender}-young`] = 1 / 6;
    }
    weights[`macrodetails/universal-${gender}-young-averagemuscle-averageweight`] = 1 / 2;
  }
  return weights;
}

/** Turns bones about the axis z: angles in radians by bone name. Returns positions and heads after it. */
export function turnBones(
  person: Person,
  angles: Readonly<Record<string, number>>,
): { positions: Float64Array; heads: number[][] } {
  const turns: number[] = [];
  const heads: number[][] = [];
  person.bones.forEach(({ name, parent, head }) => {
    const angle = angles[name] ?? 0;
    if (parent < 0) {
      turns.push(angle);
      heads.push([...head]);
      return;
    }
    const step = head.map((value, k) => value - person.bones[parent].head[k]);
    const moved = about(turns[parent], step);
    heads.push(moved.map((value, k) => value + heads[parent][k]));
    turns.push(turns[parent] + angle);
  });
  const positions = new Float64Array(person.positions.length);
  for (let v = 0; v < positions.length / 3; v++) {
    for (const [bone, weight] of person.influences(v)) {
      const from = person.bones[bone].head;
      const offset = [0, 1, 2].map((k) => person.positions[3 * v + k] - from[k]);
      about(turns[bone], offset).forEach((value, k) => {
        positions[3 * v + k] += weight * (value + heads[bone][k]);
      });
    }
  }
  return { positions, heads };
}

function about(angle: number, [x, y, z]: readonly number[]): number[] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c * x - s * y, s * x + c * y, z];
}
