/** Shaders of reductions, whose operand may be an expression. */

import { type Node, sizeOf, stridesOf } from '../../tensor/index.ts';
import { nodeLabel } from '../node-label.ts';
import { spread } from './kernel.ts';
import { helperCode, literal, wgslType } from './operations.ts';
import { type Draft, type DraftContext, elementNumber, reading, shader, storable } from './shaders.ts';

type Combine = Readonly<Record<string, (a: string, b: string) => string>>;

const WHOLE: Combine = {
  reduceSum: (a, b) => `${a} + ${b}`,
  reduceMax: (a, b) => `max(${a}, ${b})`,
  reduceMin: (a, b) => `min(${a}, ${b})`,
};

/** NaN stays. */
const FLOAT: Combine = {
  reduceSum: (a, b) => `${a} + ${b}`,
  reduceMax: (a, b) => `larger(${a}, ${b})`,
  reduceMin: (a, b) => `smaller(${a}, ${b})`,
};

/** A value that changes nothing, in WGSL. */
function neutral(op: string, isWhole: boolean, helpers: Set<string>): string {
  if (op === 'reduceSum') return isWhole ? '0' : '0.0';
  const isLow = op === 'reduceMax';
  if (isWhole) return isLow ? 'i32(-2147483648)' : '2147483647';
  return literal(isLow ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY, 'float32', helpers);
}

/** Up to this many numbers are summed by one thread. */
const SERIAL = 32;
/** A workgroup takes no more than this many numbers where there would be too few workgroups. */
const CHUNK = 4096;
/** Enough workgroups to keep a device busy. */
const ENOUGH = 512;

/** A reduction: by a thread a result, by a workgroup a result, or in two steps. */
export function reduction(node: Node, context: DraftContext): Draft[] {
  const [x] = node.inputs;
  const [out] = node.outputs;
  const axes = node.attrs.axes as readonly number[];
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const count = sizeOf(out.shape);
  const size = axes.reduce((total, axis) => total * x.shape[axis], 1);
  const strides = stridesOf(x.shape);
  const { emitter, bound } = reading(context);
  const at = (index: string, among: readonly number[]): string => {
    let step = 1;
    const terms = [...among].reverse().flatMap((axis, i) => {
      const extent = x.shape[axis];
      const quotient = step === 1 ? index : `(${index} / ${step}u)`;
      const term = i === among.length - 1 ? quotient : `${quotient} % ${extent}u`;
      step *= extent;
      return extent === 1 ? [] : [`(${term}) * ${strides[axis]}u`];
    });
    return terms.join(' + ') || '0u';
  };
  const helpers = new Set<string>();
  const isWhole = out.dtype === 'int32';
  const type = wgslType(out.dtype);
  const start = neutral(node.op.name, isWhole, helpers);
  if (!isWhole && node.op.name !== 'reduceSum')
    helpers.add(node.op.name === 'reduceMax' ? 'larger' : 'smaller');
  const combine = (isWhole ? WHOLE : FLOAT)[node.op.name];
  const storage = context.storageOf(out);
  const result = { name: 'y', place: { tensor: out }, type: storage, write: true } as const;
  const label = nodeLabel(node);
  const value = size === 0 ? start : emitter.value(x, 'j');
  for (const helper of emitter.helpers) helpers.add(helper);
  const loop = (from: string, step: string, end: string): string[] => [
    `var sum: ${type} = ${start};`,
    ...(size === 0 ? [] : steps(from, step, end)),
  ];
  const steps = (from: string, step: string, end: string): string[] => [
    `for (var r = ${from}; r < ${end}; r += ${step}) {`,
    `let j = base + ${at('r', axes)};`,
    ...emitter.lines,
    `sum = ${combine('sum', value)};`,
    '}',
  ];
  const rows = axes.every((axis) => axis >= x.shape.length - axes.length);
  if (size <= SERIAL || (!rows && count >= 1 << 14 && size <= 1024)) {
    const body = [
      ...elementNumber(count, context.width),
      `let base = ${at('i', kept)};`,
      ...loop('0u', '1u', `${size}u`),
      `y[i] = ${storable('sum', storage, out)};`,
    ];
    return [
      {
        label,
        code: shader(context.width, { helpers: helperCode(helpers), body }),
        bound: [...bound, result],
        groups: spread(Math.ceil(count / context.width), context.mostGroups),
      },
    ];
  }
  const parts = count >= ENOUGH ? 1 : Math.min(Math.ceil(size / CHUNK), Math.ceil(ENOUGH / count));
  const chunk = Math.ceil(size / parts);
  const gather = (write: string): string[] => [
    'partial[lane] = sum;',
    'workgroupBarrier();',
    `for (var half = ${context.width / 2}u; half > 0u; half /= 2u) {`,
    `if (lane < half) { partial[lane] = ${combine('partial[lane]', 'partial[lane + half]')}; }`,
    'workgroupBarrier();',
    '}',
    `if (lane == 0u) { ${write} }`,
  ];
  const before = `var<workgroup> partial: array<${type}, ${context.width}>;`;
  const whole = [
    'let w = group.y * groups.x + group.x;',
    `if (w >= ${count * parts}u) { return; }`,
    parts === 1 ? 'let i = w;' : `let i = w / ${parts}u;`,
    parts === 1 ? '' : `let first = (w % ${parts}u) * ${chunk}u;`,
    `let base = ${at('i', kept)};`,
    ...(parts === 1
      ? loop('lane', `${context.width}u`, `${size}u`)
      : loop('first + lane', `${context.width}u`, `min(first + ${chunk}u, ${size}u)`)),
  ];
  const first = {
    label,
    groups: spread(count * parts, context.mostGroups),
  };
  if (parts === 1) {
    const body = [...whole, ...gather(`y[i] = ${storable('partial[0]', storage, out)};`)];
    return [
      {
        ...first,
        code: shader(context.width, { helpers: helperCode(helpers), before, body }),
        bound: [...bound, result],
      },
    ];
  }
  const body = [...whole, ...gather('parts[w] = partial[0];')];
  const rest = [
    ...elementNumber(count, context.width),
    `var sum: ${type} = ${start};`,
    `for (var r = 0u; r < ${parts}u; r++) { sum = ${combine('sum', `parts[i * ${parts}u + r]`)}; }`,
    `y[i] = ${storable('sum', storage, out)};`,
  ];
  return [
    {
      ...first,
      code: shader(context.width, { helpers: helperCode(helpers), before, body }),
      bound: [...bound, { name: 'parts', place: { scratch: 0 }, type, write: true }],
      scratch: [4 * count * parts],
    },
    {
      label,
      code: shader(context.width, { helpers: helperCode(helpers), body: rest }),
      bound: [{ name: 'parts', place: { scratch: 0 }, type }, result],
      groups: spread(Math.ceil(count / context.width), context.mostGroups),
    },
  ];
}
