/**
 * From a graph to dispatches over numbered values, and where each value lives.
 *
 * What depends on weights alone is computed once, when the program is loaded; every other intermediate value is
 * transient and shares memory with others that live at other times.
 */

import { EngineError } from '../../errors.ts';
import { type Graph, type Node, sizeOf, type Tensor } from '../../tensor/index.ts';
import { nodeLabel } from '../node-label.ts';
import { baseOf } from './expression.ts';
import { isExpression, isReduction, storedTensors } from './fusion.ts';
import {
  type Abilities,
  type Kernel,
  type KernelCall,
  type Operand,
  type Planning,
  shaderOf,
} from './kernel.ts';
import { prepare } from './prepare.ts';
import { reduction } from './reduction.ts';
import { assembly, type Draft, type DraftContext, pointwise } from './shaders.ts';
import { createValues, plainStorage, type Value } from './values.ts';

export interface Step {
  readonly label: string;
  readonly shader: string;
  /** Values by binding. */
  readonly bound: readonly { readonly value: number; readonly write: boolean }[];
  readonly groups: readonly [number, number, number];
  /** Values set to zero before. */
  readonly cleared: readonly number[];
}

export interface Output {
  readonly name: string;
  /** Undefined for an output without elements. */
  readonly value: number | undefined;
}

export interface GpuProgram {
  readonly name: string;
  readonly values: readonly Value[];
  readonly prologue: readonly Step[];
  readonly steps: readonly Step[];
  readonly outputs: readonly Output[];
  /** Sources of reports of indices out of range, by word. */
  readonly faults: readonly string[];
}

export interface CompileSettings {
  readonly abilities: Abilities;
  readonly kernels: readonly Kernel[];
  /** Large intermediate values and dense arithmetic in half precision. */
  readonly half: boolean;
}

/** Compiles a graph.
 *
 * @throws EngineError for an operation without a kernel or a definition; GpuError `limit` for a value that no buffer of
 * the device can hold.
 */
export function compileProgram(given: Graph, settings: CompileSettings): GpuProgram {
  const { abilities, half } = settings;
  const byName = new Map(settings.kernels.map((kernel) => [kernel.name, kernel]));
  const faults: string[] = [];
  const faultNumbers = new Map<Node, number>();
  const faultOf = (node: Node): number => {
    const known = faultNumbers.get(node);
    if (known !== undefined) return known;
    faultNumbers.set(node, faults.length);
    return faults.push(`${nodeLabel(node)}: an index is out of range`) - 1;
  };
  // Whether a kernel takes a node must not depend on storage: nothing is stored in half precision yet.
  const probe: Planning = { abilities, half, storageOf: plainStorage, faultOf: () => 0 };
  const kernelOf = (node: Node): Kernel | undefined =>
    byName.get(node.op.name === 'fused' ? (node.attrs.name as string) : node.op.name);
  const graph = prepare(given, (node) => kernelOf(node)?.plan(node, probe) !== undefined);

  const reads = abilities.limits.maxStorageBuffersPerShaderStage - 2;
  const operandsOf = (node: Node): readonly Tensor[] => kernelOf(node)?.reads?.(node) ?? node.inputs;
  const stored = storedTensors(graph, { reads, operandsOf });
  const fixed = new Set<Node>();
  for (const node of graph.nodes) {
    const isInput = node.op.name === 'source' && node.attrs.kind === 'input';
    if (!isInput && node.inputs.every((tensor) => fixed.has(tensor.node))) fixed.add(node);
  }
  // What kernels of words read and write.
  const words = new Set<Tensor>();
  for (const node of graph.nodes) {
    if (isExpression(node) || kernelOf(node)?.single !== true) continue;
    for (const tensor of [...operandsOf(node), ...node.outputs]) words.add(baseOf(tensor));
  }
  const values = createValues(graph, { fixed, words, abilities, half });
  const { storageOf } = values;

  const context: DraftContext = {
    isStored: (tensor) => stored.has(tensor),
    storageOf,
    faultOf,
    mostGroups: abilities.limits.maxComputeWorkgroupsPerDimension,
    width: abilities.software ? 64 : 256,
  };
  const planning: Planning = { abilities, half, storageOf, faultOf };
  const stepsOf = (drafts: readonly Draft[]): Step[] => {
    const scratch = (drafts[0]?.scratch ?? []).map((bytes) =>
      values.scratch(bytes, `${drafts[0].label} (its own memory)`),
    );
    const number = (place: Draft['bound'][number]['place']): number => {
      if (place === 'faults') return values.faults();
      return 'tensor' in place ? values.of(place.tensor) : scratch[place.scratch];
    };
    return drafts.map(({ label, code, bound, groups, cleared = [] }) => ({
      label,
      shader: shaderOf(code, bound),
      bound: bound.map(({ place, write = false }) => ({ value: number(place), write })),
      groups,
      cleared: cleared.map(number),
    }));
  };
  const draftsOf = (node: Node): readonly Draft[] => {
    if (node.outputs.every(({ shape }) => sizeOf(shape) === 0)) return [];
    if (isExpression(node)) {
      const [tensor] = node.outputs;
      return stored.has(tensor) && tensor === baseOf(tensor) ? [pointwise(tensor, context)] : [];
    }
    if (isReduction(node)) return reduction(node, context);
    if (node.op.name === 'source' || node.op.name === 'constant') return [];
    if (node.op.name === 'concat') return assembly(node, context);
    if (node.inputs.some(({ shape }) => sizeOf(shape) === 0)) return node.outputs.map(zeros);
    const call = kernelOf(node)?.plan(node, planning);
    if (call === undefined) {
      const site = node.site ? ` (traced at ${node.site})` : '';
      const name = node.op.name === 'fused' ? node.attrs.name : node.op.name;
      throw new EngineError(`${given.name}: this engine has no operation "${name}"${site}`);
    }
    return draftsOfCall(node, operandsOf(node), call);
  };
  const zeros = (tensor: Tensor): Draft => ({
    label: 'zeros',
    code: '@compute @workgroup_size(1) fn main() {}',
    bound: [],
    groups: [1, 1, 1],
    cleared: [{ tensor }],
  });

  const prologue: Step[] = [];
  const steps: Step[] = [];
  for (const node of graph.nodes) (fixed.has(node) ? prologue : steps).push(...stepsOf(draftsOf(node)));
  const outputs = graph.outputs.map(({ name, tensor }) => ({
    name,
    value: sizeOf(tensor.shape) === 0 ? undefined : values.of(tensor),
  }));
  return { name: given.name, values: values.finish(faults.length), prologue, steps, outputs, faults };
}

function draftsOfCall(node: Node, operands: readonly Tensor[], { dispatches, scratch }: KernelCall): Draft[] {
  const place = (at: Operand): Draft['bound'][number]['place'] => {
    if ('input' in at) return { tensor: baseOf(operands[at.input]) };
    if ('output' in at) return { tensor: node.outputs[at.output] };
    return 'scratch' in at ? at : 'faults';
  };
  return dispatches.map(({ label, code, bound, groups, cleared }, i) => ({
    label: `${nodeLabel(node)} ${label}`,
    code,
    bound: bound.map(({ at, ...entry }) => ({ ...entry, place: place(at) })),
    groups,
    ...(cleared === undefined ? {} : { cleared: cleared.map(place) }),
    ...(i === 0 && scratch !== undefined ? { scratch } : {}),
  }));
}
