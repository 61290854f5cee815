/** A fused operation `double` (y = 2 x) with a kernel written by hand, byte by byte. */

import { Buffer } from 'node:buffer';
import type { KernelModule } from '../../src/engines/kernels/kernel.ts';
import { fused, mul, sizeOf, type Tensor } from '../../src/tensor/index.ts';

/** `double(n, x, y)`: for (i = 0; i < n; i++) y[i] = 2 * x[i]. */
const BODY = [
  ...[1, 1, 0x7f], // one local, i: i32
  ...[0x02, 0x40, 0x03, 0x40], // block, loop
  ...[0x20, 3, 0x20, 0, 0x4e, 0x0d, 1], // leave when i >= n
  ...[0x20, 2, 0x20, 3, 0x41, 2, 0x74, 0x6a], // y + (i << 2)
  ...[0x20, 1, 0x20, 3, 0x41, 2, 0x74, 0x6a, 0x2a, 2, 0], // f32.load(x + (i << 2))
  ...[0x43, 0, 0, 0, 0x40, 0x94], // f32.mul by 2
  ...[0x38, 2, 0], // f32.store
  ...[0x20, 3, 0x41, 1, 0x6a, 0x21, 3, 0x0c, 0], // i++, again
  ...[0x0b, 0x0b, 0x0b],
];

const text = (value: string) => [value.length, ...Buffer.from(value)];
const section = (id: number, content: readonly number[]) => [id, content.length, ...content];

const WASM = Uint8Array.from([
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0]),
  ...section(2, [1, ...text('env'), ...text('memory'), 2, 0, 0]),
  ...section(3, [1, 0]),
  ...section(7, [1, ...text('double'), 0, 0]),
  ...section(10, [1, BODY.length, ...BODY]),
]);

/** Its kernel takes at most `limit` elements, so that larger calls run the definition. */
export function doublingKernels(limit = 1000): KernelModule {
  return {
    wasm: WASM,
    reservedBytes: 100,
    kernels: [
      {
        name: 'double',
        plan: ({ inputs: [x] }) =>
          sizeOf(x.shape) > limit
            ? undefined
            : { entry: 'double', args: [sizeOf(x.shape), { input: 0 }, { output: 0 }], scratchBytes: 10 },
      },
    ],
  };
}

/** The fused operation itself. */
export function double(x: Tensor): Tensor {
  return fused('double', {}, { x }, (inputs) => ({ y: mul(inputs.x, 2) }))[0];
}
