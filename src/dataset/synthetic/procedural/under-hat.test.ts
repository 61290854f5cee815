import { expect, it } from 'vitest';
import { readAssets } from '../assets.ts';
import { restNormals } from '../rig.ts';
import { casterOf, normalised, SKULL_CENTRE } from './cast.ts';
import { madeParts } from './made.ts';
import { neutralOf, type Vec3 } from './neutral.ts';
import { onNeutral, trianglesOf, tucked } from './under-hat.ts';

const assets = readAssets('packages/assets');
const neutral = neutralOf(assets);
const made = madeParts(assets);

it.each(['long01', 'braid01', 'short04'])('%s lies inside a beanie', (name) => {
  const hat = made.get('beanie')!.proxy;
  const hair = assets.proxies.get(name)!;
  const [positions, triangles] = [onNeutral(neutral, hat), trianglesOf(hat)];
  const cast = casterOf({ positions, triangles, normals: restNormals(positions, triangles) });
  const outside = (places: Float32Array): number => {
    let count = 0;
    for (let i = 0; i < places.length; i += 3) {
      const from = [0, 1, 2].map((k) => places[i + k] - SKULL_CENTRE[k]) as unknown as Vec3;
      const hit = cast(normalised(from));
      if (hit === undefined) continue;
      if (Math.hypot(...from) > hit.distance) count++;
    }
    return count;
  };
  const before = onNeutral(neutral, hair);
  const after = onNeutral(neutral, tucked(neutral, casterOf(neutral), hair, hat));
  expect(outside(after)).toBe(0);
  expect(after.length).toBe(before.length);
  if (name !== 'short04') {
    expect(outside(before)).toBeGreaterThan(100);
    // The ends of long hair stay where they were.
    let lowest = 0;
    for (let i = 1; i < before.length; i += 3) if (before[i] < before[lowest + 1]) lowest = i - 1;
    for (let k = 0; k < 3; k++) expect(after[lowest + k]).toBeCloseTo(before[lowest + k], 5);
  }
});
