/**
 * Which matrix units a device has, found out by using them: not every binding of Dawn lists them, and a unit that
 * computes wrongly is as good as none.
 */

import type { MatrixUnit } from './kernel.ts';

const FEATURE = 'chromium-experimental-subgroup-matrix';

/** Shapes of known hardware: NVIDIA, Intel and AMD; Apple. */
const SHAPES = [
  [16, 16, 16],
  [8, 16, 16],
  [8, 8, 8],
] as const;

const found = new WeakMap<GPUDevice, readonly MatrixUnit[]>();

/** Units that `probeMatrixUnits` found. */
export function matrixUnitsOf(device: GPUDevice): readonly MatrixUnit[] {
  return found.get(device) ?? [];
}

/** Tries units of half precision that sum in single precision, and remembers those that multiply rightly. */
export async function probeMatrixUnits(device: GPUDevice): Promise<void> {
  const hasFeatures = [FEATURE, 'shader-f16', 'subgroups'].every((name) => device.features.has(name));
  const { subgroupMaxSize: lanes } = device.adapterInfo;
  if (!hasFeatures || !(lanes >= 1)) return;
  const units = SHAPES.map(([m, n, k]): MatrixUnit => ({ m, n, k, component: 'f16', result: 'f32' }));
  const works = await Promise.all(units.map((unit) => multiplies(device, unit, lanes).catch(() => false)));
  found.set(
    device,
    units.filter((_, i) => works[i]),
  );
}

const left = (row: number, column: number): number => ((row * 3 + column * 5) % 7) - 3;
const right = (row: number, column: number): number => ((row * 2 + column * 3) % 5) - 2;

async function multiplies(device: GPUDevice, { m, n, k }: MatrixUnit, lanes: number): Promise<boolean> {
  const code = `enable f16;
enable chromium_experimental_subgroup_matrix;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
var<workgroup> a: array<f16, ${m * k}>;
var<workgroup> b: array<f16, ${k * n}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  for (var i = lane; i < ${m * k}u; i += ${lanes}u) { a[i] = f16(f32((i / ${k}u * 3u + i % ${k}u * 5u) % 7u) - 3.0); }
  for (var i = lane; i < ${k * n}u; i += ${lanes}u) { b[i] = f16(f32((i / ${n}u * 2u + i % ${n}u * 3u) % 5u) - 2.0); }
  workgroupBarrier();
  let first = subgroupMatrixLoad<subgroup_matrix_left<f16, ${k}, ${m}>, row_major>(&a, 0u, ${k}u);
  let second = subgroupMatrixLoad<subgroup_matrix_right<f16, ${n}, ${k}>, row_major>(&b, 0u, ${n}u);
  let sum = subgroupMatrixMultiplyAccumulate(first, second, subgroup_matrix_result<f32, ${n}, ${m}>());
  subgroupMatrixStore<row_major>(&y, 0u, sum, ${n}u);
}`;
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const made = device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  made.catch(() => undefined);
  if ((await device.popErrorScope()) !== null) return false;
  const pipeline = await made;
  const y = device.createBuffer({ size: 4 * m * n, usage: 128 | 4 });
  const read = device.createBuffer({ size: 4 * m * n, usage: 1 | 8 });
  try {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [{ binding: 0, resource: { buffer: y } }];
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, read, 0, 4 * m * n);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(1);
    const results = new Float32Array(read.getMappedRange());
    return results.every((value, i) => {
      let sum = 0;
      for (let j = 0; j < k; j++) sum += left(Math.floor(i / n), j) * right(j, i % n);
      return value === sum;
    });
  } finally {
    y.destroy();
    read.destroy();
  }
}
