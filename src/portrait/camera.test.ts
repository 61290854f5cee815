import { expect, test } from 'vitest';
import { cameraLabel, orbitCamera, sampleCamera } from './camera.ts';

const FRONT = { h: Math.PI / 2, v: Math.PI / 2 };

test('a draw of zero standard deviations is the mean camera', () => {
  const camera = sampleCamera({ kind: 'gaussian', ...FRONT, hSpread: 0.3, vSpread: 0.2 }, () => 0);
  expect(cameraLabel(camera)).toEqual(cameraLabel(orbitCamera(FRONT.h, FRONT.v)));
});

test('draws of a uniform camera go from one end of its range to the other, horizontal first', () => {
  const ends = [0, 1];
  const camera = sampleCamera({ kind: 'uniform', ...FRONT, hSpread: 0.3, vSpread: 0.2 }, () =>
    Number(ends.shift()),
  );
  expect(cameraLabel(camera)).toEqual(cameraLabel(orbitCamera(FRONT.h - 0.3, FRONT.v + 0.2)));
});

test('a sampled camera keeps the radius and the point it looks at', () => {
  const lookAt = [0.1, 0.2, 0.3] as const;
  const { cam2world: m } = sampleCamera(
    { kind: 'gaussian', ...FRONT, hSpread: 0.3, vSpread: 0.2, radius: 3, lookAt },
    () => 1.5,
  );
  const centre = [m[3], m[7], m[11]];
  expect(Math.hypot(...centre)).toBeCloseTo(3, 12);
  const towards = lookAt.map((x, i) => x - centre[i]);
  const along = [m[2], m[6], m[10]].reduce((sum, x, i) => sum + x * towards[i], 0);
  expect(along).toBeCloseTo(Math.hypot(...towards), 12);
});
