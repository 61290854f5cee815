/**
 * Hand-written WGSL: matrix products tiled through workgroup memory and a copy.
 *
 * They are the measure of what the device gives to plain shaders, beside what ONNX Runtime gets out of it. They
 * take only sizes that their tiles divide, and are no engine.
 */

import { BYTES_PER_ELEMENT, type Shape } from '../../src/tensor/index.ts';
import { bufferOf, drawn, type Float, floatTypes, type Gpu, timed, USAGE } from './device.ts';
import { ms, type Report, rate } from './report.ts';

/** A product of row-major matrices: each of 16 x 16 threads makes a block of `rows` x `columns` results.
 *
 * Tiles of both operands, 16 deep, lie in workgroup memory as vectors of four.
 */
function matmulShader([m, k, n]: Shape, type: Float, rows: number, columns: number): string {
  const t = type === 'float16' ? 'f16' : 'f32';
  const [tileM, tileN, depth, quads] = [16 * rows, 16 * columns, 16, columns / 4];
  const each = (count: number, line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => line(i)).join('\n');
  return `${type === 'float16' ? 'enable f16;' : ''}
@group(0) @binding(0) var<storage, read> a: array<vec4<${t}>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<${t}>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<${t}>>;
var<workgroup> ta: array<vec4<${t}>, ${(tileM * depth) / 4}>;
var<workgroup> tb: array<vec4<${t}>, ${(tileN * depth) / 4}>;
@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) id: vec3u,
        @builtin(local_invocation_index) index: u32) {
  let row = group.y * ${tileM}u;
  let column = group.x * ${tileN / 4}u;
${each(rows * quads, (i) => `  var s${i} = vec4<f32>();`)}
  for (var at = 0u; at < ${k}u; at += ${depth}u) {
${each(
  (tileM * depth) / 1024,
  (i) => `    { let e = index + ${256 * i}u;
      ta[e] = a[(row + e / ${depth / 4}u) * ${k / 4}u + at / 4u + e % ${depth / 4}u]; }`,
)}
${each(
  (tileN * depth) / 1024,
  (i) => `    { let e = index + ${256 * i}u;
      tb[e] = b[(at + e / ${tileN / 4}u) * ${n / 4}u + column + e % ${tileN / 4}u]; }`,
)}
    workgroupBarrier();
    for (var q = 0u; q < ${depth / 4}u; q++) {
${each(quads * 4, (i) => `      let b${i} = vec4<f32>(tb[(q * 4u + ${i % 4}u) * ${tileN / 4}u + id.x + ${16 * Math.floor(i / 4)}u]);`)}
${each(rows, (r) =>
  [
    `      let a${r} = vec4<f32>(ta[(id.y * ${rows}u + ${r}u) * ${depth / 4}u + q]);`,
    each(quads, (q) =>
      each(
        4,
        (i) => `      s${r * quads + q} = fma(vec4<f32>(a${r}[${i}]), b${q * 4 + i}, s${r * quads + q});`,
      ),
    ),
  ].join('\n'),
)}
    }
    workgroupBarrier();
  }
${each(rows * quads, (i) => `  c[(row + id.y * ${rows}u + ${Math.floor(i / quads)}u) * ${n / 4}u + column + id.x + ${16 * (i % quads)}u] = vec4<${t}>(s${i});`)}
}
// ${m} x ${k} x ${n}`;
}

/** Copies vectors of four; workgroups of 256 over two dimensions. */
export const COPY_SHADER = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  y[i] = x[i];
}`;

/** Runs a pipeline over buffers, one dispatch a submission. */
export async function timedShader(
  { device, small }: Pick<Gpu, 'device' | 'small'>,
  code: string,
  buffers: readonly GPUBuffer[],
  groups: readonly [number, number],
): Promise<[number, number]> {
  device.pushErrorScope('validation');
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  const bound = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const run = async (): Promise<void> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bound);
    pass.dispatchWorkgroups(...groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
  const times = await timed(run, () => device.queue.onSubmittedWorkDone(), small);
  const error = await device.popErrorScope();
  if (error !== null) throw new Error(error.message);
  return times;
}

/** Results a thread makes, rows by columns: larger blocks read less and leave fewer threads. */
const BLOCKS = [
  [4, 4],
  [8, 4],
  [8, 8],
] as const;

/** The products and the copy, as one table. */
export async function wgslSection(gpu: Gpu, report: Report): Promise<void> {
  const { device, small } = gpu;
  report.header('Hand-written WGSL', ['kernel', 'first ms', 'ms', 'rate', 'largest error']);
  const side = small ? 128 : 1024;
  for (const type of floatTypes(device)) {
    for (const [m, k, n] of small
      ? [[side, 64, side]]
      : [
          [side, side, side],
          [4096, side, side],
        ]) {
      for (const [rows, columns] of BLOCKS) {
        const label = `matmul ${m} x ${k} x ${n}, ${type}, ${rows} x ${columns} a thread`;
        await report.row(label, async () => {
          const [a, b] = [drawn(type, m * k), drawn(type, k * n, k ** -0.5)];
          const c = new Uint8Array(m * n * BYTES_PER_ELEMENT[type]);
          const buffers = [a, b, c].map((data) => bufferOf(device, data));
          const code = matmulShader([m, k, n], type, rows, columns);
          const groups = [n / (16 * columns), m / (16 * rows)] as const;
          const [first, each] = await timedShader(gpu, code, buffers, groups);
          const error = type === 'float32' ? await checkProduct(device, buffers[2], a, b, [m, k, n]) : '';
          for (const buffer of buffers) buffer.destroy();
          return [ms(first), ms(each), rate(2 * m * k * n, 'FLOP', each), error];
        });
      }
    }
  }
  await report.row('copy', async () => {
    const bytes = small ? 2 ** 20 : 2 ** 28;
    const buffers = [0, 1].map(() => bufferOf(device, new Uint8Array(bytes)));
    const count = bytes / 16 / 256;
    const wide = Math.min(count, 32_768);
    const [first, each] = await timedShader(gpu, COPY_SHADER, buffers, [wide, count / wide]);
    for (const buffer of buffers) buffer.destroy();
    return [ms(first), ms(each), `${rate(2 * bytes, 'B', each)} read + written`, ''];
  });
}

/** Largest error of some elements of a product. */
async function checkProduct(
  device: GPUDevice,
  c: GPUBuffer,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  [m, k, n]: Shape,
): Promise<string> {
  const read = device.createBuffer({
    size: c.size,
    usage: USAGE.mapRead | USAGE.copyTarget,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(c, 0, read, 0, c.size);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(1);
  const values = new Float32Array(read.getMappedRange());
  let worst = 0;
  for (let at = 0; at < m * n; at += 997) {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let l = 0; l < k; l++) sum += a[i * k + l] * b[l * n + j];
    worst = Math.max(worst, Math.abs(sum - values[at]));
  }
  read.destroy();
  return worst.toExponential(1);
}
