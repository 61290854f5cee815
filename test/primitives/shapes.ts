/** Random shapes for families of primitives; fast-check draws them from a fixed seed. */

import fc from 'fast-check';
import type { Shape } from '../../src/tensor/index.ts';
import * as t from '../../src/tensor/index.ts';
import type { Case } from './case.ts';
import { convolved } from './products.ts';
import { random } from './values.ts';

const extent = fc.integer({ min: 1, max: 4 });
/** Now and then an axis without elements. */
const anyExtent = fc.oneof({ weight: 9, arbitrary: extent }, { weight: 1, arbitrary: fc.constant(0) });
const shape = fc.array(anyExtent, { maxLength: 4 });
const seed = fc.nat(1_000_000);

/** A shape that broadcasts to the given one: leading axes left out, others made 1. */
function part(whole: Shape): fc.Arbitrary<Shape> {
  const drop = fc.nat(whole.length);
  const ones = fc.array(fc.boolean(), { minLength: whole.length, maxLength: whole.length });
  return fc
    .tuple(drop, ones)
    .map(([count, flat]) => whole.map((n, axis) => (flat[axis] ? 1 : n)).slice(count));
}

const BINARY = { add: t.add, sub: t.sub, mul: t.mul, maximum: t.maximum, minimum: t.minimum };

const elementwise = fc
  .tuple(shape, fc.constantFrom('float32', 'int32'), fc.constantFrom(...Object.keys(BINARY)), seed)
  .chain(([whole, dtype, name, from]) =>
    fc.tuple(part(whole), part(whole)).map(
      ([a, b]): Case => ({
        name: `${name} ${dtype} [${a}] [${b}]`,
        inputs: [random(dtype as 'float32', a, from), random(dtype as 'float32', b, from + 1)],
        program: (x, y) => BINARY[name as keyof typeof BINARY](x, y),
      }),
    ),
  );

const broadcast = shape.chain((whole) =>
  fc.tuple(part(whole), seed).map(
    ([a, from]): Case => ({
      name: `[${a}] to [${whole}]`,
      inputs: [random('float32', a, from), random('bool', whole, from)],
      program: (x, c) => [t.broadcastTo(x, whole), t.where(c, t.mul(x, 2), x)],
    }),
  ),
);

const REDUCE = { reduceSum: t.reduceSum, reduceMax: t.reduceMax, reduceMin: t.reduceMin };

const reduce = fc
  .tuple(shape, fc.constantFrom(...Object.keys(REDUCE)), fc.boolean(), seed)
  .chain(([whole, name, keep, from]) =>
    fc.subarray(whole.map((_, axis) => axis)).map(
      (axes): Case => ({
        name: `${name} [${whole}] over ${axes}`,
        inputs: [random('float32', whole, from)],
        program: (x) => REDUCE[name as keyof typeof REDUCE](x, axes, keep),
      }),
    ),
  );

const matmul = fc
  .tuple(fc.array(anyExtent, { maxLength: 2 }), anyExtent, anyExtent, anyExtent, seed)
  .chain(([batch, rows, inner, columns, from]) =>
    fc.tuple(part(batch), part(batch)).map(
      ([a, b]): Case => ({
        name: `[${[...a, rows, inner]}] [${[...b, inner, columns]}]`,
        inputs: [
          random('float32', [...a, rows, inner], from),
          random('float32', [...b, inner, columns], from + 1),
        ],
        program: (x, y) => t.matmul(x, y),
      }),
    ),
  );

const side = fc.integer({ min: 0, max: 2 });

const convolution = fc
  .record({
    batch: extent,
    groups: fc.integer({ min: 1, max: 3 }),
    perGroup: fc.integer({ min: 1, max: 3 }),
    outPerGroup: fc.integer({ min: 1, max: 3 }),
    kernel: fc.tuple(extent, extent),
    size: fc.tuple(fc.integer({ min: 7, max: 11 }), fc.integer({ min: 7, max: 11 })),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    padding: fc.tuple(fc.tuple(side, side), fc.tuple(side, side)),
    from: seed,
  })
  .map(({ batch, groups, perGroup, outPerGroup, kernel, size, stride, dilation, padding, from }): Case => {
    const x = [batch, perGroup * groups, ...size];
    const w = [outPerGroup * groups, perGroup, ...kernel];
    const options = { stride, dilation, padding, groups };
    const y = convolved(x, w, options);
    return {
      name: `[${x}] [${w}] ${JSON.stringify(options)}`,
      inputs: [x, w, y].map((one, i) => random('float32', one, from + i)),
      program: (image, weight, gradient) => [
        t.conv2d(image, weight, options),
        t.conv2dTranspose(gradient, weight, options),
        t.conv2dWeightGrad(image, gradient, kernel, options),
      ],
    };
  });

export const shapeFamilies: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  elementwise,
  broadcast,
  reduce,
  matmul,
  convolution,
};
