/** A training run in small: a few numbers that move by a rule of their own, as exact as a real one. */

import { createHash } from 'node:crypto';
import { type NdArray, ndarray } from '../src/tensor/index.ts';
import type { TrainingState } from '../src/training/state.ts';
import { randomState } from '../src/weights/index.ts';

const SHAPES = { 'G/a.weight': [3, 5], 'G/a.bias': [], 'D/b.weight': [7] } as const;

/** Images of one iteration. */
export const BATCH = 4;

const OPTIONS = {
  className: 'Small',
  initKwargs: { rendering_kwargs: { density_noise: 0.5 } },
  attributes: {},
  moduleAttributes: {},
  moduleClasses: {},
  buffers: [],
};

/** Where the run begins. @param scale  multiplies the sizes of its tensors */
export function smallStart(scale = 1): TrainingState {
  const tensors = new Map<string, NdArray>();
  for (const [name, base] of Object.entries(SHAPES)) {
    const shape = base.length === 0 ? base : [base[0] * scale, ...base.slice(1)];
    const count = shape.reduce((a, b) => a * b, 1);
    const average = name.replace('/', '_ema/');
    for (const key of [name, average, `first/${name}`, `second/${name}`])
      tensors.set(key, ndarray(shape, new Float32Array(count).fill(key.length)));
  }
  const record = { seen: 0, iteration: 0, steps: {}, networks: { G: OPTIONS, D: OPTIONS } };
  return { tensors, record };
}

/** One iteration: depends on everything that the state holds and on nothing else. */
export function smallStep({ tensors, record }: TrainingState): TrainingState {
  const iteration = (record.iteration as number) + 1;
  const source = randomState(iteration);
  const next = new Map(tensors);
  const steps: Record<string, number> = {};
  for (const name of Object.keys(SHAPES)) {
    const at = (key: string): NdArray => tensors.get(key) as NdArray;
    const { shape } = at(name);
    const draws = source.randn(at(name).data.length);
    const [value, first, second, average] = [
      name,
      `first/${name}`,
      `second/${name}`,
      name.replace('/', '_ema/'),
    ];
    const put = (key: string, of: (i: number) => number): void => {
      next.set(
        key,
        ndarray(
          shape,
          Float32Array.from(draws, (_, i) => of(i)),
        ),
      );
    };
    put(first, (i) => at(first).data[i] * 0.9 + draws[i] * 0.1);
    put(second, (i) => at(second).data[i] * 0.99 + draws[i] ** 2 * 0.01);
    put(value, (i) => at(value).data[i] - (next.get(first) as NdArray).data[i] / 7);
    put(average, (i) => at(average).data[i] * 0.7 + (next.get(value) as NdArray).data[i] * 0.3);
    steps[name] = iteration;
  }
  return { tensors: next, record: { ...record, seen: iteration * BATCH, iteration, steps } };
}

/** The state after so many iterations. */
export function smallStateAt(iteration: number, scale = 1): TrainingState {
  let state = smallStart(scale);
  while ((state.record.iteration as number) < iteration) state = smallStep(state);
  return state;
}

/** One number for all bits of a state. */
export function bitsOf({ tensors, record }: TrainingState): string {
  const hash = createHash('sha256').update(JSON.stringify(record));
  for (const [name, { shape, data }] of tensors) {
    hash.update(`${name} ${shape.join()}`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
