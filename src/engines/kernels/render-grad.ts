/** How to call the volume renderer's gradient, and that of decoded points: `renderRaysGrad`, `decodePointsGrad`. */

import { type Node, sizeOf } from '../../tensor/index.ts';
import type { Kernel, KernelArg, KernelCall, Threaded } from './kernel.ts';
import { type FieldOptions, fieldOf, rayCall } from './render.ts';

/** Inputs whose gradients are sums over jobs, in the order of `sumRenderGradients`. */
const SUMMED: readonly string[] = ['planes', 'w0', 'b0', 'w1', 'b1', 'maps'];

/** Jobs that a small batch is cut into, each with gradients of its own: as many threads can work at once. */
const JOBS = 2;

/** `SUM_BYTES` of `assembly/render-decoder-grad.ts`. */
const DECODER_BYTES = 4 * (2048 + 64 + 2112 + 36) + 48;

interface GradientOptions {
  /** Names of the inputs, in order; those of cotangents begin with `d:`. */
  readonly inputs: readonly string[];
  /** Names of the inputs that gradients are wanted of. */
  readonly outputs: readonly string[];
}

/** Pointers by name; 0 for what is not there. */
function pointersOf({ inputs, outputs }: GradientOptions): {
  input: (name: string) => KernelArg;
  output: (name: string) => KernelArg;
} {
  return {
    input: (name) => (inputs.includes(name) ? { input: inputs.indexOf(name) } : 0),
    output: (name) => (outputs.includes(name) ? { output: outputs.indexOf(name) } : 0),
  };
}

/** The areas of the jobs in the shared memory, and the call that sums them.
 *
 * @param mapBytes of a batch entry
 */
function areasOf(
  node: Node,
  batch: number,
  [layers, side]: readonly number[],
  gains: readonly number[],
  entryBytes: number,
  mapBytes: number,
): { shares: number[]; sharedBytes: number; finish: NonNullable<Threaded['finish']> } {
  const options = node.attrs.options as unknown as GradientOptions;
  const { output } = pointersOf(options);
  const slices = Math.ceil(JOBS / batch);
  const planeBytes = options.outputs.includes('planes') ? entryBytes : 0;
  const areaBytes = Math.ceil((planeBytes + DECODER_BYTES + mapBytes) / 64) * 64;
  const shares = [slices, areaBytes, planeBytes, mapBytes];
  return {
    shares,
    sharedBytes: batch * slices * areaBytes,
    finish: {
      entry: 'sumRenderGradients',
      args: ['shared', ...SUMMED.map(output), 'counter', batch, layers, side, ...gains, ...shares],
    },
  };
}

export const renderRaysGradKernel: Kernel = {
  name: 'renderRaysGrad',
  plan(node: Node): KernelCall | undefined {
    const options = node.attrs.options as unknown as GradientOptions;
    const { inputs, outputs } = options;
    const call = rayCall(node, true);
    if (call === undefined || !outputs.every((name) => SUMMED.includes(name))) return undefined;
    const { first, scratchBytes, sizes, field } = call;
    const [batch] = node.inputs[0].shape;
    const maps = outputs.includes('maps') ? sizeOf(node.inputs[inputs.indexOf('maps')].shape) : 0;
    const { shares, ...threaded } = areasOf(
      node,
      batch,
      field.shape,
      field.gains,
      field.kept.bytes / batch,
      (maps * 4) / batch,
    );
    return {
      entry: 'renderRaysGrad',
      args: [
        ...first,
        ...['d:features', 'd:depth', 'd:opacity'].map(pointersOf(options).input),
        ...(['shared', 'counter', 'scratch'] as const),
        ...[scratchBytes, ...sizes, ...shares],
      ],
      scratchBytes,
      threaded: { kept: field.kept, ...threaded },
    };
  },
};

export const decodePointsGradKernel: Kernel = {
  name: 'decodePointsGrad',
  plan(node: Node): KernelCall | undefined {
    const options = node.attrs.options as unknown as GradientOptions & FieldOptions;
    const { input, output } = pointersOf(options);
    const field = fieldOf(node, options.inputs, options);
    if (field === undefined) return undefined;
    const [batch, count] = node.inputs[0].shape;
    const { shares, ...threaded } = areasOf(
      node,
      batch,
      field.shape,
      field.gains,
      field.kept.bytes / batch,
      0,
    );
    return {
      entry: 'decodePointsGrad',
      args: [
        { input: 0 },
        'kept',
        ...field.weights,
        ...[input('d:sigma'), input('d:rgb'), output('points')],
        ...(['shared', 'counter', 'scratch'] as const),
        ...[batch, count, ...field.shape, ...field.gains, field.activation, ...shares.slice(0, 3)],
      ],
      scratchBytes: 98304,
      threaded: { kept: field.kept, ...threaded },
    };
  },
};
