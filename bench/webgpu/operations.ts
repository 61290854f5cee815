/**
 * Single operations of generators on ONNX Runtime's WebGPU execution provider: the list, their models, the table.
 *
 * Convolutions are timed in both layouts. Operations with a constant weight are also in `--list`, for `scripts/gpu-check/peer.py`.
 */

import type { Tensor as OrtTensor } from 'onnxruntime-common';
import { createModel, type OnnxAttributes } from '../../src/engines/onnx/model.ts';
import { planProgram } from '../../src/engines/onnx/planner.ts';
import {
  type Aval,
  conv2dWeightGrad,
  f32,
  type NdArray,
  type Shape,
  sizeOf,
  trace,
} from '../../src/tensor/index.ts';
import {
  createSession,
  deviceOf,
  drawn,
  type Float,
  floatTypes,
  type Layout,
  normals,
  type Runtime,
  timedSession,
  upload,
} from './device.ts';
import { segmentOf } from './graphs.ts';
import { ms, type Report, rate } from './report.ts';

interface Operation {
  readonly name: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, Aval>>;
  /** A constant second operand. */
  readonly weight?: Shape;
  readonly output: Shape;
  readonly attributes?: OnnxAttributes;
  readonly work: number;
  readonly unit: 'FLOP' | 'B';
  /** Applied so many times in one model, if input and output agree: a run's own cost counts less. */
  readonly repeat?: number;
  /** A model that is more than one node. */
  readonly model?: () => { bytes: Uint8Array; inputs: readonly string[] };
  readonly floats?: readonly Float[];
}

const REPEAT = 4;

function matmulOp(m: number, k: number, n: number): Operation {
  const square = k === n;
  return {
    ...{ name: `matmul ${m} x ${k} x ${n}`, type: 'MatMul', inputs: { x: f32(m, k) }, weight: [k, n] },
    ...{ output: [m, n], work: 2 * m * k * n, unit: 'FLOP', repeat: square ? REPEAT : 1 },
  };
}

function convOp(channels: number, side: number, batch = 1, out = channels, kernel = 3): Operation {
  const pad = kernel >> 1;
  return {
    name: `conv ${kernel}x${kernel} ${channels}->${out} @${side} n=${batch}`,
    type: 'Conv',
    inputs: { x: f32(batch, channels, side, side) },
    weight: [out, channels, kernel, kernel],
    output: [batch, out, side, side],
    attributes: { kernel_shape: [kernel, kernel], pads: [pad, pad, pad, pad], strides: [1, 1] },
    work: 2 * batch * out * channels * kernel * kernel * side * side,
    unit: 'FLOP',
    repeat: channels === out ? REPEAT : 1,
  };
}

function transposedOp(channels: number, side: number): Operation {
  const out = 2 * side + 1;
  return {
    name: `transposed conv 3x3 s2 ${channels}->${channels} @${side}`,
    type: 'ConvTranspose',
    inputs: { x: f32(1, channels, side, side) },
    weight: [channels, channels, 3, 3],
    output: [1, channels, out, out],
    attributes: { kernel_shape: [3, 3], strides: [2, 2] },
    work: 18 * channels * channels * side * side,
    unit: 'FLOP',
  };
}

function firOp(channels: number, side: number): Operation {
  const shape = [1, channels, side, side];
  return {
    name: `depthwise FIR 4x4 ${channels} @${side}`,
    type: 'Conv',
    inputs: { x: f32(...shape) },
    weight: [channels, 1, 4, 4],
    output: shape,
    attributes: { kernel_shape: [4, 4], pads: [1, 1, 2, 2], strides: [1, 1], group: channels },
    work: 8 * sizeOf(shape),
    unit: 'B',
    repeat: REPEAT,
  };
}

/** What follows a modulated convolution: scale, noise, slope, scale. Four passes if nothing fuses them. */
function chainOp(channels: number, side: number): Operation {
  const shape = [1, channels, side, side];
  const model = () => {
    const writer = createModel('chain');
    writer.input('x', f32(...shape));
    writer.initializer('scale', 'float32', [1, channels, 1, 1], normals(channels));
    writer.initializer('noise', 'float32', [1, 1, side, side], normals(side * side));
    writer.initializer('gain', 'float32', [], Float32Array.of(Math.SQRT2));
    writer.node('Mul', 'scaled', ['x', 'scale'], ['a'], {});
    writer.node('Add', 'noisy', ['a', 'noise'], ['b'], {});
    writer.node('LeakyRelu', 'sloped', ['b'], ['c'], {});
    writer.node('Mul', 'gained', ['c', 'gain'], ['y'], {});
    writer.output('y', f32(...shape));
    return { bytes: writer.finish(), inputs: ['x'] };
  };
  return {
    ...{
      name: `elementwise chain of 4 on ${channels} @${side}`,
      type: 'chain',
      inputs: { x: f32(...shape) },
    },
    ...{ output: shape, work: 4 * 8 * sizeOf(shape), unit: 'B', model, floats: ['float32'] },
  };
}

