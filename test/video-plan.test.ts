/** Camera paths, splines between keyframes, and who is where in a grid. */

import { describe, expect, test } from 'vitest';
import { cellRenderers, gridFrame } from '../src/cli/video-cells.ts';
import { shotsOf, type VideoFlags, type VideoOptions, videoOptions } from '../src/cli/video-options.ts';
import { type CameraPath, momentOf, type Scene } from '../src/cli/video-path.ts';
import { SWEEPS } from '../src/cli/video-pose.ts';
import { blendStyles, keyframeWeights, notAKnotSpline } from '../src/cli/video-spline.ts';
import type { Parts, PortraitGenerator, View } from '../src/portrait/session.ts';
import { ndarray, type Resident } from '../src/tensor/index.ts';

/** The same spline by another way: all coefficients of all cubics from one dense linear system. */
function splineByElimination(y: readonly number[]): (x: number) => number {
  const pieces = y.length - 1;
  const size = 4 * pieces;
  const rows: number[][] = [];
  const row = (entries: Record<number, number>, right: number): void => {
    const line = new Array(size + 1).fill(0);
    for (const [column, value] of Object.entries(entries)) line[Number(column)] = value;
    line[size] = right;
    rows.push(line);
  };
  for (let i = 0; i < pieces; i++) {
    const [a, b, c, d] = [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3];
    row({ [a]: 1 }, y[i]);
    row({ [a]: 1, [b]: 1, [c]: 1, [d]: 1 }, y[i + 1]);
    if (i + 1 < pieces) {
      row({ [b]: 1, [c]: 2, [d]: 3, [b + 4]: -1 }, 0);
      row({ [c]: 2, [d]: 6, [c + 4]: -2 }, 0);
    }
  }
  row({ 3: 1, 7: -1 }, 0);
  row({ [size - 1]: 1, [size - 5]: -1 }, 0);
  for (let i = 0; i < size; i++) {
    const pivot = rows
      .slice(i)
      .reduce((best, line, k) => (Math.abs(line[i]) > Math.abs(rows[best][i]) ? i + k : best), i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let r = 0; r < size; r++) {
      if (r === i || rows[r][i] === 0) continue;
      const factor = rows[r][i] / rows[i][i];
      for (let k = i; k <= size; k++) rows[r][k] -= factor * rows[i][k];
    }
  }
  const solved = rows.map((line, i) => line[size] / line[i]);
  return (x) => {
    const i = Math.min(pieces - 1, Math.floor(x));
    const t = x - i;
    return solved[4 * i] + t * (solved[4 * i + 1] + t * (solved[4 * i + 2] + t * solved[4 * i + 3]));
  };
}

describe('not-a-knot splines', () => {
  test.each([4, 5, 6, 10, 17])('%i values: as a dense solution gives them', (count) => {
    const values = Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) + 0.1 * i);
    const [ours, theirs] = [notAKnotSpline(Float64Array.from(values)), splineByElimination(values)];
    // Measured 4e-15.
    for (let x = 0; x <= count - 1; x += 0.13) expect(Math.abs(ours(x) - theirs(x))).toBeLessThan(1e-12);
  });

  test('a cubic is reproduced', () => {
    const cubic = (x: number): number => 0.3 * x ** 3 - 2 * x ** 2 + x - 5;
    const spline = notAKnotSpline(Float64Array.from({ length: 7 }, (_, i) => cubic(i)));
    for (let x = 0; x <= 6; x += 0.25) expect(spline(x)).toBeCloseTo(cubic(x), 10);
  });

  test.each([2, 3, 4])(
    '%i keyframes, five times over: loops, passes through each, equals the spline itself',
    (count) => {
      const values = Array.from({ length: count }, (_, k) => Math.cos(3 * k) * 2);
      const weights = keyframeWeights(count);
      const tiled = splineByElimination(Array.from({ length: 5 * count }, (_, i) => values[i % count]));
      const keyframes = values.map((value) => ndarray([1, 1, 1], [value]));
      for (let x = 0; x < count; x += 0.21) {
        const w = weights(x);
        expect(w.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
        expect(blendStyles(keyframes, w).data[0]).toBeCloseTo(tiled(x + 2 * count), 6);
      }
      for (let k = 0; k < count; k++)
        expect(blendStyles(keyframes, weights(k)).data[0]).toBeCloseTo(values[k], 6);
      // The wraps make it periodic but for what the ends still contribute: .27^(2 K) of it.
      expect(blendStyles(keyframes, weights(count - 1e-9)).data[0]).toBeCloseTo(values[0], 6);
    },
  );
});

