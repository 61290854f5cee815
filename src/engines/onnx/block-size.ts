/** How many channels a block of the runtime's blocked convolutions has: a property of the processor. */

import type { InferenceSession } from 'onnxruntime-common';
import type { Runtime } from './executor.ts';
import { createModel } from './model.ts';

const CHANNELS = 16;

/** Asks the runtime to put two pixels into blocks, and looks where the second begins; 0 where it cannot. */
export async function blockSizeOf(
  runtime: Runtime,
  options: InferenceSession.SessionOptions,
): Promise<number> {
  const aval = { dtype: 'float32', shape: [1, CHANNELS, 1, 2] } as const;
  const model = createModel('blocks');
  model.input('x', aval);
  model.node('nchwc:ReorderInput', 'reorder', ['x'], ['y'], {});
  model.output('y', aval);
  try {
    const session = await runtime.InferenceSession.create(model.finish(), options);
    // Channel c has 2 c at the first pixel and 2 c + 1 at the second.
    const values = Float32Array.from({ length: 2 * CHANNELS }, (_, i) => i);
    const { y } = await session.run({ x: new runtime.Tensor('float32', values, aval.shape) });
    await session.release();
    const size = (y.data as Float32Array).indexOf(1);
    return size === 8 || size === 16 ? size : 0;
  } catch {
    return 0;
  }
}