function weightGradOp(channels: number, side: number): Operation {
  const shape = f32(1, channels, side, side);
  const inputs = { x: shape, dy: shape };
  const model = () => {
    const padding = [
      [1, 1],
      [1, 1],
    ] as const;
    const graph = trace('weight-grad', inputs, ({ x, dy }) => ({
      dw: conv2dWeightGrad(x, dy, [3, 3], { padding }),
    }));
    const { bytes, names } = segmentOf(planProgram(graph, undefined, {}));
    return { bytes, inputs: Object.keys(inputs).map((name) => names.get(name)!) };
  };
  return {
    ...{ name: `weight gradient 3x3 ${channels}->${channels} @${side}, nine products`, type: 'weight-grad' },
    ...{ inputs, output: [channels, channels, 3, 3], work: 18 * channels * channels * side * side },
    ...{ unit: 'FLOP', model, floats: ['float32'] },
  };
}

/** A node as it is, reading and writing everything once. */
function plainOp(
  name: string,
  type: string,
  inputs: Record<string, Aval>,
  extra: { output: Shape; attributes?: OnnxAttributes; bytes: number; constants?: Record<string, number[]> },
): Operation {
  const model = () => {
    const writer = createModel(type);
    for (const [input, aval] of Object.entries(inputs)) writer.input(input, aval);
    const constants = Object.entries(extra.constants ?? {});
    for (const [constant, values] of constants) {
      writer.initializer(constant, 'int64', type === 'CumSum' ? [] : [1], BigInt64Array.from(values, BigInt));
    }
    const reads = [...Object.keys(inputs), ...constants.map(([constant]) => constant)];
    writer.node(type, 'op', reads, type === 'TopK' ? ['y', 'order'] : ['y'], extra.attributes ?? {});
    writer.output('y', f32(...extra.output));
    return { bytes: writer.finish(), inputs: Object.keys(inputs) };
  };
  return {
    name,
    type,
    inputs,
    output: extra.output,
    work: extra.bytes,
    unit: 'B',
    model,
    floats: ['float32'],
  };
}

/** All operations; small ones are not repeated. */
function operations(small: boolean): Operation[] {
  const i = (...shape: number[]): Aval => ({ dtype: 'int32', shape });
  const rows = small ? 1024 : 2 ** 20;
  const table = small ? 256 : 3 * 256 * 256;
  const rays = small ? 64 : 16_384;
  const side = small ? 8 : 1;
  const all = [
    plainOp(
      'nothing (16 numbers added): what a run costs',
      'Add',
      { x: f32(16), z: f32(16) },
      { output: [16], bytes: 192 },
    ),
    ...(small ? [convOp(8, 8), convOp(8, 8, 4)] : []),
    ...(small
      ? []
      : [convOp(256, 64), convOp(256, 64, 4), convOp(512, 32), convOp(128, 128), convOp(64, 256)]),
    ...(small ? [] : [convOp(256, 256), convOp(128, 512)]),
    small ? convOp(8, 8, 1, 12, 1) : convOp(128, 256, 1, 288, 1),
    ...(small ? [matmulOp(64, 64, 64)] : [matmulOp(1024, 1024, 1024), matmulOp(4096, 1024, 1024)]),
    transposedOp(small ? 8 : 256, 64 / side),
    firOp(small ? 8 : 256, 128 / side),
    chainOp(small ? 8 : 128, 256 / side),
    weightGradOp(small ? 8 : 256, 64 / side),
    plainOp(
      `gather ${rows} rows of 32`,
      'Gather',
      { x: f32(table, 32), indices: i(rows) },
      { output: [rows, 32], attributes: { axis: 0 }, bytes: 2 * 128 * rows + 4 * rows },
    ),
    plainOp(
      `gather elements ${rows} x 32`,
      'GatherElements',
      { x: f32(table, 32), indices: i(rows, 32) },
      { output: [rows, 32], attributes: { axis: 0 }, bytes: 3 * 128 * rows },
    ),
    plainOp(
      `cumulative sum ${rays} x 96`,
      'CumSum',
      { x: f32(rays, 96) },
      { output: [rays, 96], constants: { axis: [1] }, bytes: 8 * rays * 96 },
    ),
    plainOp(
      `sort (TopK) ${rays} x 96`,
      'TopK',
      { x: f32(rays, 96) },
      {
        ...{ output: [rays, 96], constants: { k: [96] }, bytes: 12 * rays * 96 },
        attributes: { axis: 1, largest: 0, sorted: 1 },
      },
    ),
  ];
  return small ? all.map((op) => ({ ...op, repeat: 1 })) : all;
}

