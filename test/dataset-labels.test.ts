/** The labels of synthetic portraits, recovered from their keypoints by other mathematics than made them. */

import { expect, test } from 'vitest';
import { rodrigues } from '../src/body/index.ts';
import { installedAssets, readAssets } from '../src/dataset/synthetic/assets.ts';
import { CARRIERS, KEYPOINTS, type Keypoint, keypointsOf } from '../src/dataset/synthetic/keypoints.ts';
import { personOf } from '../src/dataset/synthetic/person.ts';
import { latentOf, shotOf } from '../src/dataset/synthetic/shots.ts';
import { traitsOf } from '../src/dataset/synthetic/traits.ts';
import { wardrobeOf } from '../src/dataset/synthetic/wardrobe.ts';
import { cameraFromPoints, rotationBetween, rotationVector, transposeProduct } from './linear-algebra.ts';

type Vec3 = readonly [number, number, number];

const SET = {
  seed: 7,
  count: 40,
  size: 64,
  views: 2,
  cameras: 'phq',
  poses: 'natural',
  heldOut: 0,
  cameraLight: false,
  backdrops: 'varied',
} as const;

const wardrobe = wardrobeOf(readAssets(installedAssets()));

const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(Math.abs(actual[i] - expected[i])).toBeLessThan(tolerance);
}

test('camera, head rotation, head joint and all six pose numbers come back from keypoints', () => {
  for (let index = 0; index < SET.count; index++) {
    const { label, identity } = shotOf(SET, index);
    const person = personOf(wardrobe, traitsOf(latentOf(SET.seed, identity)));
    const pose = label.slice(25);
    const { rest, posed, image } = keypointsOf(person, label);
    const at = (points: readonly Vec3[], name: Keypoint): Vec3 => points[KEYPOINTS.indexOf(name)];

    // Everything here: worst over 2,000 pictures 5e-7.
    expectClose(cameraFromPoints(posed, image), label.slice(0, 25), 1e-3);

    const onHead = KEYPOINTS.filter((name) => CARRIERS[name] === 'head');
    const edges = (points: readonly Vec3[]): Vec3[] =>
      onHead.slice(1).map((name) => minus(at(points, name), at(points, onHead[0])));
    const both = rotationBetween(edges(rest), edges(posed));
    const [neck, head] = [rodrigues(pose[0], pose[1], pose[2]), rodrigues(pose[3], pose[4], pose[5])];
    const product = Array.from({ length: 9 }, (_, k) => {
      const [i, j] = [Math.floor(k / 3), k % 3];
      return neck[3 * i] * head[j] + neck[3 * i + 1] * head[3 + j] + neck[3 * i + 2] * head[6 + j];
    });
    expectClose(both, product, 1e-3);

    // The head joint, from the nose and the rotation.
    const [x, y, z] = minus(at(rest, 'head'), at(rest, 'nose'));
    const joint = at(posed, 'nose').map(
      (value, i) => value + both[3 * i] * x + both[3 * i + 1] * y + both[3 * i + 2] * z,
    );
    expectClose(joint, at(posed, 'head'), 1e-3);

    // Two points of the neck tell its rotation, and so the head's own.
    const onNeck = (['throat', 'nape'] as const).map((name) => [at(rest, name), at(posed, name)] as const);
    const turned = rotationBetween(
      onNeck.map(([before]) => before),
      onNeck.map(([, after]) => after),
    );
    expectClose(rotationVector(turned), pose.slice(0, 3), 1e-3);
    expectClose(rotationVector(transposeProduct(turned, both)), pose.slice(3), 1e-3);
  }
});

test('keypoints follow one bone alone', () => {
  const person = personOf(wardrobe, traitsOf(latentOf(1, 0)));
  const front = shotOf({ ...SET, cameras: 'ring' }, 0).label.slice(0, 25);
  const still = keypointsOf(person, [...front, 0, 0, 0, 0, 0, 0]);
  const nodding = keypointsOf(person, [...front, 0, 0, 0, 0.3, 0, 0]);
  KEYPOINTS.forEach((name, i) => {
    const moved = Math.hypot(...minus(still.posed[i], nodding.posed[i])) > 1e-6;
    expect([name, moved]).toEqual([name, CARRIERS[name] === 'head']);
  });
});
