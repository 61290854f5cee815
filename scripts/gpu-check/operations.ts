/**
 * Products and convolutions of the networks at sizes that count, each forward and in its two gradients: as programs of
 * ours, and as a list that `peer.py` runs too.
 */

import {
  type Aval,
  type ConvolutionOptions,
  conv2d,
  conv2dTranspose,
  f32,
  type Graph,
  grad,
  matmul,
  mul,
  parameter,
  reduceSum,
  type Shape,
  sizeOf,
  type Tensor,
  trace,
} from '../../src/tensor/index.ts';

/** `y = f(x, w)`; gradients are those of a sum of `y * dy`. */
export type Pass = 'forward' | 'input gradient' | 'weight gradient';

/** One operation in the words of `peer.py`. */
export interface Operation {
  readonly name: string;
  readonly kind: 'matmul' | 'conv' | 'transposed';
  readonly pass: Pass;
  readonly x: Shape;
  readonly w: Shape;
  /** [top, left, bottom, right] */
  readonly padding: readonly number[];
  readonly stride: number;
  readonly groups: number;
}

const ALL: readonly Pass[] = ['forward', 'input gradient', 'weight gradient'];

/** How often an operation follows itself in a program, so that a run's own cost counts less. */
const REPEAT = 4;

function passes(base: Omit<Operation, 'pass'>, wanted: readonly Pass[]): Operation[] {
  return wanted.map((pass) => ({ ...base, name: `${base.name}, ${pass}`, pass }));
}

function products(m: number, k: number, n: number, wanted = ALL): Operation[] {
  const shapes = { x: [m, k], w: [k, n], padding: [0, 0, 0, 0], stride: 1, groups: 1 };
  return passes({ name: `matmul ${m} x ${k} x ${n}`, kind: 'matmul', ...shapes }, wanted);
}

interface ConvolutionSize {
  readonly batch?: number;
  readonly out?: number;
  readonly kernel?: number;
  readonly stride?: number;
}

function convolutions(channels: number, side: number, size: ConvolutionSize, wanted = ALL): Operation[] {
  const { batch = 1, out = channels, kernel = 3, stride = 1 } = size;
  const pad = kernel >> 1;
  const name = `conv ${kernel}x${kernel}${stride > 1 ? ` s${stride}` : ''} ${channels}->${out} @${side} n=${batch}`;
  const shapes = { x: [batch, channels, side, side], w: [out, channels, kernel, kernel] };
  return passes({ name, kind: 'conv', ...shapes, padding: [pad, pad, pad, pad], stride, groups: 1 }, wanted);
}

function transposed(channels: number, side: number, wanted = ALL): Operation[] {
  const name = `transposed conv 3x3 s2 ${channels}->${channels} @${side} n=1`;
  const shapes = { x: [1, channels, side, side], w: [channels, channels, 3, 3] };
  return passes({ name, kind: 'transposed', ...shapes, padding: [0, 0, 0, 0], stride: 2, groups: 1 }, wanted);
}

/** All operations: first those that decide how long a picture takes, then those of training. */
export function operations(small: boolean): Operation[] {
  if (small)
    return [
      ...products(32, 48, 64),
      ...convolutions(8, 8, { batch: 2, out: 12 }),
      ...convolutions(8, 9, { stride: 2 }),
      ...transposed(4, 5),
    ];
  const forward: readonly Pass[] = ['forward'];
  return [
    ...convolutions(512, 32, {}, forward),
    ...convolutions(256, 64, {}, forward),
    ...convolutions(128, 128, {}),
    ...convolutions(256, 64, { batch: 4 }),
    ...convolutions(256, 256, {}, forward),
    ...convolutions(128, 512, {}, forward),
    ...convolutions(64, 256, {}, forward),
    ...convolutions(128, 256, { out: 288, kernel: 1 }, forward),
    ...transposed(256, 64, forward),
    ...products(1024, 1024, 1024),
    ...products(4096, 1024, 1024),
    ...convolutions(64, 64, { batch: 16 }),
    ...convolutions(32, 128, { batch: 16 }),
    ...convolutions(64, 64, { batch: 16, stride: 2 }),
  ];
}

export function optionsOf({ padding, stride, groups }: Operation): ConvolutionOptions {
  const [top, left, bottom, right] = padding;
  const sides = [
    [top, bottom],
    [left, right],
  ] as const;
  return { padding: sides, stride, groups };
}

function applied(op: Operation, x: Tensor, w: Tensor): Tensor {
  if (op.kind === 'matmul') return matmul(x, w);
  return op.kind === 'conv' ? conv2d(x, w, optionsOf(op)) : conv2dTranspose(x, w, optionsOf(op));
}

export function outputShape(op: Operation): Shape {
  const graph = trace('shape', { x: f32(...op.x), w: f32(...op.w) }, ({ x, w }) => ({
    y: applied(op, x, w),
  }));
  return graph.outputs[0].tensor.shape;
}

/** Multiply-adds count twice; gradients take as many as the forward pass. */
export function flopOf(op: Operation): number {
  if (op.kind === 'matmul') return 2 * op.x[0] * sizeOf(op.w);
  const [n, , ...pixels] = op.kind === 'conv' ? outputShape(op) : op.x;
  return 2 * n * sizeOf(pixels) * sizeOf(op.w);
}

export interface OperationProgram {
  readonly graph: Graph;
  /** How many of the operation a run computes. */
  readonly count: number;
}

/** A program of the operation, several times: in a row where the result can be given again, of several inputs for the
 * gradient of the weight, else once. Output `y0` is the operation of input `x0` or `dy0` and parameter `w`; of `x0` and
 * `dy0` for the gradient of the weight. */
export function operationProgram(op: Operation): OperationProgram {
  const y = f32(...outputShape(op));
  const [x, w] = [f32(...op.x), f32(...op.w)];
  if (op.pass === 'weight gradient') {
    const count = REPEAT;
    const images = Array.from({ length: count }, (_, i): [string, Aval] => [`x${i}`, x]);
    const inputs: Record<string, Aval> = { ...Object.fromEntries(images), dy0: y };
    const graph = trace('weight gradient', inputs, (given) => {
      const weight = parameter('w', w);
      const of = (i: number): Tensor =>
        grad(reduceSum(mul(applied(op, given[`x${i}`], weight), given.dy0)), [weight])[0]!;
      return Object.fromEntries(Array.from({ length: count }, (_, i) => [`y${i}`, of(i)]));
    });
    return { graph, count };
  }
  const backward = op.pass === 'input gradient';
  const from = backward ? y : x;
  const chained = sizeOf(y.shape) === sizeOf(x.shape) && y.shape.join() === x.shape.join();
  const count = chained ? REPEAT : 1;
  const name = backward ? 'dy0' : 'x0';
  const graph = trace(op.pass, { [name]: from }, (given) => {
    const weight = parameter('w', w);
    const step = (value: Tensor): Tensor => {
      if (!backward) return applied(op, value, weight);
      const free = parameter('any', x);
      return grad(reduceSum(mul(applied(op, free, weight), value)), [free])[0]!;
    };
    const links = [step(given[name])];
    while (links.length < count) links.push(step(links[links.length - 1]));
    return { y0: links[0], last: links[links.length - 1] };
  });
  return { graph, count };
}
