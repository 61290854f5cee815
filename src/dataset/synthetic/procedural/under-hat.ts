/** Hair under a hat: pressed to the head where the hat sits, and free again below its rim. */

import type { ProxyMesh } from '../assets.ts';
import { fitted } from '../morph.ts';
import { restNormals } from '../rig.ts';
import { type Anchor, anchorAt } from './builder.ts';
import { along, type Cast, casterOf, normalised, SKULL_CENTRE } from './cast.ts';
import type { Neutral, Vec3 } from './neutral.ts';

/** Metres that stay between hair and hat. */
const GAP = 0.004;
/** More of it under a brim: where the hat is further than this from the skull, by this share of the rest. */
const CLOSE = 0.012;
const BRIM = 0.4;
/** Pressed hair is no thinner. */
const THIN = 0.002;
/** Below the rim hair comes free again: so far down, in steps of so many radians. */
const STEPS = 8;
const STEP = 0.04;
/** Metres by which hair may leave the line of the rim for each metre below it. */
const FLARE = 0.55;

/** A mesh of the asset package or of our own, on the neutral in metres. */
export function onNeutral({ raw, positions, unit }: Neutral, proxy: ProxyMesh): Float32Array {
  const neck = [0, 1, 2].map((k) => raw[k] - positions[k] * unit);
  return fitted(proxy, raw).map((value, i) => (value - neck[i % 3]) / unit);
}

/** The hair as it lies under this hat. */
export function tucked(neutral: Neutral, scalp: Cast, hair: ProxyMesh, hat: ProxyMesh): ProxyMesh {
  const hatPositions = onNeutral(neutral, hat);
  const triangles = trianglesOf(hat);
  const cast = casterOf({
    positions: hatPositions,
    normals: restNormals(hatPositions, triangles),
    triangles,
  });
  const places = onNeutral(neutral, hair);
  const [refs, weights, offsets] = [hair.refs.slice(), hair.weights.slice(), hair.offsets.slice()];
  for (let i = 0; i < places.length; i += 3) {
    const from: Vec3 = [0, 1, 2].map((k) => places[i + k] - SKULL_CENTRE[k]) as never;
    const distance = Math.hypot(...from);
    const direction = normalised(from);
    const azimuth = Math.atan2(direction[0], direction[2]);
    const elevation = Math.asin(direction[1]);
    for (let step = 0; step <= STEPS; step++) {
      const raised = elevation + step * STEP;
      const hit = cast([
        Math.cos(raised) * Math.sin(azimuth),
        Math.sin(raised),
        Math.cos(raised) * Math.cos(azimuth),
      ]);
      if (hit === undefined) continue;
      const skull = scalp(direction)?.distance ?? 0;
      const gap = GAP + BRIM * Math.max(0, hit.distance - skull - CLOSE);
      const most = hit.distance - gap + FLARE * step * STEP * hit.distance;
      // Below the rim never into the skull, which may be wider there.
      const least = step === 0 ? 0 : Math.min(distance, skull + THIN);
      const place = along(SKULL_CENTRE, Math.max(least, Math.min(distance, most)), direction);
      if (step <= 2) {
        // What the hat covers, and what comes out just below, hangs where the hat does: no other head lets it through.
        const under = onHat(hat, hit.anchor);
        refs.set(under.vertices, i);
        weights.set(under.weights, i);
        const on = anchorAt(neutral, under);
        for (let k = 0; k < 3; k++) offsets[i + k] = (place[k] - on[k]) * neutral.unit;
      } else for (let k = 0; k < 3; k++) offsets[i + k] += (place[k] - places[i + k]) * neutral.unit;
      break;
    }
  }
  return { ...hair, refs, weights, offsets };
}

/** Quads as triangles. */
export function trianglesOf({ quads }: ProxyMesh): Uint32Array {
  const out: number[] = [];
  for (let q = 0; q < quads.length; q += 4) {
    const [a, b, c, d] = quads.subarray(q, q + 4);
    out.push(a, b, c);
    if (d !== a) out.push(a, c, d);
  }
  return Uint32Array.from(out);
}

/** What carries the vertex of a hat that is nearest to a place on it. */
export function onHat({ refs, weights }: ProxyMesh, on: Anchor): Anchor {
  const at = 3 * on.vertices[on.weights.indexOf(Math.max(...on.weights))];
  return {
    vertices: [refs[at], refs[at + 1], refs[at + 2]],
    weights: [weights[at], weights[at + 1], weights[at + 2]],
  };
}