describe('camera paths', () => {
  const timing = { keyframes: 2, framesPerKeyframe: 60 };
  const centre = (path: CameraPath, frame: number): number[] => {
    const { cam2world: m } = momentOf({ path }, frame, timing).camera;
    return [m[3], m[7], m[11]];
  };

  test('turns start in front and go towards +x; large goes round once a keyframe', () => {
    for (const path of ['turn', 'large', 'still'] as const) {
      const [x, y, z] = centre(path, 0);
      expect([Math.abs(x) < 1e-9, Math.abs(y) < 1e-9, Math.abs(z - 2.7) < 1e-9]).toEqual([true, true, true]);
    }
    expect(centre('large', 15)[0]).toBeCloseTo(2.7, 6);
    expect(centre('turn', 30)[0]).toBeCloseTo(2.7, 6);
    expect(centre('turn', 60)[2]).toBeCloseTo(-2.7, 6);
    expect(centre('large', 60)[2]).toBeCloseTo(2.7, 6);
    expect(centre('still', 31)).toEqual(centre('still', 0));
  });

  test('small sways by .35 and .25 radians', () => {
    // h = pi/2 + .35 sin, v = pi/2 - .05 + .25 cos; the height is 2.7 (1 - 2 v / pi).
    expect(centre('small', 0)[1]).toBeCloseTo(2.7 * ((-2 * 0.2) / Math.PI), 6);
    expect(centre('small', 60)[1]).toBeCloseTo(2.7 * ((2 * 0.3) / Math.PI), 6);
    const [x, y, z] = centre('small', 30);
    expect(Math.atan2(x, z)).toBeCloseTo(0.35, 6);
    expect(y).toBeCloseTo(2.7 * ((2 * 0.05) / Math.PI), 6);
    expect(momentOf({ path: 'small' }, 90, timing).position).toBe(1.5);
  });
});

describe('poses', () => {
  const timing = { keyframes: 2, framesPerKeyframe: 4 };
  const degrees = (scene: Omit<Scene, 'path'>, frame: number): number[] | undefined => {
    const { pose } = momentOf({ path: 'turn', ...scene }, frame, timing);
    return pose && Array.from(pose.data, (angle) => Math.round((angle * 18e6) / Math.PI) / 1e5);
  };

  test('none, a constant one, and sweeps there and back once in the video', () => {
    expect(degrees({}, 3)).toBeUndefined();
    for (const frame of [0, 5]) expect(degrees({ head: [1, 2, 3] }, frame)).toEqual([0, 0, 0, 1, 2, 3]);
    const turned = [0, 2, 4, 6, 8].map((frame) => degrees({ sweep: 'head-turn' }, frame)?.[4]);
    expect(turned).toEqual([0, 20, 40, 20, 0]);
    const both = { neck: [1, 2, 3], sweep: 'neck-tilt', sweepDegrees: -10 } as const;
    expect(degrees(both, 0)).toEqual([1, 2, 3, 0, 0, 0]);
    expect(degrees(both, 4)).toEqual([1, 2, -7, 0, 0, 0]);
  });

  test('each sweep changes an angle of its own', () => {
    const changed = SWEEPS.map((sweep) => degrees({ sweep }, 4)?.findIndex((angle) => angle !== 0));
    expect(changed).toEqual([4, 3, 5, 1, 0, 2]);
  });
});

