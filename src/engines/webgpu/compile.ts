/**
 * From a graph to dispatches over numbered values, and where each value lives.
 *
 * What depends on weights alone is computed once, when the program is loaded; every other intermediate value is
 * transient and shares memory with others that live at other times.
 */

import { EngineError } from '../../errors.ts';
import { inline, rewrite } from '../../tensor/graph.ts';
import { type Graph, type NdArray, type Node, simplify, sizeOf, type Tensor } from '../../tensor/index.ts';
import { nodeLabel } from '../node-label.ts';
import { baseOf } from './expression.ts';
import { isExpression, isReduction, storedTensors } from './fusion.ts';
import { GpuError } from './gpu-error.ts';
import {
  type Abilities,
  type Kernel,
  type KernelCall,
  type Operand,
  type Planning,
  type Storage,
  shaderOf,
} from './kernel.ts';
import { reduction } from './reduction.ts';
import { assembly, type Draft, type DraftContext, pointwise } from './shaders.ts';

/** - `given`: comes with each run; `weight` and `constant`: uploaded when the program is loaded.
 * - `fixed`: computed then, and kept. `result`: leaves the program. `transient`: lives between two steps. */
export type ValueKind = 'given' | 'weight' | 'constant' | 'fixed' | 'result' | 'transient' | 'faults';

export interface Value {
  readonly kind: ValueKind;
  readonly storage: Storage;
  /** A multiple of 16, at least 16. */
  readonly bytes: number;
  /** Of an input, a weight, or the first output that it is. */
  readonly name?: string;
  /** Of a constant. */
  readonly array?: NdArray;
}

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

/** Values with fewer elements stay in single precision. */
const HALF_FROM = 1 << 14;

const STORAGES = { float32: 'f32', float16: 'f16', int32: 'i32', bool: 'u32' } as const;
const BYTES: Readonly<Record<Storage, number>> = { f32: 4, f16: 2, i32: 4, u32: 4 };

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
  const probe: Planning = { abilities, half, storageOf: ({ dtype }) => STORAGES[dtype], faultOf: () => 0 };
  const kernelOf = (node: Node): Kernel | undefined =>
    byName.get(node.op.name === 'fused' ? (node.attrs.name as string) : node.op.name);
  const graph = expand(given, (node) => kernelOf(node)?.plan(node, probe) !== undefined);
  checkIndices(graph);
  checkSizes(graph);

  const reads = abilities.limits.maxStorageBuffersPerShaderStage - 2;
  const operandsOf = (node: Node): readonly Tensor[] => kernelOf(node)?.reads?.(node) ?? node.inputs;
  const stored = storedTensors(graph, { reads, operandsOf });
  const fixed = new Set<Node>();
  for (const node of graph.nodes) {
    const isInput = node.op.name === 'source' && node.attrs.kind === 'input';
    if (!isInput && node.inputs.every((tensor) => fixed.has(tensor.node))) fixed.add(node);
  }
  const outputNames = new Map<Tensor, string>();
  for (const { name, tensor } of graph.outputs) {
    const base = baseOf(tensor);
    if (sizeOf(base.shape) > 0 && !outputNames.has(base)) outputNames.set(base, name);
  }

  const values: Value[] = [];
  const numbers = new Map<Tensor | string, number>();
  const kindOf = (tensor: Tensor): ValueKind => {
    const { node } = tensor;
    if (node.op.name === 'source') return node.attrs.kind === 'input' ? 'given' : 'weight';
    if (node.op.name === 'constant') return 'constant';
    if (fixed.has(node)) return 'fixed';
    return outputNames.has(tensor) ? 'result' : 'transient';
  };
  // What such kernels read and write.
  const words = new Set<Tensor>();
  for (const node of graph.nodes) {
    if (isExpression(node) || kernelOf(node)?.single !== true) continue;
    for (const tensor of [...operandsOf(node), ...node.outputs]) words.add(baseOf(tensor));
  }
  const storageOf = (tensor: Tensor): Storage => {
    const base = baseOf(tensor);
    if (base.dtype === 'float16' && !abilities.half) return 'f32';
    const isLarge = base.shape.length === 4 && sizeOf(base.shape) >= HALF_FROM;
    const isHalf = half && isLarge && base.dtype === 'float32' && kindOf(base) === 'transient';
    return isHalf && !words.has(base) ? 'f16' : STORAGES[base.dtype];
  };
  const add = (value: Omit<Value, 'bytes'>, bytes: number, label: string): number => {
    const { maxBufferSize, maxStorageBufferBindingSize } = abilities.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (bytes > most) {
      throw new GpuError(
        'limit',
        `${given.name}: ${label} takes ${megabytes(bytes)} but a buffer of this device holds ${megabytes(most)}: use a smaller batch or picture`,
      );
    }
    return values.push({ ...value, bytes: wholeBytes(bytes) }) - 1;
  };
  const numberOf = (tensor: Tensor): number => {
    const base = baseOf(tensor);
    const { op, attrs } = base.node;
    // One source may be made by several nodes of one name.
    const key = op.name === 'source' ? `${attrs.kind}:${attrs.name}` : base;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const kind = kindOf(base);
    const storage = storageOf(base);
    const name = op.name === 'source' ? (attrs.name as string) : outputNames.get(base);
    const number = add(
      {
        kind,
        storage,
        ...(name === undefined ? {} : { name }),
        ...(kind === 'constant' ? { array: attrs.value as NdArray } : {}),
      },
      sizeOf(base.shape) * BYTES[storage],
      nodeLabel(base.node),
    );
    numbers.set(key, number);
    return number;
  };
  let faultsValue: number | undefined;
  const numberOfFaults = (): number => {
    // As long as it must be is known when all shaders are written.
    faultsValue ??= add({ kind: 'faults', storage: 'u32' }, 0, 'reports');
    return faultsValue;
  };

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
      add({ kind: 'transient', storage: 'f32' }, bytes, `${drafts[0].label} (its own memory)`),
    );
    const number = (place: Draft['bound'][number]['place']): number => {
      if (place === 'faults') return numberOfFaults();
      return 'tensor' in place ? numberOf(place.tensor) : scratch[place.scratch];
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
    value: sizeOf(tensor.shape) === 0 ? undefined : numberOf(tensor),
  }));
  if (faultsValue !== undefined) {
    values[faultsValue] = { ...values[faultsValue], bytes: wholeBytes(4 * faults.length) };
  }
  return { name: given.name, values, prologue, steps, outputs, faults };
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

