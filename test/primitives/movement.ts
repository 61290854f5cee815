/** Cases of the primitives that move elements, read by index, or have no input. */

import type { DType, Shape, Tensor } from '../../src/tensor/index.ts';
import * as t from '../../src/tensor/index.ts';
import type { Case } from './case.ts';
import type { Row, Table } from './table.ts';
import { array, random } from './values.ts';

const DTYPES: readonly DType[] = ['float32', 'float16', 'int32', 'bool'];

/** The same moves for every element type. */
function moves(list: readonly (readonly [Shape, string, (x: Tensor) => Tensor])[]): Row {
  const cases = DTYPES.flatMap((dtype) =>
    list.map(
      ([shape, name, program]): Case => ({
        name: `${dtype} [${shape}] ${name}`,
        inputs: [random(dtype, shape)],
        program: (x) => program(x),
      }),
    ),
  );
  return { tolerance: 0, cases };
}

function indices(shape: Shape, below: number): t.NdArray {
  const raw = random('int32', shape);
  return array(
    'int32',
    shape,
    [...raw.data].map((value) => (value + 9 * 100) % below),
  );
}

function gatherCase(dtype: DType, shape: Shape, axis: number, at: Shape): Case {
  return {
    name: `${dtype} [${shape}] axis ${axis} at [${at}]`,
    inputs: [random(dtype, shape), indices(at, shape[axis])],
    program: (x, k) => t.gather(x, k, axis),
  };
}

function scatterCase(shape: Shape, axis: number, at: Shape, extent: number): Case {
  const updates = [...shape.slice(0, axis), ...at, ...shape.slice(axis)];
  return {
    name: `[${updates}] axis ${axis} at [${at}] into ${extent}`,
    inputs: [random('float32', updates), indices(at, extent)],
    program: (x, k) => t.scatterAdd(x, k, extent, axis),
  };
}

const joined: readonly (readonly [readonly Shape[], number])[] = [
  [
    [
      [2, 3],
      [2, 1],
      [2, 4],
    ],
    1,
  ],
  [[[1], [3]], 0],
  [
    [
      [2, 0],
      [2, 2],
    ],
    1,
  ],
  [
    [
      [0, 2],
      [0, 2],
    ],
    0,
  ],
  [
    [
      [1, 2, 3],
      [4, 2, 3],
    ],
    0,
  ],
];

