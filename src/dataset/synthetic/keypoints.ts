/**
 * Named points of a person: at rest, posed, and in the picture.
 *
 * Every point is rigid with one bone, so that rest and posed positions of the points give the pose back exactly. Points on
 * the head alone cannot tell a turn of the neck from a turn of the head; `throat` and `nape` belong to the neck.
 */

import { type Pinhole, pinholeOf } from '../../picture/pinhole.ts';
import { CAMERA_NUMBERS } from '../labels.ts';
import type { Person } from './person.ts';
import { moved, poseMotions } from './rig.ts';

type Vec3 = readonly [number, number, number];

/** Vertices of the base mesh that follow the head alone. */
const ON_HEAD = { nose: 2386, chin: 2503, crown: 881, leftEar: 5778, rightEar: 2800 } as const;

/** Names in the order of the arrays below. */
export const KEYPOINTS = [
  'nose',
  'chin',
  'crown',
  'leftEar',
  'rightEar',
  'leftEye',
  'rightEye',
  'head',
  'throat',
  'nape',
  'neck',
  'leftShoulder',
  'rightShoulder',
] as const;
export type Keypoint = (typeof KEYPOINTS)[number];

/** What carries each point: `head` and `neck` joint, or nothing that moves. */
export const CARRIERS: Readonly<Record<Keypoint, 'head' | 'neck' | 'rest'>> = {
  nose: 'head',
  chin: 'head',
  crown: 'head',
  leftEar: 'head',
  rightEar: 'head',
  leftEye: 'head',
  rightEye: 'head',
  head: 'neck',
  throat: 'neck',
  nape: 'neck',
  neck: 'rest',
  leftShoulder: 'rest',
  rightShoulder: 'rest',
};

/** Forward and backward of the middle of the neck, metres: about where the skin is. */
const THROAT = 0.055;
const NAPE = -0.05;

/** The points at rest, metres. */
export function restKeypoints({ base, neck, head, joints }: Person): Record<Keypoint, Vec3> {
  const vertex = (v: number): Vec3 => [base[3 * v], base[3 * v + 1], base[3 * v + 2]];
  const middle = joints.middleNeck;
  return {
    nose: vertex(ON_HEAD.nose),
    chin: vertex(ON_HEAD.chin),
    crown: vertex(ON_HEAD.crown),
    leftEar: vertex(ON_HEAD.leftEar),
    rightEar: vertex(ON_HEAD.rightEar),
    leftEye: joints.leftEye,
    rightEye: joints.rightEye,
    head,
    throat: [middle[0], middle[1], middle[2] + THROAT],
    nape: [middle[0], middle[1], middle[2] + NAPE],
    neck,
    leftShoulder: joints.leftShoulder,
    rightShoulder: joints.rightShoulder,
  };
}

export interface Keypoints {
  /** metres, in the order of {@link KEYPOINTS} */
  readonly rest: readonly Vec3[];
  readonly posed: readonly Vec3[];
  /** positions from 0 to 1 over the picture, from the top left */
  readonly image: readonly (readonly [number, number])[];
}

/** The points of a person in one picture. @param label 25 camera and 6 pose numbers */
export function keypointsOf(person: Person, label: ArrayLike<number>): Keypoints {
  const numbers = Array.from(label);
  const rest = restKeypoints(person);
  const [neck, head] = poseMotions(numbers.slice(CAMERA_NUMBERS), person.neck, person.head);
  const motions = { neck, head, rest: undefined };
  const camera = pinholeOf(numbers.slice(0, CAMERA_NUMBERS));
  const posed = KEYPOINTS.map((name): Vec3 => {
    const motion = motions[CARRIERS[name]];
    return motion === undefined ? rest[name] : moved(motion, rest[name]);
  });
  return {
    rest: KEYPOINTS.map((name) => rest[name]),
    posed,
    image: posed.map((point) => project(camera, point)),
  };
}

function project({ matrix: m }: Pinhole, [x, y, z]: Vec3): readonly [number, number] {
  const row = (k: number): number => m[k] * x + m[k + 1] * y + m[k + 2] * z + m[k + 3];
  return [row(0) / row(8), row(4) / row(8)];
}
