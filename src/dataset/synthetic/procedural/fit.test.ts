import { describe, expect, it } from 'vitest';
import { stream } from '../../../random.ts';
import { readAssets } from '../assets.ts';
import { addExpression } from '../expression.ts';
import { LATENT_LENGTH } from '../latent.ts';
import { addMacro } from '../macro.ts';
import { fitted, morph } from '../morph.ts';
import { restNormals } from '../rig.ts';
import { addSliders } from '../sliders.ts';
import { traitsOf } from '../traits.ts';
import { nearestAnchor } from './builder.ts';
import { madeParts } from './made.ts';
import { neutralOf } from './neutral.ts';
import { onNeutral } from './under-hat.ts';

const assets = readAssets('packages/assets');
const neutral = neutralOf(assets);
const made = madeParts(assets);
const proxyOf = (name: string) => made.get(name)!.proxy;
/** Millimetres in a decimetre. */
const MM = 100;

/** The base mesh of a random person, decimetres. */
function somebody(seed: number): Float32Array {
  const random = stream(seed, 9);
  const traits = traitsOf(Array.from({ length: LATENT_LENGTH }, () => random.normal()));
  const weights = new Map<string, number>();
  const add = (target: string, weight: number): void => {
    weights.set(target, (weights.get(target) ?? 0) + weight);
  };
  addMacro(traits, add);
  addSliders(assets, traits.face, traits.asymmetry, add);
  addExpression(traits.expression, traits.ancestry, add);
  return morph(assets, weights);
}
const PEOPLE = Array.from({ length: 10 }, (_, seed) => somebody(seed));

/** How far a place lies outside the head along the normal of the nearest vertex, in millimetres. */
function outsideOf(base: Float32Array): (place: ArrayLike<number>) => number {
  const normals = restNormals(base, neutral.triangles);
  const head = [...new Set(neutral.triangles)].filter((v) => neutral.positions[3 * v + 1] > 0);
  return (place) => {
    let [best, vertex] = [Infinity, 0];
    for (const v of head) {
      const [x, y, z] = [base[3 * v] - place[0], base[3 * v + 1] - place[1], base[3 * v + 2] - place[2]];
      const square = x * x + y * y + z * z;
      if (square < best) [best, vertex] = [square, v];
    }
    let outside = 0;
    for (let k = 0; k < 3; k++) outside += (place[k] - base[3 * vertex + k]) * normals[3 * vertex + k];
    return MM * outside;
  };
}

/** The least of some vertices of a part, over all people. */
function deepest(name: string, vertices: readonly number[]): number {
  let least = Infinity;
  for (const base of PEOPLE) {
    const outside = outsideOf(base);
    const places = fitted(proxyOf(name), base);
    for (const v of vertices) least = Math.min(least, outside(places.subarray(3 * v, 3 * v + 3)));
  }
  return least;
}

describe('made parts on ten people', () => {
  // Worst measured: buzz -1.2 mm (its lowest shell between coarse vertices), full -.3, all others above 0.
  it.each(['buzz', 'curls', 'afro', 'moustache', 'goatee', 'full', 'beanie', 'cap'])(
    '%s stays outside the head',
    (name) => {
      const { vertexCount } = proxyOf(name);
      const every = Math.max(1, Math.floor(vertexCount / 150));
      const some = Array.from({ length: vertexCount }, (_, v) => v).filter((v) => v % every === 0);
      expect(deepest(name, some)).toBeGreaterThan(-2);
    },
  );

  it.each(['round', 'square'])('%s glasses stand before the face', (name) => {
    const places = onNeutral(neutral, proxyOf(name));
    const front = Array.from({ length: places.length / 3 }, (_, v) => v).filter(
      (v) => places[3 * v + 2] > 0.125,
    );
    expect(deepest(name, front)).toBeGreaterThan(-2);
  });

  it.each(['round', 'square'])('temples of %s glasses reach the ears', (name) => {
    for (const side of [1, -1]) {
      const ear = nearestAnchor(neutral, [side * 0.0653, 0.1335, 0.0485]).vertices[0];
      for (const base of PEOPLE) {
        const places = fitted(proxyOf(name), base);
        let nearest = Infinity;
        for (let v = 0; v < places.length; v += 3)
          nearest = Math.min(
            nearest,
            Math.hypot(
              places[v] - base[3 * ear],
              places[v + 1] - base[3 * ear + 1],
              places[v + 2] - base[3 * ear + 2],
            ),
          );
        // Worst measured: 8.9 mm, of which half is the thickness of the ear's root.
        expect(MM * nearest).toBeLessThan(15);
      }
    }
  });
});
