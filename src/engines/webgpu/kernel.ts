/**
 * What a WGSL implementation of an operation says about itself: shaders, what they read and write, and how many
 * workgroups.
 *
 * Values lie in storage buffers, row-major without gaps, one buffer a value, at least 16 bytes and a multiple of 16
 * long. Booleans are 32-bit words of 0 or 1.
 */

import type { Node, Tensor } from '../../tensor/index.ts';

/** How the elements of a value lie in its buffer. */
export type Storage = 'f32' | 'f16' | 'i32' | 'u32';

/** One shape of the device's matrix units: products of [m, k] and [k, n]. */
export interface MatrixUnit {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly component: 'f16' | 'f32';
  readonly result: 'f16' | 'f32';
}

/** What shaders may count on. */
export interface Abilities {
  readonly limits: Readonly<
    Pick<
      GPUSupportedLimits,
      | 'maxBufferSize'
      | 'maxStorageBufferBindingSize'
      | 'maxStorageBuffersPerShaderStage'
      | 'maxComputeWorkgroupStorageSize'
      | 'maxComputeInvocationsPerWorkgroup'
      | 'maxComputeWorkgroupsPerDimension'
    >
  >;
  /** Shaders may say `f16`. */
  readonly half: boolean;
  /** Lanes of a subgroup, where shaders may use those. */
  readonly subgroups?: { readonly least: number; readonly most: number };
  /** Empty where there are none, or no `half`. */
  readonly matrixUnits: readonly MatrixUnit[];
  /** Runs on the CPU: short shaders are worth more than fast ones, since their compilation is what takes time. */
  readonly software: boolean;
}

/** What a kernel is planned for. */
export interface Planning {
  readonly abilities: Abilities;
  /** Dense arithmetic may round operands to half precision; sums stay in single precision. */
  readonly half: boolean;
  storageOf(tensor: Tensor): Storage;
  /** Number of this node's report: a shader that meets an index out of range sets that word of `faults` to 1. */
  faultOf(node: Node): number;
}

/** A WGSL implementation of one primitive or fused operation. */
export interface Kernel {
  /** The operation's name. */
  readonly name: string;
  /** How to run this node, or undefined for shapes and options that are not supported: then a fused operation's
   * definition runs. */
  plan(node: Node, planning: Planning): KernelCall | undefined;
  /** What it reads in place of the node's inputs, one for each: tensors that they are moves of, which then need not
   * be made. The inputs themselves where left out. */
  reads?(node: Node): readonly Tensor[];
  /** It works on 32-bit words: none of its operands and results is stored in half precision. */
  readonly single?: boolean;
}

export interface KernelCall {
  /** In order; each sees what those before it wrote. */
  readonly dispatches: readonly Dispatch[];
  /** Bytes of buffers that live for this call alone, their contents arbitrary. */
  readonly scratch?: readonly number[];
}

/** The value behind a binding: of the node's inputs, its outputs, the call's scratch buffers, or the words that report
 * indices out of range. */
export type Operand =
  | { readonly input: number }
  | { readonly output: number }
  | { readonly scratch: number }
  | { readonly faults: true };

/** A storage buffer as a shader sees it: `var<storage, read> name: array<type>`. */
export interface Bound {
  readonly name: string;
  readonly at: Operand;
  /** WGSL type of the elements. */
  readonly type: string;
  /** Bound for writing (and reading). A value may be bound for writing only once in a dispatch, and then not for
   * reading as well. */
  readonly write?: boolean;
}

export interface Dispatch {
  /** What it does, for profiles and errors. */
  readonly label: string;
  /** WGSL without the declarations of `bound` and without `enable` lines; the entry point is `main`. */
  readonly code: string;
  readonly bound: readonly Bound[];
  /** Workgroups by dimension, each at most `maxComputeWorkgroupsPerDimension`. */
  readonly groups: readonly [number, number, number];
  /** Written with zeros before it runs. */
  readonly cleared?: readonly Operand[];
}

/** WGSL of a dispatch, its buffers declared. */
export function shaderOf(code: string, bound: readonly Omit<Bound, 'at'>[]): string {
  const declarations = bound.map(
    ({ name, type, write = false }, i) =>
      `@group(0) @binding(${i}) var<storage, ${write ? 'read_write' : 'read'}> ${name}: array<${type}>;`,
  );
  const whole = [...declarations, code].join('\n');
  return [
    ...(/\bf16\b/.test(whole) ? ['enable f16;'] : []),
    ...(/\bsubgroup(?!_matrix|Matrix)\w*\(|subgroup_size|subgroup_invocation_id/.test(whole)
      ? ['enable subgroups;']
      : []),
    ...(/\bsubgroup_matrix/.test(whole) ? ['enable chromium_experimental_subgroup_matrix;'] : []),
    whole,
  ].join('\n');
}

/** Workgroups for a count of them, spread over two dimensions where one is too short: the number of a workgroup is
 * then `group.x + group.y * groups.x`. */
export function spread(count: number, most: number): [number, number, number] {
  if (count <= most) return [count, 1, 1];
  const rows = Math.ceil(count / most);
  return [Math.ceil(count / rows), rows, 1];
}