const PEER_KINDS: Readonly<Record<string, string>> = {
  MatMul: 'matmul',
  Conv: 'conv',
  ConvTranspose: 'transposed',
};

/** The operations that `scripts/gpu-check/peer.py` can run from their shapes, as JSON. */
export function listOperations(small: boolean): string {
  const listed = operations(small)
    .filter(({ weight }) => weight !== undefined)
    .map(({ name, type, inputs, weight, attributes = {} }) => ({
      ...{ name, kind: PEER_KINDS[type], pass: 'forward', x: inputs.x.shape, w: weight },
      padding: attributes.pads ?? [0, 0, 0, 0],
      ...{ stride: type === 'ConvTranspose' ? 2 : 1, groups: attributes.group ?? 1 },
    }));
  return JSON.stringify({ operations: listed });
}

/** A model of the operation, `repeat` times in a row. */
function modelOf(op: Operation, type: Float): { bytes: Uint8Array; inputs: readonly string[] } {
  if (op.model !== undefined) return op.model();
  const writer = createModel(op.type);
  writer.input('x', { dtype: type, shape: op.inputs.x.shape });
  const weight = op.weight!;
  const fanIn = op.type === 'MatMul' ? weight[0] : sizeOf(weight.slice(1));
  writer.initializer('w', type, weight, drawn(type, sizeOf(weight), fanIn ** -0.5));
  const repeat = op.repeat ?? 1;
  const name = (i: number): string => (i === 0 ? 'x' : i === repeat ? 'y' : `t${i}`);
  for (let i = 0; i < repeat; i++) {
    writer.node(op.type, `op${i}`, [name(i), 'w'], [name(i + 1)], op.attributes ?? {});
  }
  writer.output('y', { dtype: type, shape: op.output });
  return { bytes: writer.finish(), inputs: ['x'] };
}

function drawnFor({ dtype, shape }: Aval, type: Float, table: number): NdArray {
  const size = sizeOf(shape);
  if (dtype !== 'int32') return { dtype: type, shape, data: drawn(type, size) };
  // Scattered over the whole table.
  return { dtype, shape, data: Int32Array.from({ length: size }, (_, i) => (i * 7919) % table) };
}

/** Milliseconds that another program takes for the operations of these names. */
export type Peer = Readonly<Record<string, Partial<Record<Float | 'tf32', number>>>>;

/** Each operation in each type and layout, as one table; `peer` adds PyTorch's times. */
export async function opsSection(runtime: Runtime, report: Report, peer: Peer | undefined): Promise<void> {
  const compared = peer !== undefined;
  const header = [
    'operation',
    'first ms',
    'ms',
    'rate',
    ...(compared ? ['PyTorch ms', 'times PyTorch'] : []),
  ];
  report.header(`Single operations, onnxruntime-web/${runtime.build}`, header);
  for (const type of floatTypes(runtime.gpu.device)) {
    for (const op of operations(runtime.gpu.small)) {
      if (op.floats !== undefined && !op.floats.includes(type)) continue;
      const spatial = op.type.startsWith('Conv');
      for (const layout of spatial ? (['NHWC', 'NCHW'] as const) : [undefined]) {
        await report.row(`${op.name}, ${type}${layout === undefined ? '' : `, ${layout}`}`, async () => {
          const [first, each] = await timedOperation(runtime, op, type, layout);
          const theirs = peer?.[op.name]?.[type];
          const tf32 = type === 'float32' ? peer?.[op.name]?.tf32 : undefined;
          const beside =
            theirs === undefined
              ? ['', '']
              : [
                  `${ms(theirs)}${tf32 === undefined ? '' : ` (TF32 ${ms(tf32)})`}`,
                  `${(each / theirs).toFixed(2)}${tf32 === undefined ? '' : ` (${(each / tf32).toFixed(2)})`}`,
                ];
          return [ms(first), ms(each), rate(op.work, op.unit, each), ...(compared ? beside : [])];
        });
      }
    }
  }
}

async function timedOperation(
  runtime: Runtime,
  op: Operation,
  type: Float,
  layout: Layout | undefined,
): Promise<[number, number]> {
  const { bytes, inputs } = modelOf(op, type);
  const session = await createSession(runtime, bytes, layout === undefined ? {} : { layout });
  const device = await deviceOf(runtime);
  const feeds: Record<string, OrtTensor> = {};
  Object.values(op.inputs).forEach((aval, i) => {
    feeds[inputs[i]] = upload(runtime, device, drawnFor(aval, type, op.inputs.x.shape[0]));
  });
  try {
    const [first, each] = await timedSession(runtime, session, feeds);
    return [first, each / (op.repeat ?? 1)];
  } finally {
    await session.release();
    for (const tensor of Object.values(feeds)) (tensor.gpuBuffer as unknown as GPUBuffer).destroy();
  }
}
