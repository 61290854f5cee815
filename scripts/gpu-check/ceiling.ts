/**
 * What the device gives to plain shaders: multiply-adds in registers, products in matrix units, a copy.
 *
 * Rates of our own kernels are put beside these, not beside a data sheet.
 */

import { bufferOf, drawn } from '../../bench/webgpu/device.ts';
import { COPY_SHADER, timedShader } from '../../bench/webgpu/own-shaders.ts';
import { abilitiesOf } from '../../src/engines/webgpu/device.ts';
import type { MatrixUnit } from '../../src/engines/webgpu/kernel.ts';
import type { Gpu } from './gpu.ts';
import { type Fields, round, type Section } from './record.ts';

const THREADS = 256;
/** Vectors of four that a thread keeps multiplying, each waiting for itself alone. */
const CHAINS = 8;

const each = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** `CHAINS` vectors times a number plus a number, over and over; both come from a buffer, so nothing is folded. */
function multiplyAddShader(type: 'f32' | 'f16', rounds: number): string {
  return `${type === 'f16' ? 'enable f16;' : ''}
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<${type}>>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = vec4<${type}>(x[0], x[1], x[2], x[3]);
  let a = vec4<${type}>(x[4], x[5], x[6], x[7]);
${each(CHAINS, (i) => `  var s${i} = vec4<${type}>(x[${i} + id.x % 64]);`)}
  for (var round = 0u; round < ${rounds}u; round++) {
${each(4, () => each(CHAINS, (i) => `    s${i} = fma(s${i}, m, a);`))}
  }
  y[id.x] = ${Array.from({ length: CHAINS }, (_, i) => `s${i}`).join(' + ')};
}`;
}

/** Four products a subgroup that add to themselves. */
function matrixShader({ m, n, k, component, result }: MatrixUnit, rounds: number): string {
  const results = [0, 1, 2, 3];
  return `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
@group(0) @binding(0) var<storage, read> x: array<${component}>;
@group(0) @binding(1) var<storage, read_write> y: array<${result}>;
var<workgroup> left: array<${component}, ${m * k}>;
var<workgroup> right: array<${component}, ${k * n}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32,
        @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_size) lanes: u32) {
  for (var i = index; i < ${m * k}u; i += ${THREADS}u) { left[i] = x[i]; }
  for (var i = index; i < ${k * n}u; i += ${THREADS}u) { right[i] = x[i]; }
  workgroupBarrier();
  let a = subgroupMatrixLoad<subgroup_matrix_left<${component}, ${k}, ${m}>, row_major>(&left, 0u, ${k}u);
  let b = subgroupMatrixLoad<subgroup_matrix_right<${component}, ${n}, ${k}>, row_major>(&right, 0u, ${n}u);
${results.map((i) => `  var s${i} = subgroup_matrix_result<${result}, ${n}, ${m}>();`).join('\n')}
  for (var round = 0u; round < ${rounds}u; round++) {
${results.map((i) => `    s${i} = subgroupMatrixMultiplyAccumulate(a, b, s${i});`).join('\n')}
  }
  let at = (group.x * (${THREADS}u / lanes) + subgroup) * ${results.length * m * n}u;
${results.map((i) => `  subgroupMatrixStore<row_major>(&y, at + ${i * m * n}u, s${i}, ${n}u);`).join('\n')}
}`;
}

export async function ceilingSection(gpu: Gpu, section: Section): Promise<void> {
  const { device, small, precisions } = gpu;
  const groups = small ? 1 : 4096;
  for (const precision of precisions) {
    const type = precision === 'half' ? 'f16' : 'f32';
    await section.row(`multiply-add, ${type}`, async () => {
      const rounds = small ? 16 : 512;
      const x = bufferOf(device, drawn(type === 'f16' ? 'float16' : 'float32', 128, 0.1));
      const y = bufferOf(device, new Uint8Array(groups * THREADS * 16));
      const ms = await timedMs(gpu, multiplyAddShader(type, rounds), [x, y], [groups, 1]);
      return rateOf(groups * THREADS * rounds * 4 * CHAINS * 8, ms);
    });
  }
  const lanes = device.adapterInfo.subgroupMaxSize || 32;
  for (const unit of abilitiesOf(device).matrixUnits) {
    const { m, n, k, component, result } = unit;
    await section.row(`matrix units, ${m} x ${n} x ${k}, ${component} to ${result}`, async () => {
      const rounds = 2048;
      const x = bufferOf(device, drawn(component === 'f16' ? 'float16' : 'float32', 1024, 0.01));
      const y = bufferOf(device, new Uint8Array(groups * (THREADS / lanes) * 4 * m * n * 4));
      const ms = await timedMs(gpu, matrixShader(unit, rounds), [x, y], [groups, 1]);
      return rateOf(groups * (THREADS / lanes) * 4 * rounds * 2 * m * n * k, ms);
    });
  }
  await section.row('copy', async () => {
    const bytes = small ? 2 ** 16 : 2 ** 28;
    const buffers = [0, 1].map(() => bufferOf(device, new Uint8Array(bytes)));
    const count = bytes / 16 / THREADS;
    const wide = Math.min(count, 32_768);
    const ms = await timedMs(gpu, COPY_SHADER, buffers, [wide, count / wide]);
    return { ms, gigabytesPerSecond: round((2 * bytes) / ms / 1e6) };
  });
  await section.row('a submission of one workgroup', async () => {
    const buffers = [0, 1].map(() => bufferOf(device, new Uint8Array(THREADS * 16)));
    return { ms: await timedMs(gpu, COPY_SHADER, buffers, [1, 1]) };
  });
}

function rateOf(flop: number, ms: number): Fields {
  return { ms, teraflops: round(flop / ms / 1e9) };
}

async function timedMs(
  gpu: Gpu,
  code: string,
  buffers: readonly GPUBuffer[],
  groups: readonly [number, number],
): Promise<number> {
  const [, ms] = await timedShader(gpu, code, buffers, groups);
  for (const buffer of buffers) buffer.destroy();
  return round(ms);
}
