/** Single operations on ONNX Runtime itself: what this machine can reach, beside which our own times are put. */

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createModel, type OnnxAttributes } from '../src/engines/onnx/model.ts';
import type { Shape } from '../src/tensor/index.ts';
import { best, normals } from './support.ts';

export interface SingleOp {
  readonly type: 'Conv' | 'MatMul' | 'ConvTranspose';
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
  readonly attributes?: OnnxAttributes;
}

/** A hand-made model of one operation with a constant weight, on ONNX Runtime itself: the ceiling. */
export async function singleOp(op: SingleOp, threads: number): Promise<() => Promise<unknown>> {
  const draw = normals(1);
  const size = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
  const model = createModel('single');
  model.input('x', { dtype: 'float32', shape: op.x });
  model.initializer('w', 'float32', op.w, draw(size(op.w)));
  model.node(op.type, 'op', ['x', 'w'], ['y'], op.attributes ?? {});
  model.output('y', { dtype: 'float32', shape: op.y });
  const session = await InferenceSession.create(model.finish(), {
    intraOpNumThreads: threads,
    executionMode: 'sequential',
    // A pool that spins after its work would take a core from whatever is timed next.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const x = new Tensor('float32', draw(size(op.x)), [...op.x]);
  const y = new Tensor('float32', new Float32Array(size(op.y)), [...op.y]);
  return () => session.run({ x }, { y });
}

/** A square-kernel convolution with same padding. */
export function convolution(
  channels: number,
  side: number,
  batch = 1,
  out = channels,
  kernel = 3,
): SingleOp & { flops: number } {
  const pad = kernel >> 1;
  return {
    type: 'Conv',
    x: [batch, channels, side, side],
    w: [out, channels, kernel, kernel],
    y: [batch, out, side, side],
    attributes: { kernel_shape: [kernel, kernel], pads: [pad, pad, pad, pad], strides: [1, 1] },
    flops: 2 * batch * out * channels * kernel * kernel * side * side,
  };
}

/** The measure of this machine, R: a 3x3 convolution of 256 to 256 channels at 64 x 64, in GFLOP/s, best so far. */
export async function ceiling(threads: number): Promise<{
  /** Measures once more; what this sample alone gave. */
  sample(): Promise<number>;
  gflops(): number;
}> {
  const op = convolution(256, 64);
  const run = await singleOp(op, threads);
  await run();
  let smallest = Number.POSITIVE_INFINITY;
  return {
    sample: async () => {
      const ms = await best(2, run);
      smallest = Math.min(smallest, ms);
      return op.flops / ms / 1e6;
    },
    gflops: () => op.flops / smallest / 1e6,
  };
}
