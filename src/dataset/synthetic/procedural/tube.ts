/** Tubes: a round wire along a line. */

import type { Anchor, Builder } from './builder.ts';
import { along, cross, dot, normalised } from './cast.ts';
import type { Vec3 } from './neutral.ts';

export interface WirePoint {
  readonly place: Vec3;
  readonly anchor: Anchor;
  /** metres */
  readonly radius: number;
}

const SIDES = 6;

/** Adds a tube; an open one is closed by a cap at each end. */
export function addTube(builder: Builder, points: readonly WirePoint[], closed: boolean): void {
  const uv = builder.uv(0.5, 0.5);
  const count = points.length;
  const at = (i: number): Vec3 =>
    closed ? points[(i + count) % count].place : points[Math.min(count - 1, Math.max(0, i))].place;
  let across: Vec3 = [0, 0, 1];
  const rings = points.map(({ place, anchor, radius }, i) => {
    const [before, after] = [at(i - 1), at(i + 1)];
    const forward = normalised([after[0] - before[0], after[1] - before[1], after[2] - before[2]]);
    // The frame is carried along without twist.
    across = normalised(along(across, -dot(across, forward), forward));
    const other = cross(forward, across);
    return Array.from({ length: SIDES }, (_, k) => {
      const angle = (2 * Math.PI * k) / SIDES;
      const on = along(along(place, radius * Math.cos(angle), across), radius * Math.sin(angle), other);
      return builder.vertex(on, anchor);
    });
  });
  const uvs = [uv, uv, uv, uv];
  for (let i = 0; i < count - (closed ? 0 : 1); i++) {
    const [a, b] = [rings[i], rings[(i + 1) % count]];
    for (let k = 0; k < SIDES; k++) {
      const next = (k + 1) % SIDES;
      builder.quad([a[k], a[next], b[next], b[k]], uvs);
    }
  }
  if (closed) return;
  for (const [end, forward] of [
    [0, false],
    [count - 1, true],
  ] as const) {
    const { place, anchor } = points[end];
    const middle = builder.vertex(place, anchor);
    for (let k = 0; k < SIDES; k++) {
      const [a, b] = [rings[end][k], rings[end][(k + 1) % SIDES]];
      builder.quad(forward ? [a, b, middle, a] : [b, a, middle, b], uvs);
    }
  }
}
