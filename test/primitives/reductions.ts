/** Cases of reductions, running sums and sorting. */

import type { Shape, Tensor } from '../../src/tensor/index.ts';
import * as t from '../../src/tensor/index.ts';
import type { Case } from './case.ts';
import type { Row, Table } from './table.ts';
import { array, random } from './values.ts';

const REDUCED: readonly (readonly [Shape, readonly number[] | undefined, boolean])[] = [
  [[5], [0], false],
  [[2, 3], [1], false],
  [[2, 3], [0], true],
  [[2, 3, 4], [0, 2], false],
  [[2, 3, 4], undefined, false],
  [[2, 1, 4], [1], false],
  [[1], [0], true],
  [[3, 0], [1], false],
  [[3, 0], [0], false],
  [[0], undefined, false],
];

function reduction(build: typeof t.reduceSum, tolerance: number, extra: readonly Case[] = []): Row {
  const cases = (['float32', 'int32'] as const).flatMap((dtype) =>
    REDUCED.map(
      ([shape, axes, keep]): Case => ({
        name: `${dtype} [${shape}] over ${axes ?? 'all'}${keep ? ', kept' : ''}`,
        inputs: [random(dtype, shape)],
        program: (x) => build(x, axes, keep),
      }),
    ),
  );
  return { tolerance, cases: [...cases, ...extra] };
}

/** Without NaN: onnxruntime's reductions may pass over one. */
function special(build: (x: Tensor) => Tensor): Case {
  const values = [1, -Infinity, 2, -Infinity, Infinity, 3, -Infinity, -Infinity, -Infinity, 0, Infinity, -0];
  return { name: 'special values', inputs: [array('float32', [4, 3], values)], program: (x) => build(x) };
}

const sums: readonly (readonly [Shape, number])[] = [
  [[5], 0],
  [[3, 4], 0],
  [[3, 4], 1],
  [[2, 3, 4], 1],
  [[1], 0],
  [[0, 3], 0],
  [[3, 0], 1],
];

export const reductionTable: Table = {
  reduceSum: reduction(t.reduceSum, 1e-6),
  reduceMax: reduction(t.reduceMax, 0, [special((x) => t.reduceMax(x, [1]))]),
  reduceMin: reduction(t.reduceMin, 0, [special((x) => t.reduceMin(x, [1]))]),
  cumsum: {
    tolerance: 1e-6,
    cases: (['float32', 'int32'] as const).flatMap((dtype) =>
      sums.flatMap(([shape, axis]) =>
        [{}, { exclusive: true }, { reverse: true }, { exclusive: true, reverse: true }].map(
          (options): Case => ({
            name: `${dtype} [${shape}] axis ${axis} ${JSON.stringify(options)}`,
            inputs: [random(dtype, shape)],
            program: (x) => t.cumsum(x, axis, options),
          }),
        ),
      ),
    ),
  },
  sort: {
    tolerance: 0,
    cases: [
      ...([[9], [3, 17], [2, 2, 5], [4, 1], [0, 5], [3, 0], [5, 300]] as const).map(
        (shape): Case => ({
          name: `[${shape}]`,
          inputs: [random('float32', shape)],
          program: (x) => Object.values(t.sort(x)),
        }),
      ),
      ...([[20], [4, 100], [3, 2]] as const).map(
        (shape): Case => ({
          name: `[${shape}] with many equal`,
          inputs: [random('int32', shape)],
          program: (x) => Object.values(t.sort(t.floor(t.mul(t.cast(x, 'float32'), 0.3)))),
        }),
      ),
      {
        name: 'signed zeros and infinities',
        inputs: [array('float32', [8], [0, -0, Infinity, -1, -Infinity, 0, Infinity, -0])],
        program: (x) => Object.values(t.sort(x)),
      },
    ],
  },
};
