/** Shaders of the dense kernels that a software adapter cannot run: checked by Dawn without a device, and their matrix
 * units played by functions. */

import type { Abilities, KernelCall, MatrixUnit } from '../../src/engines/webgpu/kernel.ts';
import { shaderOf } from '../../src/engines/webgpu/kernel.ts';

/** What Dawn says against the shaders of a call; empty when it takes them. */
export async function complaints(device: GPUDevice, { dispatches }: KernelCall): Promise<string[]> {
  const found: string[] = [];
  for (const { code, bound, label } of dispatches) {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code: shaderOf(code, bound) });
    const { messages } = await module.getCompilationInfo();
    device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
    const error = await device.popErrorScope();
    found.push(...messages.map(({ lineNum, message }) => `${label}, line ${lineNum}: ${message}`));
    if (error !== null) found.push(`${label}: ${error.message}`);
  }
  return found;
}

/** Abilities of a GPU as they matter to the dense kernels. */
export function gpuAbilities(device: GPUDevice, units: readonly MatrixUnit[]): Partial<Abilities> {
  return {
    ...{ limits: device.limits, half: true, software: false },
    ...{ subgroups: { least: 32, most: 32 }, matrixUnits: units },
  };
}

/** The call with a thread's own arrays in place of a subgroup's matrices, and single precision in place of half. The
 * call must be planned for subgroups of one thread. */
export function withPlayedUnits(call: KernelCall, { m, n, k }: MatrixUnit): KernelCall {
  const played = `
fn load_left(offset: u32, pitch: u32) -> array<f32, ${m * k}> {
  var values: array<f32, ${m * k}>;
  for (var i = 0u; i < ${m * k}u; i++) {
    let row = i / ${k}u;
    values[i] = aTile[offset + i % ${k}u * pitch + row / 4u][row % 4u];
  }
  return values;
}
fn load_right(offset: u32, pitch: u32) -> array<f32, ${k * n}> {
  var values: array<f32, ${k * n}>;
  for (var i = 0u; i < ${k * n}u; i++) {
    let column = i % ${n}u;
    values[i] = bTile[offset + i / ${n}u * pitch + column / 4u][column % 4u];
  }
  return values;
}
fn multiply(left: array<f32, ${m * k}>, right: array<f32, ${k * n}>, sums: array<f32, ${m * n}>) -> array<f32, ${m * n}> {
  var a = left;
  var b = right;
  var values = sums;
  for (var i = 0u; i < ${m * n}u; i++) {
    for (var j = 0u; j < ${k}u; j++) { values[i] += a[i / ${n}u * ${k}u + j] * b[j * ${n}u + i % ${n}u]; }
  }
  return values;
}
fn store_result(offset: u32, given: array<f32, ${m * n}>, pitch: u32) {
  var values = given;
  for (var i = 0u; i < ${m * n}u; i++) { results[offset + i / ${n}u * pitch + i % ${n}u] = values[i]; }
}`;
  const single = (text: string): string => text.replace(/\bf16\b/g, 'f32');
  const translate = (code: string): string => {
    if (!code.includes('subgroup_matrix')) return single(code);
    return `${single(code)
      .replace(
        ', @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_size) lanes: u32, @builtin(subgroup_invocation_id) lane: u32',
        '',
      )
      .replace('let job =', 'let subgroup = index;\nlet lanes = 1u;\nlet lane = 0u;\nlet job =')
      .replace(/subgroup_matrix_result<[^>]*>\(\)/g, `array<f32, ${m * n}>()`)
      .replace(/subgroupMatrixLoad<subgroup_matrix_left<[^>]*>, col_major>\(&aTile, /g, 'load_left(')
      .replace(/subgroupMatrixLoad<subgroup_matrix_right<[^>]*>, row_major>\(&bTile, /g, 'load_right(')
      .replace(/subgroupMatrixMultiplyAccumulate\(/g, 'multiply(')
      .replace(/subgroupMatrixStore<row_major>\(&results, /g, 'store_result(')}${played}`;
  };
  return {
    dispatches: call.dispatches.map((dispatch) => ({
      ...dispatch,
      code: translate(dispatch.code),
      bound: dispatch.bound.map((bound) => ({ ...bound, type: single(bound.type) })),
    })),
    // Twice as wide as planned.
    scratch: (call.scratch ?? []).map((bytes) => 2 * bytes),
  };
}
