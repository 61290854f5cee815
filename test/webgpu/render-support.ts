/** Nodes of the renderer taken out of their programs, their definitions in float64, and their kernels on a device. */

import type { KernelCall, Planning } from '../../src/engines/webgpu/kernel.ts';
import { renderKernels } from '../../src/engines/webgpu/render/index.ts';
import { evaluate } from '../../src/tensor/evaluate.ts';
import { hostArrayOf } from '../../src/tensor/host.ts';
import * as t from '../../src/tensor/index.ts';
import { openDevice, planningFor, runCall } from './one-call.ts';

/** SwiftShader's extension for zeros in workgroup memory compiles one store a word: seconds a shader. */
const FLAGS = ['disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension'];

export interface Program {
  readonly graph: t.Graph;
  readonly parameters: Readonly<Record<string, t.NdArray>>;
  readonly inputs: Readonly<Record<string, t.NdArray>>;
}

/** The device, or why there is none. */
export async function deviceOrReason(): Promise<GPUDevice | string> {
  try {
    return await openDevice(FLAGS);
  } catch (error) {
    return `skipped: ${(error as Error).message}`;
  }
}

export const fusedNamed = ({ graph }: Program, name: string): t.Node => {
  const node = graph.nodes.find(({ op, attrs }) => op.name === 'fused' && attrs.name === name);
  if (node === undefined) throw new Error(`no ${name} in ${graph.name}`);
  return node;
};

/** The node's inputs in single precision. */
export function inputsOf({ graph, parameters, inputs }: Program, node: t.Node): t.NdArray[] {
  const outputs = node.inputs.map((tensor, i) => ({ name: `${i}`, tensor }));
  const values = evaluate(t.expandFused({ ...graph, outputs }), (name, kind) =>
    hostArrayOf((kind === 'input' ? inputs : parameters)[name]),
  );
  return values.map(({ dtype, shape, data }) => ({
    dtype,
    shape,
    data: dtype === 'float32' ? Float32Array.from(data) : (data as Int32Array),
  }));
}

/** The definition of a fused node, by outputs. */
export function defined(node: t.Node, inputs: readonly t.NdArray[]): t.NdArray[] {
  const body = t.expandFused(node.attrs.body as t.Graph);
  const at = new Map(body.inputs.map(({ name }, i) => [name, i]));
  return evaluate(body, (name) => hostArrayOf(inputs[at.get(name)!])).map(({ dtype, shape, data }) => ({
    dtype,
    shape,
    data: dtype === 'float32' ? Float32Array.from(data) : (data as Int32Array),
  }));
}

/** How the node's kernel is called. */
export function planned(node: t.Node, planning: Planning): KernelCall {
  const kernel = renderKernels.find(({ name }) => name === node.attrs.name);
  const call = kernel?.plan(node, planning);
  if (call === undefined) throw new Error(`no kernel for ${node.attrs.name}`);
  return call;
}

export const computed = (
  device: GPUDevice,
  node: t.Node,
  inputs: readonly t.NdArray[],
  planning = planningFor(device),
): Promise<t.NdArray[]> => runCall(device, node, planned(node, planning), inputs);
