/** Rates of single products and convolutions through the engine, and whether their elements are right. */

import { normals } from '../../bench/webgpu/device.ts';
import {
  type Engine,
  type NdArray,
  ndarray,
  type Resident,
  type Shape,
  sizeOf,
} from '../../src/tensor/index.ts';
import { type Gpu, once, type Precision, timedProgram } from './gpu.ts';
import { flopOf, type Operation, operationProgram, operations, outputShape } from './operations.ts';
import { type Fields, round, type Section } from './record.ts';
import { type Operands, spotError } from './spot-check.ts';

export async function denseSection(gpu: Gpu, section: Section): Promise<void> {
  for (const precision of gpu.precisions) {
    const engine = gpu.engine(precision);
    for (const op of operations(gpu.small))
      await section.row(`${op.name}, ${precision}`, () => measure(gpu, engine, op, precision));
    await engine.dispose();
  }
}

async function measure(gpu: Gpu, engine: Engine, op: Operation, precision: Precision): Promise<Fields> {
  const { graph, count } = operationProgram(op);
  const drawn = (shape: Shape, scale = 1): NdArray => ndarray(shape, normals(sizeOf(shape), scale));
  // Sums of products with these are as large as what they are made of.
  const weight = drawn(op.w, Math.sqrt(op.w[op.kind === 'conv' ? 0 : 1] / sizeOf(op.w)));
  const inputs: Record<string, Resident> = {};
  const arrays: Record<string, NdArray> = {};
  const parameters = graph.parameters.length > 0 ? { w: weight } : {};
  const [program, compileMs] = await once(() => engine.compile(graph, { parameters }));
  try {
    for (const { name, tensor } of graph.inputs) {
      arrays[name] = drawn(tensor.shape);
      inputs[name] = await engine.upload(arrays[name]);
    }
    const { firstMs, ms } = await timedProgram(gpu, engine, program, inputs);
    const { y0, ...others } = await program.runResident(inputs);
    const found = await engine.download(y0);
    for (const value of [y0, ...Object.values(others)]) await engine.release(value);
    const operands: Operands = {
      ...(arrays.x0 && { x: arrays.x0 }),
      ...(parameters.w && { w: parameters.w }),
      ...(arrays.dy0 && { dy: arrays.dy0 }),
    };
    const error = spotError(op, operands, outputShape(op), found);
    return {
      ...{ operation: op.name, precision, compileMs, firstMs, ms: round(ms / count) },
      ...{ teraflops: round((flopOf(op) * count) / ms / 1e9), spotError: round(error) },
    };
  } finally {
    await program.dispose();
    for (const value of Object.values(inputs)) await engine.release(value);
  }
}
