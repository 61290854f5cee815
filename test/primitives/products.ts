/** Cases of matrix products, convolutions and pooling. */

import type { ConvolutionOptions, Shape } from '../../src/tensor/index.ts';
import * as t from '../../src/tensor/index.ts';
import type { Case } from './case.ts';
import type { Table } from './table.ts';
import { random } from './values.ts';

const float = (shape: Shape) => random('float32', shape);

/** Geometries of `conv2d(x [N, C, H, W], w [O, C / groups, kh, kw])`; the other two are derived from them. */
export const CONVOLUTIONS: readonly (readonly [Shape, Shape, ConvolutionOptions])[] = [
  [[1, 3, 5, 6], [4, 3, 3, 3], { padding: 1 }],
  [[2, 4, 7, 5], [6, 4, 3, 3], { padding: 1, stride: 2 }],
  [[2, 4, 6, 6], [6, 2, 3, 2], { padding: 1, groups: 2 }],
  [[1, 4, 9, 8], [4, 1, 3, 3], { padding: 2, dilation: 2, groups: 4 }],
  [[2, 3, 4, 4], [5, 3, 1, 1], {}],
  [
    [1, 2, 6, 7],
    [3, 2, 4, 3],
    {
      padding: [
        [1, 2],
        [0, 3],
      ],
      stride: 2,
    },
  ],
  [
    [1, 2, 8, 8],
    [2, 2, 3, 3],
    {
      stride: 3,
      dilation: 2,
      padding: [
        [2, 1],
        [3, 0],
      ],
    },
  ],
  [[1, 1, 1, 1], [1, 1, 1, 1], {}],
  [
    [1, 2, 6, 6],
    [2, 2, 3, 3],
    {
      padding: [
        [-1, 0],
        [0, -2],
      ],
    },
  ],
  [
    [3, 2, 1, 5],
    [2, 2, 1, 3],
    {
      padding: [
        [0, 0],
        [1, 1],
      ],
    },
  ],
  [[1, 2, 3, 3], [2, 2, 2, 2], { padding: 3 }],
  [[0, 2, 4, 4], [3, 2, 3, 3], {}],
  [[2, 0, 4, 4], [3, 0, 3, 3], {}],
  [[2, 2, 4, 4], [0, 2, 3, 3], {}],
];

const describe = (x: Shape, w: Shape, options: object) => `[${x}] [${w}] ${JSON.stringify(options)}`;

/** Shape of the convolution's output, from its own shape rule. */
export function convolved(x: Shape, w: Shape, options: ConvolutionOptions): Shape {
  return t.conv2d(t.input('x', t.f32(...x)), t.input('w', t.f32(...w)), options).shape;
}

const MATMULS: readonly (readonly [Shape, Shape])[] = [
  [
    [2, 3],
    [3, 4],
  ],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [1, 5],
    [5, 1],
  ],
  [
    [2, 3, 4],
    [2, 4, 2],
  ],
  [
    [2, 3, 4],
    [4, 2],
  ],
  [
    [3, 4],
    [5, 4, 2],
  ],
  [
    [2, 1, 3, 4],
    [3, 4, 2],
  ],
  [
    [2, 0],
    [0, 3],
  ],
  [
    [0, 2],
    [2, 3],
  ],
  [
    [0, 2, 2],
    [2, 3],
  ],
];

export const productTable: Table = {
  matmul: {
    tolerance: 4e-6,
    cases: [
      ...MATMULS.map(
        ([a, b]): Case => ({
          name: `[${a}] [${b}]`,
          inputs: [float(a), float(b)],
          program: (x, y) => t.matmul(x, y),
        }),
      ),
      {
        name: 'both repeated along a new axis',
        inputs: [float([2, 3]), float([3, 2])],
        program: (x, y) => t.matmul(t.broadcastTo(x, [4, 2, 3]), t.broadcastTo(y, [4, 3, 2])),
      },
      {
        name: 'matrix axes repeated',
        inputs: [float([1, 3]), float([2])],
        program: (x, y) => t.matmul(t.broadcastTo(x, [2, 3]), t.broadcastTo(y, [3, 2])),
      },
    ],
  },
  conv2d: {
    tolerance: 4e-6,
    cases: CONVOLUTIONS.map(
      ([x, w, options]): Case => ({
        name: describe(x, w, options),
        inputs: [float(x), float(w)],
        program: (image, weight) => t.conv2d(image, weight, options),
      }),
    ),
  },
  conv2dTranspose: {
    tolerance: 4e-6,
    cases: [
      ...CONVOLUTIONS.map(([x, w, options]): Case => {
        const y = convolved(x, w, options);
        return {
          name: describe(y, w, options),
          inputs: [float(y), float(w)],
          program: (image, weight) => t.conv2dTranspose(image, weight, options),
        };
      }),
      ...(
        [
          [1, 1],
          [0, 1],
          [2, 3],
        ] as const
      ).map(
        (extra): Case => ({
          name: `extra ${extra}`,
          inputs: [float([1, 2, 3, 4]), float([2, 3, 3, 3])],
          program: (image, weight) => t.conv2dTranspose(image, weight, { stride: 2, padding: 1, extra }),
        }),
      ),
      {
        name: 'extra without padding',
        inputs: [float([2, 2, 3, 4]), float([2, 1, 2, 2])],
        program: (image, weight) => t.conv2dTranspose(image, weight, { extra: [1, 2], groups: 2 }),
      },
      ...(
        [
          { padding: 1 },
          { extra: [1, 2] },
          { padding: 3, dilation: 2 },
          {
            padding: [
              [4, 0],
              [1, 6],
            ],
            extra: [0, 1],
          },
        ] as const
      ).flatMap((options) =>
        [1, 2].map(
          (groups): Case => ({
            name: `many pixels ${JSON.stringify(options)}, groups ${groups}`,
            inputs: [float([1, 4, 33, 32]), float([4, 3, 3, 2])],
            program: (image, weight) => t.conv2dTranspose(image, weight, { ...options, groups }),
          }),
        ),
      ),
    ],
  },
  conv2dWeightGrad: {
    tolerance: 4e-6,
    cases: CONVOLUTIONS.map(
      ([x, w, options]): Case => ({
        name: describe(x, w, options),
        inputs: [float(x), float(convolved(x, w, options))],
        program: (image, gradient) => t.conv2dWeightGrad(image, gradient, [w[2], w[3]], options),
      }),
    ),
  },
  maxPool: {
    tolerance: 0,
    cases: (
      [
        [[1, 2, 4, 6], [2, 2], {}],
        [[2, 1, 5, 5], [3, 3], { stride: 1, padding: 1 }],
        [
          [1, 1, 7, 6],
          [3, 2],
          {
            stride: 2,
            padding: [
              [1, 0],
              [0, 1],
            ],
          },
        ],
        [[1, 1, 1, 1], [1, 1], {}],
        [[0, 1, 4, 4], [2, 2], {}],
      ] as const
    ).map(
      ([x, kernel, options]): Case => ({
        name: `[${x}] ${kernel} ${JSON.stringify(options)}`,
        inputs: [float(x)],
        program: (image) => t.maxPool(image, kernel, options),
      }),
    ),
  },
};
