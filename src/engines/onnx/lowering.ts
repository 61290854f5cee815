/**
 * From a part of a graph to one ONNX model.
 *
 * Values are named as they are asked for. Broadcasts, reshapes, index ramps and constants become nodes only
 * where something needs them, because ONNX broadcasts by itself; an empty tensor never reaches the runtime:
 * it is a constant of no elements, and what reads one has a value that is known beforehand.
 */

import { EngineError } from '../../errors.ts';
import { type DType, type Node, type Shape, sizeOf, type Tensor, zerosFor } from '../../tensor/index.ts';
import { nodeLabel } from '../node-label.ts';
import { createModel, type ModelWriter, type OnnxAttributes, type OnnxType } from './model.ts';
import { fillOfEmpty } from './rules/empty.ts';

/** How an operation is written: its outputs' names from its node. */
export type Rule = (node: Node, lowering: Lowering) => readonly string[];
export type Rules = Readonly<Record<string, Rule>>;

/** A value under its name in the model. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
}

/** What rules write with. */
export interface Lowering {
  /** The value's name in this model, writing what it needs first. */
  value(tensor: Tensor): string;
  /** The value before broadcasts that ONNX does by itself. */
  unexpanded(tensor: Tensor): Value;
  /** Writes a node of one output. */
  emit(type: string, inputs: readonly string[], attributes?: OnnxAttributes): string;
  /** Writes a node of several outputs. */
  emitMany(
    type: string,
    inputs: readonly string[],
    count: number,
    attributes?: OnnxAttributes,
  ): readonly string[];
  /** An int64 vector: shapes, axes, pads. */
  ints(values: readonly number[]): string;
  initializer(type: OnnxType, shape: Shape, data: ArrayBufferView): string;
  /** One number as a tensor without axes. */
  scalar(type: OnnxType, value: number): string;
  expand(name: string, shape: Shape): string;
}

/** The part of a graph that becomes a model. */
export interface Part {
  readonly name: string;
  /** In topological order; sources, constants, broadcasts and reshapes need not be listed. */
  readonly nodes: readonly Node[];
  /** Values that are given at each run, by name. */
  readonly inputs: ReadonlyMap<Tensor, string>;
  /** Values that are asked for, by name. */
  readonly outputs: ReadonlyMap<Tensor, string>;
}

/** Writes one model.
 *
 * @param rules      how each operation is written.
 * @param parameter  bytes of a weight.
 * @throws EngineError for an operation without a rule, naming it and where it was traced.
 */
export function lowerPart(
  part: Part,
  rules: Rules,
  parameter: (name: string) => ArrayBufferView,
): Uint8Array<ArrayBuffer> {
  const model = createModel(part.name);
  const lowering = createLowering(part, model, rules, parameter);
  for (const [tensor, name] of part.inputs) model.input(name, tensor);
  for (const node of part.nodes) {
    if (!WRITTEN_ON_DEMAND.has(node.op.name)) lowering.write(node);
  }
  for (const [tensor, name] of part.outputs) {
    const value = lowering.value(tensor);
    if (model.exposes(value, name, tensor)) continue;
    model.output(name, tensor);
    model.node('Identity', `output ${name}`, [value], [name], {});
  }
  return model.finish();
}

/** Operations that cost a node only where another needs them. */
export const WRITTEN_ON_DEMAND: ReadonlySet<string> = new Set([
  'source',
  'constant',
  'iota',
  'broadcast',
  'reshape',
]);

function createLowering(
  part: Part,
  model: ModelWriter,
  rules: Rules,
  parameter: (name: string) => ArrayBufferView,
): Lowering & { write(node: Node): void } {
  const names = new Map<Tensor, string>(part.inputs);
  const vectors = new Map<string, string>();
  let count = 0;
  let label = '';

  const write = (node: Node): void => {
    const outer = label;
    label = nodeLabel(node);
    outputsOf(node).forEach((name, i) => {
      names.set(node.outputs[i], name);
    });
    label = outer;
  };
  const outputsOf = (node: Node): readonly string[] => {
    const empty = node.outputs.every((tensor) => sizeOf(tensor.shape) === 0);
    if (empty) {
      return node.outputs.map(({ dtype, shape }) =>
        lowering.initializer(dtype, shape, zerosFor({ dtype, shape }).data),
      );
    }
    const fill = fillOfEmpty(node);
    if (fill !== undefined) {
      return node.outputs.map(({ dtype, shape }) => lowering.expand(lowering.scalar(dtype, fill), shape));
    }
    if (node.op.name === 'source') {
      const { name, kind } = node.attrs as { name: string; kind: string };
      if (kind !== 'parameter') throw new EngineError(`internal: ${part.name} lacks its input "${name}"`);
      const [{ dtype, shape }] = node.outputs;
      return [lowering.initializer(dtype, shape, parameter(name))];
    }
    const rule = node.op.name === 'fused' ? rules[`fused:${node.attrs.name}`] : rules[node.op.name];
    if (rule === undefined) {
      const site = node.site ? ` (traced at ${node.site})` : '';
      throw new EngineError(`${part.name}: this engine has no operation "${node.op.name}"${site}`);
    }
    return rule(node, lowering);
  };

  const lowering: Lowering & { write(node: Node): void } = {
    write,
    value: (tensor) => {
      const known = names.get(tensor);
      if (known !== undefined) return known;
      if (!WRITTEN_ON_DEMAND.has(tensor.node.op.name)) {
        throw new EngineError(`internal: ${part.name} reads ${nodeLabel(tensor.node)} before it is computed`);
      }
      write(tensor.node);
      return names.get(tensor)!;
    },
    unexpanded: (tensor) => {
      let core = tensor;
      while (core.node.op.name === 'broadcast' && !part.inputs.has(core) && sizeOf(core.shape) > 0) {
        core = core.node.inputs[0];
      }
      return { name: lowering.value(core), shape: core.shape };
    },
    emit: (type, inputs, attributes) => lowering.emitMany(type, inputs, 1, attributes)[0],
    emitMany: (type, inputs, outputCount, attributes = {}) => {
      const id = count++;
      const outputs = Array.from({ length: outputCount }, (_, i) => `v${id}.${i}`);
      model.node(type, `${label}#${id}`, inputs, outputs, attributes);
      return outputs;
    },
    ints: (values) => {
      const key = values.join(',');
      let name = vectors.get(key);
      if (name === undefined) {
        name = lowering.initializer('int64', [values.length], BigInt64Array.from(values, BigInt));
        vectors.set(key, name);
      }
      return name;
    },
    initializer: (type, shape, data) => {
      const name = `c${count++}`;
      model.initializer(name, type, shape, data);
      return name;
    },
    scalar: (type, value) => lowering.initializer(type, [], scalarData(type, value)),
    expand: (name, shape) => lowering.emit('Expand', [name, lowering.ints(shape)]),
  };
  return lowering;
}

function scalarData(type: OnnxType, value: number): ArrayBufferView {
  if (type === 'int64') return BigInt64Array.of(BigInt(value));
  if (type === 'float64') return Float64Array.of(value);
  const { data } = zerosFor({ dtype: type as DType, shape: [] });
  data[0] = type === 'float16' ? halfOf(value) : value;
  return data;
}

/** The two half-precision fills that occur; anything else would need rounding. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  throw new EngineError(`internal: no float16 constant ${value}`);
}
