import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../engines/reference/index.ts';
import { GradientError } from '../errors.ts';
import * as t from '../tensor/index.ts';
import { freshMoments, stepParameters } from './optimise.ts';

const engine = referenceEngine();
const options = { lr: 0.1, betas: [0.5, 0.9] as const, eps: 1e-8 };

describe('Adam', () => {
  const read = (): t.NdArray => t.ndarray([2], [1, 1]);

  test('follows its definition over steps', async () => {
    const gradients = [
      [0.5, -2],
      [0.25, 1],
    ];
    let value = [1, 1];
    let state = new Map();
    const [m, v] = [
      [0, 0],
      [0, 0],
    ];
    let got: Float32Array = new Float32Array(2);
    for (const [step, gradient] of gradients.entries()) {
      const from = step === 0 ? read() : t.ndarray([2], got);
      const stepped = await stepParameters(
        engine,
        new Map([['w', t.ndarray([2], gradient)]]),
        () => from,
        options,
        state,
      );
      got = stepped.values.get('w')!.data as Float32Array;
      state = new Map(stepped.moments);
      value = value.map((x, i) => {
        m[i] = 0.5 * m[i] + 0.5 * gradient[i];
        v[i] = 0.9 * v[i] + 0.1 * gradient[i] ** 2;
        const [mHat, vHat] = [m[i] / (1 - 0.5 ** (step + 1)), v[i] / (1 - 0.9 ** (step + 1))];
        return x - (0.1 * mHat) / (Math.sqrt(vHat) + 1e-8);
      });
    }
    value.forEach((x, i) => {
      expect(got[i]).toBeCloseTo(x, 6);
    });
    expect(state.get('w').steps).toBe(2);
  });

  test('leaves alone what has no gradient, and steps zeros', async () => {
    const moments = new Map([
      [
        'zero',
        { ...freshMoments({ dtype: 'float32', shape: [2] }), first: t.ndarray([2], [1, 1]), steps: 3 },
      ],
    ]);
    const gradients = new Map([['zero', t.ndarray([2], [0, 0])]]);
    const stepped = await stepParameters(engine, gradients, read, options, moments);
    expect([...stepped.values.keys()]).toEqual(['zero']);
    expect([...stepped.moments.get('zero')!.first.data]).toEqual([0.5, 0.5]);
    await expect(stepParameters(engine, new Map(), read, options)).rejects.toThrow(GradientError);
  });
});

test('averages', async () => {
  const graph = t.trace('average', { ema: t.f32(1), p: t.f32(1) }, ({ ema, p }) => ({
    next: t.emaStep(ema, p, 0.75),
  }));
  const program = await engine.compile(graph);
  const { next } = await program.run({ ema: t.ndarray([1], [4]), p: t.ndarray([1], [0]) });
  expect(next.data[0]).toBe(3);
});
