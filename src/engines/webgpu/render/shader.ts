/** Small things that the renderer's shaders share: literals, bindings of floats, mathematics, grids of workgroups. */

import type { Tensor } from '../../../tensor/index.ts';
import { type Bound, type Operand, type Planning, spread } from '../kernel.ts';

/** A number as a WGSL expression. */
export const literal = (value: number): string => `f32(${Math.fround(value)})`;

/** Binds floats of a node as they are stored, in vectors of `lanes`; shaders wrap what they read in `f32` or
 * `vec4<f32>`. */
export function floats(
  planning: Planning,
  name: string,
  tensor: Tensor,
  at: Operand,
  { lanes = 1, write = false }: { lanes?: 1 | 4; write?: boolean } = {},
): Bound {
  const storage = planning.storageOf(tensor);
  return { name, at, type: lanes === 1 ? storage : `vec4<${storage}>`, write };
}

/** A WGSL expression that stores `value` in an element of this type. */
export function stored(type: string, value: string): string {
  if (!type.endsWith('f16') && !type.endsWith('f16>')) return value;
  const whole = type.startsWith('vec4');
  const bound = whole ? (sign: string) => `vec4<f32>(${sign}65504.0)` : (sign: string) => `${sign}65504.0`;
  return `${type}(clamp(${value}, ${bound('-')}, ${bound('')}))`;
}

/** Declares `i`, the number of this invocation over all workgroups of `threads`. */
export const INVOCATION = /* wgsl */ `
  let i = (group.x + group.y * groups.x) * THREADS + local;`;

/** The entry point of a shader whose threads stand in one line. */
export const entry = (threads: number, body: string): string => /* wgsl */ `
const THREADS = ${threads}u;
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {${body}
}`;

/** Workgroups for a number of threads. */
export const groupsFor = (planning: Planning, count: number, each: number): [number, number, number] =>
  spread(Math.ceil(count / each), planning.abilities.limits.maxComputeWorkgroupsPerDimension);

/** Infinity cannot be written in WGSL: outputs that hold it are bound as words. */
export const INFINITY = '0x7f800000u';

/** ln(1 + e^x), right to one part in 2^21 of 1. */
export const SOFTPLUS = /* wgsl */ `
fn softplus(x: vec4<f32>) -> vec4<f32> {
  return max(x, vec4<f32>(0.0)) + log(1.0 + exp(-abs(x)));
}`;

/** ln(1 + e^x) whose small results keep their digits: ln(1 + u) = 2 artanh(u / (2 + u)). And 1 - e^-y, which keeps
 * its digits too: that of thin fog. */
export const MARCHING = /* wgsl */ `
fn softplusExact(x: f32) -> f32 {
  let u = exp(-abs(x));
  let s = u / (u + 2.0);
  let z = s * s;
  var p = z * 0.23224328 + 0.21706576;
  p = p * z + 0.28592358;
  p = p * z + 0.39999706;
  p = p * z + 0.66666667;
  return max(x, 0.0) + (p * z * s + (s + s));
}
fn opacityOf(y: f32) -> f32 {
  let small = y * (1.0 - y * (0.5 - y * (1.0 / 6.0 - y * (1.0 / 24.0 - y * (1.0 / 120.0 - y / 720.0)))));
  return select(1.0 - exp(-y), small, abs(y) < 0.3);
}`;
