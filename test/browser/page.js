/**
 * Runs in the page: one graph on the built web engine and on the built reference, as a page would use them.
 * What came out is left in `globalThis.compare`, for the test to call.
 */

import { referenceEngine } from '/dist/engines/reference/index.js';
import { isWebEngineAvailable, webEngine } from '/dist/engines/web/index.js';
import * as t from '/dist/tensor/index.js';

function ramp(...shape) {
  const size = t.sizeOf(shape);
  return t.ndarray(
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + size)),
  );
}

function double(x) {
  return t.fused('double', {}, { x }, (inputs) => ({ y: t.mul(inputs.x, 2) }))[0];
}

const graph = t.trace('page', { x: t.f32(2, 3, 8, 8) }, ({ x }) => {
  const first = t.conv2d(x, t.parameter('w', t.f32(8, 3, 3, 3)), { padding: 1 });
  const up = t.conv2dTranspose(double(t.tanh(first)), t.parameter('u', t.f32(8, 4, 4, 4)), {
    stride: 2,
    padding: 1,
  });
  const rows = t.reshape(up, [8, 256]);
  return { up, product: t.matmul(rows, t.parameter('m', t.f32(256, 5))), doubled: double(rows) };
});

/** Compares the engines.
 *
 * @param wasm bytes of the module that holds the kernel `double`.
 */
globalThis.compare = async (wasm) => {
  let planned = 0;
  const kernel = {
    name: 'double',
    plan: ({ inputs: [x] }) => {
      planned++;
      return { entry: 'double', args: [t.sizeOf(x.shape), { input: 0 }, { output: 0 }] };
    },
  };
  const kernels = { kernels: [kernel], wasm: Uint8Array.from(wasm), reservedBytes: 0 };
  const parameters = { w: ramp(8, 3, 3, 3), u: ramp(8, 4, 4, 4), m: ramp(256, 5) };
  const inputs = { x: ramp(2, 3, 8, 8) };
  const run = async (engine) => {
    const program = await engine.compile(graph, { parameters });
    const outputs = await program.run(inputs);
    await program.dispose();
    await engine.dispose();
    return outputs;
  };
  const found = await run(webEngine({ kernels, threads: globalThis.crossOriginIsolated ? 2 : 1 }));
  const expected = await run(referenceEngine());
  const distances = Object.entries(expected).map(([name, { data }]) => [
    name,
    Math.max(...data.map((value, i) => Math.abs(found[name].data[i] - value) / Math.max(1, Math.abs(value)))),
  ]);
  return {
    available: isWebEngineAvailable(),
    isolated: globalThis.crossOriginIsolated,
    planned: planned > 0,
    distances: Object.fromEntries(distances),
  };
};
