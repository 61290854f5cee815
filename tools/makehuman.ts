/** The parametric human of `packages/assets` as far as a body needs it: a morphed mesh, bones, skin weights. */

import { readAssets } from '../src/dataset/synthetic/assets.ts';
import { addMacro } from '../src/dataset/synthetic/macro.ts';
import { addTargets, jointAt } from '../src/dataset/synthetic/morph.ts';

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

/** The person that morph targets with these weights make. */
export function readPerson(folder: string, weights: Readonly<Record<string, number>>): Person {
  const assets = readAssets(folder);
  const { base, boneIndex, boneWeight } = assets;
  const positions = Float64Array.from(base.positions);
  addTargets(positions, assets, new Map(Object.entries(weights)));
  return {
    positions,
    quads: (groups) => {
      const wanted = new Set(groups.map((name) => base.groups.indexOf(name)));
      const kept: number[] = [];
      for (let q = 0; q < base.quadGroup.length; q++) {
        if (wanted.has(base.quadGroup[q])) kept.push(...base.quads.subarray(4 * q, 4 * q + 4));
      }
      return Int32Array.from(kept);
    },
    bones: assets.bones.map(({ name, parent, joint }) => ({ name, parent, head: jointAt(positions, joint) })),
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
  const third = 1 / 3;
  addMacro(
    {
      gender: 0.5,
      age: 25,
      weight: 0.5,
      muscle: 0.5,
      ancestry: { african: third, asian: third, caucasian: third },
    },
    (target, weight) => {
      if (weight !== 0) weights[target] = weight;
    },
  );
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
