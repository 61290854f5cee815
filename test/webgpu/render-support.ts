/** Nodes of the renderer taken out of their programs, their definitions in float64, and their kernels on a device. */

import { carryByMaps, carryPoints, faceMaps, meshBlock } from '../../src/body/index.ts';
import type { Abilities, KernelCall, Planning } from '../../src/engines/webgpu/kernel.ts';
import { renderKernels } from '../../src/engines/webgpu/render/index.ts';
import { parametersOf } from '../../src/portrait/parameters.ts';
import { type ByMesh, type Rendered, type RenderingOptions, render } from '../../src/portrait/renderer.ts';
import { evaluate } from '../../src/tensor/evaluate.ts';
import { hostArrayOf } from '../../src/tensor/host.ts';
import * as t from '../../src/tensor/index.ts';
import { bumpySphere } from '../body-shapes.ts';
import { random, randomSource } from '../primitives/values.ts';
import { compose, decoderShapes, type Ending } from '../render-scene.ts';
import type { Seen } from '../render-scenes.ts';
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

/** The same planning with other limits. */
export function narrowed(planning: Planning, limits: Partial<Abilities['limits']>): Planning {
  const { limits: all } = planning.abilities;
  const known: Abilities['limits'] = {
    maxBufferSize: all.maxBufferSize,
    maxStorageBufferBindingSize: all.maxStorageBufferBindingSize,
    maxStorageBuffersPerShaderStage: all.maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize: all.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: all.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupsPerDimension: all.maxComputeWorkgroupsPerDimension,
  };
  return { ...planning, abilities: { ...planning.abilities, limits: { ...known, ...limits } } };
}

/** Rays through a posed sphere; moved by the block, by motions of the nearest faces, or of given ones. */
export function posedScene(
  by: 'block' | 'maps' | 'faces',
  options: RenderingOptions,
  [n, side]: readonly [number, number],
  ending: (rendered: Rendered, planes: t.Tensor, posed: t.Tensor) => Record<string, t.Tensor> = (
    rendered,
  ) => ({
    ...rendered,
  }),
): Program {
  const { vertices, faces } = bumpySphere(8, 0.15);
  const batch = 2;
  const bodies = [0.2, -0.5].map((angle) => {
    const posed = new Float32Array(vertices.length);
    for (let v = 0; v < vertices.length; v += 3) {
      const [x, y, z] = vertices.subarray(v, v + 3);
      posed[v] = Math.cos(angle) * x - Math.sin(angle) * y + 0.02;
      posed[v + 1] = Math.sin(angle) * x + Math.cos(angle) * y;
      posed[v + 2] = 1.1 * z;
    }
    return posed;
  });
  const blocks = bodies.map((posed) => meshBlock({ posed, canonical: vertices, faces, thickness: 0.25 }));
  const words = blocks[0].length;
  const next = randomSource(11);
  const face = (count: number): t.NdArray => ({
    dtype: 'int32',
    shape: [batch, n * n * count],
    data: Int32Array.from({ length: batch * n * n * count }, () => Math.floor((next() * faces.length) / 3)),
  });
  const mesh = t.zerosFor(t.i32(batch, words));
  blocks.forEach((block, i) => {
    mesh.data.set(block, i * words);
  });
  const posed = t.zerosFor(t.f32(batch, vertices.length / 3, 3));
  bodies.forEach((body, i) => {
    posed.data.set(body, i * vertices.length);
  });
  const { samples, importanceSamples } = options;
  const given: Record<string, t.NdArray> =
    by === 'faces' ? { coarse: face(samples), fine: face(importanceSamples) } : {};
  const composed = compose({ batch, n, side, options }, 5);
  const inputs = { ...composed.inputs, mesh, posed, ...given };
  const graph = t.trace('posed', inputs as Record<string, t.NdArray>, (known) => {
    const canonical = t.constant(t.ndarray([vertices.length / 3, 3], vertices));
    const maps = faceMaps(known.posed, canonical, faces);
    const carry: ByMesh['carry'] = (block, points, motions, number) =>
      motions === undefined ? carryPoints(block, points) : carryByMaps(block, points, motions, number);
    const deform: ByMesh = {
      ...{ mesh: known.mesh, carry },
      ...(by === 'block' ? {} : { maps }),
      ...(by === 'faces' ? { faces: { coarse: known.coarse, fine: known.fine } } : {}),
    };
    const rendered = render(parametersOf(decoderShapes(32)), known.planes, known.c, n, options, {}, deform);
    return ending(rendered, known.planes, known.posed);
  });
  return { graph, parameters: composed.parameters, inputs };
}

export const ALL: readonly Seen[] = ['features', 'depth', 'opacity'];

/** Gradients of the sum of what is seen, times random numbers. */
export const gradients =
  (seen: readonly Seen[], wanted: readonly string[] = ['planes', ...decoderShapes(32).keys()]): Ending =>
  (rendered, planes, decoder) => {
    const value = seen
      .map((name, i) => {
        const weights = random('float32', rendered[name].shape, 40 + i);
        return t.reduceSum(t.mul(rendered[name], t.constant(weights)));
      })
      .reduce(t.add);
    const all: Record<string, t.Tensor> = { planes, ...decoder };
    const found = t.grad(
      value,
      wanted.map((name) => all[name]),
    );
    return { value, ...Object.fromEntries(wanted.map((name, i) => [name, found[i]!])) };
  };
