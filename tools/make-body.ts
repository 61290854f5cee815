/**
 * Builds the body that ships with the package from the CC0 parametric human of packages/assets:
 *
 *     npx tsx tools/make-body.ts packages/assets
 *
 * writes `models/body.bin` and prints the figures that say how well the frame of the original is met. The
 * outcome does not depend on the machine: the same pack gives the same bytes.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import {
  makeBody,
  readCompactBody,
  SMPL_HEAD,
  SMPL_NECK,
  SMPL_PARENTS,
  writeCompactBody,
} from '../src/body/index.ts';
import { cutFaces, fan, openLoops } from './boundary.ts';
import { neutralAdult, type Person, readPerson, turnBones } from './makehuman.ts';
import { visibleFaces } from './visible.ts';

/** Metres a decimetre of the pack, times what brings the bald crown to .23 above the neck joint. */
const SCALE = 0.1 * 0.935;
/** Shoulders are raised by turning the collar bones, as in the T pose of SMPL; arms keep their direction. */
const COLLAR_LIFT = (15 * Math.PI) / 180;
/** Weight of the target that widens the shoulders. */
const SHOULDER_WIDTH = 0.6;
/** Where the bust ends, metres: below the front camera's view, and within the upper arms. */
const LOWEST = -0.17;
const WIDEST = 0.28;
const SMOOTHING_ROUNDS = 4;
const MOST_INFLUENCES = 4;

/** What the bones of the pack become. Of the neck's three bones the last is shared with the head. */
const JOINT_OF_BONE: Readonly<Record<string, readonly (readonly [joint: number, share: number])[]>> = {
  root: [[0, 1]],
  spine05: [[3, 1]],
  spine04: [[3, 1]],
  spine03: [[6, 1]],
  spine02: [[9, 1]],
  spine01: [[9, 1]],
  'breast.L': [[9, 1]],
  'breast.R': [[9, 1]],
  'clavicle.L': [[13, 1]],
  'clavicle.R': [[14, 1]],
  'shoulder01.L': [[16, 1]],
  'shoulder01.R': [[17, 1]],
  'upperarm01.L': [[16, 1]],
  'upperarm01.R': [[17, 1]],
  'upperarm02.L': [[16, 1]],
  'upperarm02.R': [[17, 1]],
  'lowerarm01.L': [[18, 1]],
  'lowerarm01.R': [[19, 1]],
  neck01: [[SMPL_NECK, 1]],
  neck02: [[SMPL_NECK, 1]],
  neck03: [
    [SMPL_NECK, 0.5],
    [SMPL_HEAD, 0.5],
  ],
};

/** The bone at whose start a joint is. */
const BONE_OF_JOINT: Readonly<Record<number, string>> = {
  0: 'root',
  3: 'spine05',
  6: 'spine03',
  9: 'spine02',
  12: 'neck01',
  13: 'clavicle.L',
  14: 'clavicle.R',
  15: 'head',
  16: 'upperarm01.L',
  17: 'upperarm01.R',
  18: 'lowerarm01.L',
  19: 'lowerarm01.R',
};

/** Steps from parent to joint for what the pack has cut away; no vertex follows these joints. */
const CUT_AWAY: Readonly<Record<number, readonly number[]>> = {
  1: [0.06, -0.09, 0],
  2: [-0.06, -0.09, 0],
  4: [0.04, -0.38, 0],
  5: [-0.04, -0.38, 0],
  7: [-0.01, -0.4, -0.04],
  8: [0.01, -0.4, -0.04],
  10: [0.03, -0.06, 0.12],
  11: [-0.03, -0.06, 0.12],
  20: [0.17, -0.17, 0],
  21: [-0.17, -0.17, 0],
  22: [0.06, -0.06, 0],
  23: [-0.06, -0.06, 0],
};

const [pack] = process.argv.slice(2);
if (pack === undefined) {
  process.stderr.write('usage: npx tsx tools/make-body.ts ASSETS_FOLDER\n');
  process.exit(2);
}

