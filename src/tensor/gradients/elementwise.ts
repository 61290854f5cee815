/**
 * Gradients of the elementwise operations.
 *
 * Where two operands of a maximum or minimum are equal, the second gets the whole cotangent: so `maximum(x, 0)` is
 * flat at 0, and a leaky ReLU `maximum(x, slope x)` has the slope there, as in other libraries.
 */

import { abs } from '../primitives/abs.ts';
import { cos } from '../primitives/cos.ts';
import { div } from '../primitives/div.ts';
import { equal } from '../primitives/equal.ts';
import { less } from '../primitives/less.ts';
import { log } from '../primitives/log.ts';
import { mul } from '../primitives/mul.ts';
import { neg } from '../primitives/neg.ts';
import { pow } from '../primitives/pow.ts';
import { sign } from '../primitives/sign.ts';
import { sin } from '../primitives/sin.ts';
import { sub } from '../primitives/sub.ts';
import { where } from '../primitives/where.ts';
import { flat, type Gradients, slopes } from './rule.ts';

export const elementwiseGradients: Gradients = {
  neg: slopes((g) => neg(g)),
  exp: slopes((g, { outputs: [y] }) => mul(g, y)),
  log: slopes((g, { inputs: [x] }) => div(g, x)),
  sqrt: slopes((g, { outputs: [y] }) => div(mul(g, 0.5), y)),
  abs: slopes((g, { inputs: [x] }) => mul(g, sign(x))),
  sin: slopes((g, { inputs: [x] }) => mul(g, cos(x))),
  cos: slopes((g, { inputs: [x] }) => neg(mul(g, sin(x)))),
  tanh: slopes((g, { outputs: [y] }) => mul(g, sub(1, mul(y, y)))),
  add: slopes(
    (g) => g,
    (g) => g,
  ),
  sub: slopes(
    (g) => g,
    (g) => neg(g),
  ),
  mul: slopes(
    (g, { inputs: [, y] }) => mul(g, y),
    (g, { inputs: [x] }) => mul(g, x),
  ),
  div: slopes(
    (g, { inputs: [, y] }) => div(g, y),
    (g, { inputs: [, y], outputs: [ratio] }) => neg(div(mul(g, ratio), y)),
  ),
  // x^0 is flat in x and 0^y in y, whatever the factors say (0 times infinity).
  pow: slopes(
    (g, { inputs: [x, y] }) => where(equal(y, 0), 0, mul(g, mul(y, pow(x, sub(y, 1))))),
    (g, { inputs: [x], outputs: [power] }) => where(equal(x, 0), 0, mul(g, mul(power, log(abs(x))))),
  ),
  maximum: slopes(
    (g, { inputs: [x, y] }) => where(less(y, x), g, 0),
    (g, { inputs: [x, y] }) => where(less(y, x), 0, g),
  ),
  minimum: slopes(
    (g, { inputs: [x, y] }) => where(less(x, y), g, 0),
    (g, { inputs: [x, y] }) => where(less(x, y), 0, g),
  ),
  where: slopes(
    undefined,
    (g, { inputs: [condition] }) => where(condition, g, 0),
    (g, { inputs: [condition] }) => where(condition, 0, g),
  ),
  // Rounding to half precision counts as none: cotangents are float32 whatever they belong to.
  cast: slopes((g) => g),
  sign: flat,
  floor: flat,
  equal: flat,
  less: flat,
  lessEqual: flat,
  and: flat,
  or: flat,
  not: flat,
};
