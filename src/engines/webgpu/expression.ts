/**
 * WGSL of one element of a tensor, out of the elements of stored ones: chains of elementwise operations and of
 * moves (reshape, broadcast, transpose, slice, pad, reverse, concat, gather) become one expression over an index.
 *
 * An element is named by its row-major number. A move is arithmetic on that number; so nothing between two stored
 * tensors ever lies in memory.
 */

import {
  type DType,
  type NdArray,
  type Node,
  type Shape,
  sizeOf,
  stridesOf,
  type Tensor,
} from '../../tensor/index.ts';
import { splitAt } from '../../tensor/primitives/common.ts';
import { literal, operation, wgslType } from './operations.ts';

/** How an expression reaches what is outside of it. */
export interface Surroundings {
  /** WGSL of element `index` of a stored tensor, as `f32`, `i32` or `bool`; undefined if it is not stored. */
  load(tensor: Tensor, index: string): string | undefined;
  /** WGSL statement that reports an index out of range at this node. */
  fault(node: Node): string;
}

export interface Emitter {
  /** Emits what computes element `index` of a tensor, and gives the name or literal of its value. */
  value(tensor: Tensor, index: string): string;
  /** Statements so far. */
  readonly lines: readonly string[];
  /** WGSL functions that they call. */
  readonly helpers: ReadonlySet<string>;
}

/** The tensor whose bytes these are: reshapes and orderings move nothing. */
export function baseOf(tensor: Tensor): Tensor {
  let base = tensor;
  while (base.node.op.name === 'reshape' || base.node.op.name === 'after') base = base.node.inputs[0];
  return base;
}

interface Scope {
  readonly lines: string[];
  readonly known: Map<string, string>;
}