const person = readPerson(pack, {
  ...neutralAdult(),
  'measure/measure-shoulder-dist-incr': SHOULDER_WIDTH,
});
const posed = turnBones(person, {
  'clavicle.L': COLLAR_LIFT,
  'clavicle.R': -COLLAR_LIFT,
  'shoulder01.L': -COLLAR_LIFT,
  'shoulder01.R': COLLAR_LIFT,
});
const boneNumber = (name: string): number => person.bones.findIndex((bone) => bone.name === name);
const origin = posed.heads[boneNumber('neck01')];
const metres = (point: ArrayLike<number>): number[] => [0, 1, 2].map((k) => SCALE * (point[k] - origin[k]));
const all = Float64Array.from(
  { length: posed.positions.length },
  (_, i) => SCALE * (posed.positions[i] - origin[i % 3]),
);
const quads = person.quads(['body', 'helper-l-eye', 'helper-r-eye']);
const cut = cutFaces(
  keepVisible(all, triangles(quads)),
  (v) => all[3 * v + 1] > LOWEST && Math.abs(all[3 * v]) < WIDEST,
);
const { numbers, faces: open } = compacted(cut);
const skin = skinWeights(person, numbers);
const points = numbers.flatMap((v) => Array.from(all.subarray(3 * v, 3 * v + 3)));
const { template, faces, influences } = closed(points, open, skin);
const joints = jointPlaces();
const weights = smoothed(influences, faces, SMPL_PARENTS.length);
const model = makeBody({
  template,
  faces,
  joints: Float32Array.from(joints.flat()),
  parents: Int32Array.from(SMPL_PARENTS),
  weights,
  alignPoint: new Float32Array(3),
  neck: SMPL_NECK,
  head: SMPL_HEAD,
});
const bytes = writeCompactBody(model);
readCompactBody(bytes);
mkdirSync('models', { recursive: true });
writeFileSync('models/body.bin', bytes);
report();

function triangles(quads: Int32Array): Int32Array {
  const out: number[] = [];
  for (let q = 0; q < quads.length; q += 4) {
    const [a, b, c, d] = quads.subarray(q, q + 4);
    out.push(a, b, c);
    if (d !== a) out.push(a, c, d);
  }
  return Int32Array.from(out);
}

/** Leaves out what nobody sees from around or above. */
function keepVisible(vertices: Float64Array, faces: Int32Array): Int32Array {
  const directions: number[][] = [[0, 1, 0]];
  for (const height of [-0.45, -0.15, 0.15, 0.45, 0.75]) {
    for (let i = 0; i < 16; i++) {
      const [azimuth, level] = [(Math.PI * (i + 0.5)) / 8, Math.sqrt(1 - height * height)];
      directions.push([level * Math.sin(azimuth), height, level * Math.cos(azimuth)]);
    }
  }
  const seen = visibleFaces(vertices, faces, directions);
  return faces.filter((_, i) => seen[Math.floor(i / 3)] === 1);
}

/** Closes waist and arms with flat lids, whose middle follows what its rim follows. */
function closed(
  points: number[],
  open: Int32Array,
  skin: Float64Array,
): { template: Float32Array; faces: Int32Array; influences: Float64Array } {
  const count = SMPL_PARENTS.length;
  const template = [...points];
  const faces = [...open];
  const influences = [...skin];
  const mean = (values: readonly number[], width: number, loop: readonly number[]): number[] =>
    Array.from(
      { length: width },
      (_, k) => loop.reduce((sum, v) => sum + values[width * v + k], 0) / loop.length,
    );
  for (const loop of openLoops(open)) {
    const middle = mean(template, 3, loop);
    const waist = middle[1] < LOWEST + 0.03;
    if (!waist && Math.abs(middle[0]) < WIDEST - 0.03) continue;
    if (waist) {
      for (const v of loop) template[3 * v + 1] = LOWEST;
      middle[1] = LOWEST;
    }
    faces.push(...fan(loop, template.length / 3));
    template.push(...middle);
    influences.push(...mean(influences, count, loop));
  }
  return {
    template: Float32Array.from(template),
    faces: Int32Array.from(faces),
    influences: Float64Array.from(influences),
  };
}

