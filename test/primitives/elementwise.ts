/** Cases of the elementwise primitives. */

import type { DType, NdArray, Shape, Tensor } from '../../src/tensor/index.ts';
import * as t from '../../src/tensor/index.ts';
import type { Case } from './case.ts';
import type { Row, Table } from './table.ts';
import { array, random } from './values.ts';

const SHAPES: readonly Shape[] = [[], [1], [5], [2, 3], [1, 1, 4], [2, 1, 3, 2], [0], [2, 0, 3]];

/** Pairs of shapes that broadcast; the last ones leave an axis that neither has. */
const PAIRS: readonly (readonly [Shape, Shape])[] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2]],
  [
    [4, 1, 3],
    [2, 1],
  ],
  [[1], [1, 1]],
  [
    [0, 3],
    [1, 3],
  ],
  [[2, 0], [1]],
];

const SPECIAL = [0, -0, 1, -1, 0.5, -2.5, 100, -100, Infinity, -Infinity, NaN, 1e-30];

function unary(build: (x: Tensor) => Tensor, tolerance: number, special = SPECIAL): Row {
  const cases = SHAPES.map(
    (shape): Case => ({ name: `[${shape}]`, inputs: [random('float32', shape)], program: (x) => build(x) }),
  );
  const edge = array('float32', [special.length], special);
  return {
    tolerance,
    cases: [...cases, { name: 'special values', inputs: [edge], program: (x) => build(x) }],
  };
}

type Binary = (a: Tensor, b: Tensor) => Tensor;

function pairs(build: Binary, dtypes: readonly DType[]): Case[] {
  return dtypes.flatMap((dtype) => [
    ...PAIRS.map(
      ([a, b]): Case => ({
        name: `${dtype} [${a}] [${b}]`,
        inputs: [random(dtype, a), random(dtype, b)],
        program: (x, y) => build(x, y),
      }),
    ),
    {
      name: `${dtype} both repeated`,
      inputs: [random(dtype, [1, 3]), random(dtype, [2, 1])],
      program: (x: Tensor, y: Tensor) => build(t.broadcastTo(x, [4, 2, 3]), t.broadcastTo(y, [4, 2, 3])),
    },
  ]);
}

function specialPairs(build: Binary, special = SPECIAL): Case {
  const left = special.flatMap((x) => special.map(() => x));
  const right = special.flatMap(() => special);
  const inputs: NdArray[] = [left, right].map((values) => array('float32', [values.length], values));
  return { name: 'special values', inputs, program: (x, y) => build(x, y) };
}

function binary(build: Binary, tolerance: number, special = SPECIAL): Row {
  return { tolerance, cases: [...pairs(build, ['float32', 'int32']), specialPairs(build, special)] };
}

function integers(build: Binary, left: readonly number[], right: readonly number[]): Case {
  const inputs = [left, right].map((values) => array('int32', [values.length], values));
  return { name: `int32 ${left} with ${right}`, inputs, program: (x, y) => build(x, y) };
}

function logical(build: Binary): Row {
  return { tolerance: 0, cases: pairs(build, ['bool']) };
}

function select(dtype: DType): Case[] {
  const shapes: readonly (readonly [Shape, Shape, Shape])[] = [
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
    [[2, 1], [3], [1, 3]],
    [[], [2, 2], [2]],
    [[3, 1, 1], [2, 1], [4]],
    [[0, 1], [1, 2], [2]],
  ];
  return shapes.map(
    ([c, a, b]): Case => ({
      name: `${dtype} [${c}] [${a}] [${b}]`,
      inputs: [random('bool', c), random(dtype, a), random(dtype, b)],
      program: (condition, x, y) => t.where(condition, x, y),
    }),
  );
}

const DTYPES: readonly DType[] = ['float32', 'float16', 'int32', 'bool'];

const castCases = DTYPES.flatMap((from) =>
  DTYPES.filter((to) => to !== from).flatMap((to) =>
    [[], [7], [2, 3], [0]].map(
      (shape): Case => ({
        name: `${from} [${shape}] to ${to}`,
        inputs: [random(from, shape)],
        program: (x) => t.cast(x, to),
      }),
    ),
  ),
);

const rounding: Case[] = [
  {
    name: 'float32 rounds to the nearest even float16',
    inputs: [
      array(
        'float32',
        [13],
        [
          1.00048828125,
          1.00146484375,
          65519,
          65520,
          1e-8,
          5.96e-8,
          2.98e-8,
          2.9802322387695312e-8,
          -0,
          Infinity,
          -1e9,
          3.0e-5,
          0.1,
        ],
      ),
    ],
    program: (x) => t.cast(x, 'float16'),
  },
  {
    name: 'float32 goes towards zero into int32',
    inputs: [array('float32', [6], [1.9, -1.9, 0.5, -0.5, 2147483000, -2147483648])],
    program: (x) => t.cast(x, 'int32'),
  },
  {
    name: 'not zero is true',
    inputs: [array('float32', [5], [0, -0, 1e-30, -3, NaN])],
    program: (x) => t.cast(x, 'bool'),
  },
];

export const elementwiseTable: Table = {
  neg: unary(t.neg, 0),
  exp: unary(t.exp, 5e-7),
  log: unary(t.log, 5e-7),
  sqrt: unary(t.sqrt, 5e-7),
  abs: unary(t.abs, 0),
  sign: unary(t.sign, 0),
  floor: unary(t.floor, 0),
  sin: unary(t.sin, 5e-7),
  cos: unary(t.cos, 5e-7),
  tanh: unary(t.tanh, 5e-7),
  add: binary(t.add, 5e-7),
  sub: binary(t.sub, 5e-7),
  mul: binary(t.mul, 5e-7),
  div: {
    tolerance: 5e-7,
    cases: [
      ...binary(t.div, 0).cases,
      integers(t.div, [7, -7, 7, -7, 5, 0, -2147483648, 2147483647], [2, 2, -2, -2, 0, 0, 1, -3]),
    ],
  },
  pow: {
    tolerance: 5e-7,
    cases: [
      ...PAIRS.map(
        ([a, b]): Case => ({
          name: `[${a}] [${b}]`,
          inputs: [random('float32', a), random('float32', b)],
          program: (x, y) => t.pow(t.abs(x), y),
        }),
      ),
      integers(t.pow, [2, -3, 5, 0, 1], [10, 3, 0, 0, 9]),
    ],
  },
  maximum: binary(t.maximum, 0),
  minimum: binary(t.minimum, 0),
  equal: binary(t.equal, 0),
  less: binary(t.less, 0),
  lessEqual: binary(t.lessEqual, 0),
  and: logical(t.and),
  or: logical(t.or),
  not: {
    tolerance: 0,
    cases: SHAPES.map(
      (shape): Case => ({
        name: `[${shape}]`,
        inputs: [random('bool', shape)],
        program: (x) => t.not(x),
      }),
    ),
  },
  where: { tolerance: 0, cases: DTYPES.flatMap(select) },
  cast: { tolerance: 0, cases: [...castCases, ...rounding] },
};