describe('who is where', () => {
  const flags = (more: Partial<VideoOptions>): Omit<VideoOptions, 'whom'> => ({
    engine: 'auto',
    path: 'turn',
    grid: { columns: 1, rows: 1 },
    frames: 12,
    fps: 30,
    map: 'image',
    format: 'auto',
    outdir: 'out',
    ...more,
  });
  const people = [...'abcdef'];

  test('one video each; a grid; keyframes in order, cell by cell; repetition', () => {
    expect(shotsOf(people, flags({})).map(({ cells }) => cells.flat())).toEqual(people.map((p) => [p]));
    const grid = { columns: 3, rows: 2 };
    expect(shotsOf(people, flags({ grid }))[0].cells.flat()).toEqual(people);
    expect(shotsOf(['a', 'b'], flags({ grid }))[0].cells.flat().join('')).toBe('ababab');
    const two = { columns: 2, rows: 1 };
    const [shot] = shotsOf(people, flags({ interpolate: true, grid: two }));
    expect(shot.cells.map((cell) => cell.join(''))).toEqual(['abc', 'def']);
    expect(shot.timing).toEqual({ keyframes: 3, framesPerKeyframe: 12 });
    const [repeated] = shotsOf(people, flags({ interpolate: true, grid: two, keyframes: 4 }));
    expect(repeated.cells.map((cell) => cell.join(''))).toEqual(['abcd', 'efab']);
  });

  test('what cannot be', () => {
    expect(() => shotsOf(people, flags({ grid: { columns: 2, rows: 1 } }))).toThrow(
      '--grid 2x1 has 2 places for 6 people; make it larger',
    );
    expect(() => shotsOf(people, flags({ interpolate: true, grid: { columns: 2, rows: 2 } }))).toThrow(
      '6 do not divide so: give more seeds, or --keyframes',
    );
    expect(() => videoOptions(flags({ keyframes: 3 }))).toThrow(
      '--keyframes without --interpolate has no effect',
    );
    expect(() => videoOptions(flags({ sweepDegrees: 3 }))).toThrow('--sweep-degrees without --sweep');
    expect(() => videoOptions(flags({ body: 'b.npz' }))).toThrow('--body has no effect without a pose');
    expect(() => videoOptions(flags({ path: 'turn', yaw: 3 }))).toThrow(
      '--path turn and --yaw/--pitch contradict each other',
    );
  });

  test('the camera stays where it is told to, and during a sweep unless told otherwise', () => {
    const { path: _, ...without } = flags({});
    const pathOf = (more: Partial<VideoFlags>): string => videoOptions({ ...without, ...more }).path;
    expect([pathOf({}), pathOf({ yaw: 20 }), pathOf({ pitch: 5 })]).toEqual(['turn', 'still', 'still']);
    expect(pathOf({ sweep: 'head-nod' })).toBe('still');
    expect(pathOf({ sweep: 'head-nod', path: 'turn' })).toBe('turn');
    const { cam2world } = momentOf({ path: 'still', yaw: 90 }, 1, {
      keyframes: 1,
      framesPerKeyframe: 2,
    }).camera;
    expect(cam2world[3]).toBeCloseTo(2.7, 6);
  });
});

describe('cells', () => {
  /** A generator that counts what it makes and shows its styles' first number as grey. */
  function countingGenerator() {
    const calls = { planes: 0, background: 0, released: 0, views: 0 };
    const resident = {} as Resident;
    const generator = {
      config: { planeResolution: 256, rendering: { depth: 3 } },
      planes: async () => {
        calls.planes++;
        return resident;
      },
      background: async () => {
        calls.background++;
        return resident;
      },
      view: async ({ ws }: Parts): Promise<View> => {
        calls.views++;
        const grey = ndarray([1, 1, 4, 4], new Float32Array(16).fill(ws.data[0]));
        return { image: grey, image_raw: grey, image_depth: grey } as unknown as View;
      },
      release: async () => {
        calls.released++;
      },
    } as unknown as PortraitGenerator;
    return { generator, calls };
  }
  const options = { map: 'image', size: undefined, view: {} } as const;
  const styles = (value: number) => ndarray([1, 1, 1], [value]);
  const timing = { keyframes: 2, framesPerKeyframe: 2 };

  test('planes and backgrounds are made once while only the camera moves', async () => {
    const { generator, calls } = countingGenerator();
    const cells = cellRenderers(generator, [[styles(0)], [styles(1)]], options);
    for (let f = 0; f < 5; f++)
      for (const cell of cells) await cell.draw(momentOf({ path: 'turn' }, f, timing));
    expect(calls).toEqual({ planes: 2, background: 2, released: 0, views: 10 });
    for (const cell of cells) await cell.release();
    expect(calls.released).toBe(2);
  });

  test('beyond a gigabyte they are made anew, and each frame of an interpolation has its own', async () => {
    const { generator, calls } = countingGenerator();
    // 75 MB each: 14 are kept.
    const many = cellRenderers(
      generator,
      Array.from({ length: 20 }, () => [styles(0)]),
      options,
    );
    for (let f = 0; f < 2; f++)
      for (const cell of many) await cell.draw(momentOf({ path: 'turn' }, f, timing));
    expect(calls.planes).toBe(20 + 6);
    expect(calls.released).toBe(12);
    const [between] = cellRenderers(generator, [[styles(-1), styles(1)]], options);
    const greys: number[] = [];
    for (let f = 0; f < 4; f++)
      greys.push((await between.draw(momentOf({ path: 'still' }, f, timing))).data[0]);
    expect([greys[0], greys[2]]).toEqual([0, 255]);
    // Halfway both ways, but for what the ends of the repeated row contribute.
    for (const grey of [greys[1], greys[3]]) expect(Math.abs(grey - 128)).toBeLessThan(5);
    expect(calls.planes).toBe(26 + 4);
  });

  test('grids are filled row by row', () => {
    const cell = (value: number) => ({ width: 2, height: 1, data: new Uint8Array(6).fill(value) });
    const { width, height, data } = gridFrame([1, 2, 3, 4, 5, 6].map(cell), { columns: 3, rows: 2 });
    expect([width, height]).toEqual([6, 2]);
    expect([...data].filter((_, i) => i % 6 === 0)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
