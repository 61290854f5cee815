/** The parts of `scripts/gpu-check` that judge: elements of large products, and goals. */

import { describe, expect, test } from 'vitest';
import { goalsOf } from '../scripts/gpu-check/goals.ts';
import { measuredIn } from '../scripts/gpu-check/measured.ts';
import { operationProgram, operations, outputShape } from '../scripts/gpu-check/operations.ts';
import type { CheckRecord, RowRecord } from '../scripts/gpu-check/record.ts';
import { differenceOf } from '../scripts/gpu-check/scenes.ts';
import { spotError } from '../scripts/gpu-check/spot-check.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import type { NdArray } from '../src/tensor/index.ts';
import { random } from './primitives/values.ts';

const reference = referenceEngine();

describe.each(operations(true))('elements of $name', (op) => {
  const { graph } = operationProgram(op);
  const inputs = Object.fromEntries(
    graph.inputs.map(({ name, tensor }) => [name, random('float32', tensor.shape)]),
  );
  const w = random('float32', op.w);
  const operands = { w, ...(inputs.x0 && { x: inputs.x0 }), ...(inputs.dy0 && { dy: inputs.dy0 }) };
  const computed = async (): Promise<NdArray> => {
    const parameters = graph.parameters.length > 0 ? { w } : {};
    return (await (await reference.compile(graph, { parameters })).run(inputs)).y0;
  };

  test('are those of the reference engine', async () => {
    // Worst measured: 4.8e-8.
    expect(spotError(op, operands, outputShape(op), await computed())).toBeLessThan(3e-7);
  });

  test('are not those of the result moved by one', async () => {
    const { dtype, shape, data } = await computed();
    const moved = Float32Array.from(data, (_, i) => data[(i + 1) % data.length]);
    expect(
      spotError(op, operands, outputShape(op), { dtype, shape, data: moved } as NdArray),
    ).toBeGreaterThan(0.5);
  });
});

test('a difference counts NaN as infinite', () => {
  expect(differenceOf([1, 2.5], [1, 2])).toMatchObject({ worst: 0.25 });
  expect(differenceOf([1, Number.NaN], [1, 2]).worst).toBe(Number.POSITIVE_INFINITY);
});

describe('goals', () => {
  const stage = (precision: string, name: string, ms: number): RowRecord => ({
    ...{ label: '', preset: '512-128', precision, stage: name, ms },
  });
  const conv = { label: '', operation: 'conv 3x3 8->8 @8 n=1, forward' };
  const record = (picture: number, voided = false): CheckRecord => ({
    about: {},
    sections: {
      ceiling: { seconds: 1, rows: [{ label: 'multiply-add, f32', teraflops: 50 }] },
      dense: {
        seconds: 1,
        rows: [
          { ...conv, precision: 'f32', ms: 1, teraflops: 26 },
          { ...conv, precision: 'half', ms: 1, teraflops: 30 },
        ],
      },
      stages: {
        seconds: 1,
        rows: [
          { ...stage('f32', 'whole picture, picture read', picture), ...(voided && { gpuErrors: ['lost'] }) },
          stage('f32', 'rendering', 10),
        ],
      },
      correctness: { seconds: 1, rows: [{ label: 'primitive add', within: true }] },
    },
  });
  const answer = {
    ...{ device: 'a GPU', torch: '2' },
    operations: { [conv.operation]: { float16: 0.1 } },
    rendering: { float32: 49 },
  };
  const metOf = (made: CheckRecord): (boolean | undefined)[] =>
    goalsOf(measuredIn(made, answer)).map(({ met }) => met);

  test('are judged by what was measured', () => {
    // Convolution 52 %, half 10 %, picture, frame not measured, rendering 4.9 times, correctness.
    expect(metOf(record(20))).toEqual([true, false, true, undefined, false, true]);
    expect(metOf(record(26))[2]).toBe(false);
  });

  test('a row during which the device complained is not trusted', () => {
    expect(metOf(record(20, true))[2]).toBeUndefined();
  });
});