/** Numbers vertices anew, in order, without those that no face has. */
function compacted(faces: Int32Array): { numbers: number[]; faces: Int32Array } {
  const numbers = [...new Set(faces)].sort((a, b) => a - b);
  const at = new Map(numbers.map((v, i) => [v, i]));
  return { numbers, faces: faces.map((v) => at.get(v) as number) };
}

function jointPlaces(): number[][] {
  const places: number[][] = [];
  SMPL_PARENTS.forEach((parent, joint) => {
    const bone = BONE_OF_JOINT[joint];
    const step = CUT_AWAY[joint];
    places.push(
      bone !== undefined
        ? metres(posed.heads[boneNumber(bone)])
        : step.map((value, k) => value + places[parent][k]),
    );
  });
  return places;
}

function skinWeights({ bones, influences }: Person, vertices: readonly number[]): Float64Array {
  const count = SMPL_PARENTS.length;
  const out = new Float64Array(vertices.length * count);
  vertices.forEach((vertex, i) => {
    for (const [bone, weight] of influences(vertex)) {
      // Everything above the neck that is not named is a bone of the face.
      for (const [joint, share] of JOINT_OF_BONE[bones[bone].name] ?? [[SMPL_HEAD, 1]]) {
        out[i * count + joint] += weight * share;
      }
    }
  });
  return out;
}

/** Averages weights over neighbours a few times, keeps the largest, and makes each vertex's sum to 1. */
function smoothed(weights: Float64Array, faces: Int32Array, count: number): Float32Array {
  const neighbours: Set<number>[] = Array.from({ length: weights.length / count }, () => new Set());
  for (let i = 0; i < faces.length; i++) {
    const next = i % 3 === 2 ? i - 2 : i + 1;
    neighbours[faces[i]].add(faces[next]);
    neighbours[faces[next]].add(faces[i]);
  }
  let current = weights;
  for (let round = 0; round < SMOOTHING_ROUNDS; round++) {
    const next = new Float64Array(current.length);
    neighbours.forEach((around, v) => {
      for (let j = 0; j < count; j++) {
        let sum = 0;
        for (const n of around) sum += current[n * count + j];
        next[v * count + j] = 0.5 * current[v * count + j] + (0.5 * sum) / around.size;
      }
    });
    current = next;
  }
  const out = new Float32Array(current.length);
  for (let v = 0; v < neighbours.length; v++) {
    const row = Array.from(current.subarray(v * count, (v + 1) * count), (weight, joint) => ({
      weight,
      joint,
    }));
    const kept = row
      .sort((a, b) => b.weight - a.weight)
      .slice(0, MOST_INFLUENCES)
      .filter(({ weight }) => weight > 0.002);
    const sum = kept.reduce((total, { weight }) => total + weight, 0);
    for (const { weight, joint } of kept) out[v * count + joint] = weight / sum;
  }
  return out;
}

function report(): void {
  const show = (values: readonly number[]): string => values.map((value) => value.toFixed(3)).join(', ');
  const bounds = [0, 1, 2].map((k) => {
    const axis = template.filter((_, i) => i % 3 === k);
    return `${'xyz'[k]} ${Math.min(...axis).toFixed(3)} to ${Math.max(...axis).toFixed(3)}`;
  });
  const lines = [
    `${model.vertexCount} vertices, ${model.faceCount} faces, ${bytes.length} bytes`,
    `bounds: ${bounds.join(', ')} m`,
    `openings left: ${openLoops(model.faces)
      .map((loop) => loop.length)
      .join(', ')} edges`,
    `head joint: ${show(joints[SMPL_HEAD])}`,
    `shoulder joint (left): ${show(joints[16])}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