export const movementTable: Table = {
  constant: {
    tolerance: 0,
    cases: DTYPES.flatMap((dtype) =>
      [[], [1], [2, 3], [0, 2]].map((shape): Case => {
        const value = random(dtype, shape);
        return { name: `${dtype} [${shape}]`, inputs: [], program: () => t.constant(value) };
      }),
    ),
  },
  iota: {
    tolerance: 0,
    cases: (['float32', 'int32'] as const).flatMap((dtype) =>
      (
        [
          [[5], 0],
          [[2, 3], 0],
          [[2, 3], 1],
          [[2, 3, 4], 1],
          [[1, 1], 0],
          [[0, 2], 1],
        ] as const
      ).map(
        ([shape, axis]): Case => ({
          name: `${dtype} [${shape}] axis ${axis}`,
          inputs: [],
          program: () => t.iota(shape, axis, dtype),
        }),
      ),
    ),
  },
  broadcast: moves([
    [[], 'to [2,3]', (x) => t.broadcastTo(x, [2, 3])],
    [[3], 'to [2,3]', (x) => t.broadcastTo(x, [2, 3])],
    [[2, 1], 'to [4,2,3]', (x) => t.broadcastTo(x, [4, 2, 3])],
    [[1, 1], 'to [0,2]', (x) => t.broadcastTo(x, [0, 2])],
  ]),
  reshape: moves([
    [[2, 6], 'to [3,4]', (x) => t.reshape(x, [3, 4])],
    [[1], 'to []', (x) => t.reshape(x, [])],
    [[], 'to [1,1]', (x) => t.reshape(x, [1, 1])],
    [[0, 3], 'to [2,0]', (x) => t.reshape(x, [2, 0])],
  ]),
  transpose: moves([
    [[2, 3], 'swapped', (x) => t.transpose(x, [1, 0])],
    [[2, 1, 4], 'turned', (x) => t.transpose(x, [2, 0, 1])],
    [[2, 3, 4, 5], 'heads', (x) => t.transpose(x, [0, 2, 1, 3])],
    [[2, 0], 'swapped', (x) => t.transpose(x, [1, 0])],
  ]),
  slice: moves([
    [[7], '1:6:2', (x) => t.sliceAxis(x, 0, 1, 6, 2)],
    [[4, 5], 'a window', (x) => t.slice(x, [1, 0], [3, 5], [1, 3])],
    [[4, 5], 'nothing', (x) => t.sliceAxis(x, 1, 2, 2)],
    [[3, 0], 'of nothing', (x) => t.sliceAxis(x, 0, 1)],
    [[2, 1, 3], 'the last', (x) => t.sliceAxis(x, 2, 2)],
  ]),
  pad: moves([
    [[3], '1 and 2', (x) => t.pad(x, [1], [2])],
    [[2, 3], 'one side', (x) => t.pad(x, [0, 2], [1, 0])],
    [[0, 2], 'from nothing', (x) => t.pad(x, [1, 0], [1, 0])],
    [
      [2, 1],
      'with 1',
      (x) => (x.dtype === 'float16' ? t.pad(x, [1, 1], [0, 1]) : t.pad(x, [1, 1], [0, 1], 1)),
    ],
    [[0, 2], 'nothing still', (x) => t.pad(x, [0, 1], [0, 1])],
  ]),
  reverse: moves([
    [[5], 'axis 0', (x) => t.reverse(x, [0])],
    [[2, 3, 4], 'axes 0 and 2', (x) => t.reverse(x, [0, 2])],
    [[1, 3], 'axis 0', (x) => t.reverse(x, [0])],
    [[0, 3], 'axis 1', (x) => t.reverse(x, [1])],
  ]),
  stopGradient: moves([[[2, 3], 'the same', (x) => t.stopGradient(x)]]),
  after: moves([
    [[2, 3], 'itself', (x) => t.after(x, t.cast(t.reverse(x, [0]), 'float32'))],
    [[], 'a line', (x) => t.after(x, t.broadcastTo(t.cast(x, 'float32'), [4]))],
    [[4], 'nothing', (x) => t.after(x, t.cast(t.sliceAxis(x, 0, 0, 0), 'float32'))],
    [[0, 2], 'of nothing', (x) => t.after(x, t.constant(1))],
  ]),
  concat: {
    tolerance: 0,
    cases: DTYPES.flatMap((dtype) =>
      joined.map(
        ([shapes, axis]): Case => ({
          name: `${dtype} ${shapes.map((shape) => `[${shape}]`).join(' ')} axis ${axis}`,
          inputs: shapes.map((shape) => random(dtype, shape)),
          program: (...parts) => t.concat(parts, axis),
        }),
      ),
    ),
  },
  gather: {
    tolerance: 0,
    cases: [
      ...DTYPES.map((dtype) => gatherCase(dtype, [5, 3], 0, [4])),
      gatherCase('float32', [5, 3], 1, [2, 2]),
      gatherCase('float32', [2, 4, 3], 1, []),
      gatherCase('float32', [2, 1, 3], 1, [1]),
      gatherCase('float32', [6], 0, [3, 1, 2]),
      gatherCase('float32', [4, 2], 0, [0]),
      gatherCase('float32', [0, 4], 1, [2]),
    ],
  },
  scatterAdd: {
    tolerance: 1e-6,
    cases: [
      scatterCase([3], 0, [40], 5),
      scatterCase([], 0, [7], 3),
      scatterCase([2], 1, [9], 4),
      scatterCase([2, 3], 1, [2, 5], 4),
      scatterCase([2, 3], 2, [6], 1),
      scatterCase([4], 0, [], 3),
      scatterCase([4], 0, [0], 3),
      scatterCase([4, 2], 1, [0], 3),
      scatterCase([0], 1, [2], 3),
    ],
  },
};