/** Expands the fused operations that no kernel takes, and simplifies what that leaves. */
function expand(graph: Graph, isTaken: (node: Node) => boolean): Graph {
  let current = simplify(graph);
  for (;;) {
    let expanded = 0;
    current = rewrite(current, (node, inputs) => {
      // It means something to gradients only, and those are in the graph by now.
      if (node.op.name === 'stopGradient') {
        expanded++;
        return inputs;
      }
      if (node.op.name !== 'fused' || isTaken(node)) return undefined;
      expanded++;
      return inline(node.attrs.body as Graph, inputs);
    });
    if (expanded === 0) return current;
    current = simplify(current);
  }
}

/** Elements are numbered by 32 bits in shaders, those of values that are never stored as well. */
function checkSizes(graph: Graph): void {
  for (const node of graph.nodes) {
    for (const tensor of node.outputs) {
      if (sizeOf(tensor.shape) < 2 ** 32) continue;
      throw new GpuError(
        'limit',
        `${graph.name}: ${nodeLabel(node)} has ${sizeOf(tensor.shape)} elements; fewer than 2^32 can be numbered: use a smaller batch or picture`,
      );
    }
  }
}

/** Indices that are known now are checked now, and that there is something to take. */
function checkIndices(graph: Graph): void {
  for (const node of graph.nodes) {
    if (node.op.name !== 'gather' && node.op.name !== 'scatterAdd') continue;
    const indices = baseOf(node.inputs[1]).node;
    const axis = node.attrs.axis as number;
    const extent = (node.op.name === 'gather' ? node.inputs[0] : node.outputs[0]).shape[axis];
    if (extent === 0 && sizeOf(node.inputs[1].shape) > 0 && sizeOf(node.outputs[0].shape) > 0) {
      throw new EngineError(`${graph.name}: ${nodeLabel(node)}: index out of range: the axis is empty`);
    }
    if (indices.op.name !== 'constant') continue;
    const bad = [...((indices.attrs.value as NdArray).data as Int32Array)].find(
      (at) => at < 0 || at >= extent,
    );
    if (bad === undefined) continue;
    const site = node.site ? ` (traced at ${node.site})` : '';
    throw new EngineError(
      `${graph.name}: ${node.op.name}: index ${bad} is outside of 0..${extent - 1}${site}`,
    );
  }
}

/** A multiple of 16, at least 16. */
function wholeBytes(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}
