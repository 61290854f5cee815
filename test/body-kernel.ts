/** The search kernels called directly, with memory of their own: for tests and benchmarks. */

import { kernelModule } from '../src/engines/kernels/index.ts';

type Entry = (...args: number[]) => void;

export interface Search {
  nearest(block: Int32Array, points: Float32Array): { sqdist: Float32Array; face: Int32Array };
  deform(block: Int32Array, points: Float32Array): Float32Array;
}

const PAGE = 65536;
const START = 4096;

/** Instantiates the kernels. The memory grows with what is given. */
export function openSearch(): Search {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: PAGE });
  const module = new WebAssembly.Module(kernelModule().wasm);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const place = (bytes: readonly number[]): number[] => {
    let at = START;
    const places = bytes.map((size) => {
      const start = at;
      at += Math.ceil(size / 16) * 16;
      return start;
    });
    const missing = Math.ceil((at - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
    return places;
  };
  const call = (
    entry: string,
    block: Int32Array,
    points: Float32Array,
    outputs: readonly number[],
  ): number[] => {
    const [scratch, mesh, input, ...results] = place([800, block.byteLength, points.byteLength, ...outputs]);
    new Int32Array(memory.buffer, mesh, block.length).set(block);
    new Float32Array(memory.buffer, input, points.length).set(points);
    (instance.exports[entry] as Entry)(mesh, input, ...results, scratch, 1, block.length, points.length / 3);
    return results;
  };
  return {
    nearest: (block, points) => {
      const count = points.length / 3;
      const [sqdist, face] = call('nearestFaces', block, points, [4 * count, 4 * count]);
      return {
        sqdist: new Float32Array(memory.buffer, sqdist, count).slice(),
        face: new Int32Array(memory.buffer, face, count).slice(),
      };
    },
    deform: (block, points) => {
      const [moved] = call('deformPoints', block, points, [points.byteLength]);
      return new Float32Array(memory.buffer, moved, points.length).slice();
    },
  };
}