export function createEmitter(around: Surroundings): Emitter {
  const scopes: Scope[] = [{ lines: [], known: new Map() }];
  const helpers = new Set<string>();
  const numbers = new Map<Tensor, number>();
  let names = 0;

  const numberOf = (tensor: Tensor): number => {
    const known = numbers.get(tensor);
    if (known !== undefined) return known;
    numbers.set(tensor, numbers.size);
    return numbers.size - 1;
  };
  const write = (line: string): void => {
    scopes[scopes.length - 1].lines.push(line);
  };
  const once = (key: string, make: () => string): string => {
    for (const { known } of scopes) {
      const found = known.get(key);
      if (found !== undefined) return found;
    }
    const made = make();
    scopes[scopes.length - 1].known.set(key, made);
    return made;
  };
  const named = (expression: string): string => {
    if (/^\w+$/.test(expression)) return expression;
    const name = `t${names++}`;
    write(`let ${name} = ${expression};`);
    return name;
  };
  /** The statements that `body` writes, apart. */
  const within = (body: () => void): string => {
    scopes.push({ lines: [], known: new Map() });
    body();
    return scopes.pop()!.lines.join('\n');
  };

  /** `(index / step) % extent`: one coordinate. */
  const coordinate = (index: string, step: number, extent: number, isFirst: boolean): string => {
    if (extent === 1) return '0u';
    return once(`${index}/${step}%${isFirst ? 0 : extent}`, () => {
      const quotient = step === 1 ? index : `${index} / ${step}u`;
      return named(isFirst ? quotient : `(${quotient}) % ${extent}u`);
    });
  };
  const coordinates = (index: string, shape: Shape): string[] => {
    const strides = stridesOf(shape);
    const first = shape.findIndex((extent) => extent !== 1);
    return shape.map((extent, axis) => coordinate(index, strides[axis], extent, axis === first));
  };

  /** A move whose source number is `offset` plus coordinates times `steps`, neighbouring axes taken together. */
  const affine = (index: string, shape: Shape, steps: readonly number[], offset: number): string => {
    const axes: { extent: number; step: number }[] = [];
    shape.forEach((extent, axis) => {
      if (extent === 1) return;
      const last = axes[axes.length - 1];
      if (last !== undefined && last.step === steps[axis] * extent) {
        axes[axes.length - 1] = { extent: last.extent * extent, step: steps[axis] };
      } else axes.push({ extent, step: steps[axis] });
    });
    if (offset === 0 && axes.length === 1 && axes[0].step === 1) return index;
    const merged = axes.map(({ extent }) => extent);
    const strides = stridesOf(merged);
    const terms = axes.flatMap(({ extent, step }, axis) => {
      if (step === 0) return [];
      const at = coordinate(index, strides[axis], extent, axis === 0);
      if (step > 0) return [step === 1 ? at : `${at} * ${step}u`];
      const back = `(${extent - 1}u - ${at})`;
      return [step === -1 ? back : `${back} * ${-step}u`];
    });
    // A reversed axis counts down from its end: its share of the offset is in its term.
    const start =
      offset + axes.reduce((sum, { extent, step }) => (step < 0 ? sum + step * (extent - 1) : sum), 0);
    if (start > 0) terms.push(`${start}u`);
    if (terms.length === 0) return '0u';
    const expression = terms.join(' + ');
    return once(`=${expression}`, () => named(expression));
  };

  const move = (node: Node, index: string): string | undefined => {
    const [x] = node.inputs;
    const { shape } = node.outputs[0];
    switch (node.op.name) {
      case 'reshape':
      case 'after':
        return value(x, index);
      case 'broadcast': {
        const strides = stridesOf(x.shape);
        const lead = shape.length - x.shape.length;
        const steps = shape.map((_, axis) =>
          axis < lead || x.shape[axis - lead] === 1 ? 0 : strides[axis - lead],
        );
        return value(x, affine(index, shape, steps, 0));
      }
      case 'transpose': {
        const strides = stridesOf(x.shape);
        const steps = (node.attrs.permutation as readonly number[]).map((axis) => strides[axis]);
        return value(x, affine(index, shape, steps, 0));
      }
      case 'slice': {
        const { starts, steps } = node.attrs as { starts: readonly number[]; steps: readonly number[] };
        const strides = stridesOf(x.shape);
        const offset = strides.reduce((sum, stride, axis) => sum + starts[axis] * stride, 0);
        return value(
          x,
          affine(
            index,
            shape,
            strides.map((stride, axis) => stride * steps[axis]),
            offset,
          ),
        );
      }
      case 'reverse': {
        const axes = node.attrs.axes as readonly number[];
        const strides = stridesOf(x.shape);
        const turned = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
        const offset = axes.reduce((sum, axis) => sum + strides[axis] * (x.shape[axis] - 1), 0);
        return value(x, affine(index, shape, turned, offset));
      }
      case 'pad':
        return padded(node, index);
      case 'concat':
        return joined(node, index);
      case 'gather':
        return gathered(node, index);
      case 'iota': {
        const { extent, inner } = splitAt(shape, node.attrs.axis as number);
        const at = coordinate(index, inner, extent, inner * extent === sizeOf(shape));
        return named(`${wgslType(node.outputs[0].dtype)}(${at})`);
      }
      default:
        return undefined;
    }
  };

  const chosen = (dtype: DType, start: string, choose: (name: string) => void): string => {
    const name = `t${names++}`;
    write(`var ${name}: ${wgslType(dtype)} = ${start};`);
    choose(name);
    return name;
  };

  const padded = ({ inputs: [x], attrs, outputs: [out] }: Node, index: string): string => {
    const { low, value: filler } = attrs as { low: readonly number[]; value: number };
    const fill = literal(filler, x.dtype, helpers);
    if (sizeOf(x.shape) === 0) return fill;
    const strides = stridesOf(out.shape);
    const changed = out.shape.flatMap((extent, axis) => (extent === x.shape[axis] ? [] : [axis]));
    const first = out.shape.findIndex((extent) => extent !== 1);
    const inside = changed.map((axis) => {
      const at = coordinate(index, strides[axis], out.shape[axis], axis === first);
      // Below the range wraps round to large numbers.
      return `(${at} - ${low[axis]}u) < ${x.shape[axis]}u`;
    });
    return chosen(x.dtype, fill, (name) => {
      const body = within(() => {
        const sources = stridesOf(x.shape);
        const at = coordinates(index, out.shape);
        const terms = x.shape.map((extent, axis) =>
          extent === 1 ? '0u' : `(${at[axis]}${low[axis] > 0 ? ` - ${low[axis]}u` : ''}) * ${sources[axis]}u`,
        );
        const from = named(terms.filter((term) => term !== '0u').join(' + ') || '0u');
        write(`${name} = ${value(x, from)};`);
      });
      write(`if (${inside.join(' && ')}) {\n${body}\n}`);
    });
  };

  const joined = ({ inputs, attrs, outputs: [out] }: Node, index: string): string => {
    const axis = attrs.axis as number;
    const { outer, extent, inner } = splitAt(out.shape, axis);
    const at = coordinate(index, inner, extent, outer === 1);
    const parts = inputs.filter(({ shape }) => sizeOf(shape) > 0);
    return chosen(out.dtype, literal(0, out.dtype, helpers), (name) => {
      let start = 0;
      const branches = parts.map((part) => {
        const first = start;
        const count = part.shape[axis];
        start += count;
        const body = within(() => {
          const row =
            outer === 1 ? '' : `${coordinate(index, inner * extent, outer, true)} * ${count * inner}u + `;
          const column = inner === 1 ? '' : ` + ${coordinate(index, 1, inner, inner === sizeOf(out.shape))}`;
          const local = first === 0 ? at : `(${at} - ${first}u)`;
          write(`${name} = ${value(part, named(`${row}${local} * ${inner}u${column}`))};`);
        });
        return { end: start, body };
      });
      const text = branches.map(({ end, body }, i) =>
        i < branches.length - 1 ? `if (${at} < ${end}u) {\n${body}\n}` : `{\n${body}\n}`,
      );
      write(text.join(' else '));
    });
  };

  const gathered = (node: Node, index: string): string => {
    const [x, indices] = node.inputs;
    const { extent, inner } = splitAt(x.shape, node.attrs.axis as number);
    const count = sizeOf(indices.shape);
    const total = sizeOf(node.outputs[0].shape);
    const at = value(indices, coordinate(index, inner, count, count * inner === total));
    const row = named(`u32(${at})`);
    const isKnown = baseOf(indices).node.op.name === 'constant' && fits(baseOf(indices).node, extent);
    if (!isKnown) write(`if (${row} >= ${extent}u) { ${around.fault(node)} }`);
    const outer =
      count * inner === total
        ? ''
        : `${coordinate(index, count * inner, total / count / inner, true)} * ${extent * inner}u + `;
    const column = inner === 1 ? '' : ` + ${coordinate(index, 1, inner, inner === total)}`;
    return value(x, named(`${outer}min(${row}, ${extent - 1}u) * ${inner}u${column}`));
  };

  const value = (tensor: Tensor, index: string): string => {
    const { node } = tensor;
    if (node.op.name === 'constant') {
      const array = node.attrs.value as NdArray;
      if (sizeOf(array.shape) === 1) return literal(array, array.dtype, helpers);
    }
    return once(`${numberOf(tensor)}@${index}`, () => {
      const loaded = around.load(baseOf(tensor), index);
      if (loaded !== undefined) return named(loaded);
      const moved = move(node, index);
      if (moved !== undefined) return moved;
      return named(
        operation(
          node,
          node.inputs.map((input) => value(input, index)),
          helpers,
        ),
      );
    });
  };

  return { value, lines: scopes[0].lines, helpers };
}

function fits(node: Node, extent: number): boolean {
  const { data } = node.attrs.value as NdArray;
  return (data as Int32Array).every((at) => at >= 0 && at < extent);
}
