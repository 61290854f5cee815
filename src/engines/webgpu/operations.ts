/** WGSL of elementwise operations on registers, and of literals. */

import { EngineError } from '../../errors.ts';
import { fromHalfBits } from '../../tensor/half.ts';
import type { DType, NdArray, Node } from '../../tensor/index.ts';

const TYPES: Readonly<Record<DType, string>> = { float32: 'f32', float16: 'f32', int32: 'i32', bool: 'bool' };

/** Type of a value in a register: half precision is widened when it is read. */
export function wgslType(dtype: DType): string {
  return TYPES[dtype];
}

/** Module-scope WGSL by the name that calls it. WGSL knows no infinite or undefined literals, and its compilers may
 * think that there are none: they come from bits that are variables. */
const HELPERS = {
  infinity: 'var<private> infinity_bits: u32 = 0x7f800000u;',
  nan: 'var<private> nan_bits: u32 = 0x7fc00000u;',
  power: `fn power(x: f32, y: f32) -> f32 {
  if (y == 0.0) { return 1.0; }
  if (x > 0.0) { return pow(x, y); }
  let whole = floor(y) == y;
  if (x == 0.0) { return select(0.0, 1.0 / x, y < 0.0); }
  if (!whole) { return bitcast<f32>(nan_bits); }
  let size = pow(-x, y);
  return select(size, -size, fract(y * 0.5) != 0.0);
}`,
  // Powers below 1 are fractions, which are cut off.
  wholePower: `fn whole_power(x: i32, y: i32) -> i32 {
  if (y < 0) { return select(select(0, 1 - 2 * (y & 1), x == -1), 1, x == 1); }
  var result = 1;
  var square = x;
  for (var rest = y; rest > 0; rest /= 2) {
    if ((rest & 1) == 1) { result *= square; }
    square *= square;
  }
  return result;
}`,
  // To nearest, ties to even: what the device's own conversion does is its own affair.
  toHalf: `fn to_half(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  if (size >= 0x477ff000u) { return select(x * bitcast<f32>(infinity_bits), x, size > 0x7f800000u); }
  if (size < 0x38800000u) { return round(x * 16777216.0) / 16777216.0; }
  return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u);
}`,
  isNumber: 'fn is_number(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) <= 0x7f800000u; }',
  // Of a number, the second; NaN stays NaN, whatever the device's functions make of it.
  ofNumber: 'fn of_number(x: f32, y: f32) -> f32 { return select(x, y, is_number(x)); }',
  logarithm: `fn logarithm(x: f32) -> f32 {
  let y = select(log(x), -bitcast<f32>(infinity_bits), x == 0.0);
  return select(of_number(x, y), bitcast<f32>(nan_bits), x < 0.0);
}`,
  larger:
    'fn larger(x: f32, y: f32) -> f32 { return select(x + y, max(x, y), is_number(x) && is_number(y)); }',
  smaller:
    'fn smaller(x: f32, y: f32) -> f32 { return select(x + y, min(x, y), is_number(x) && is_number(y)); }',
  // Reduced to a quarter turn in three parts (Cody and Waite 1980), then the minimax polynomials of Cephes; devices only
  // promise 2^-11.
  sine: `fn sine(x: f32, quarter: u32) -> f32 {
  let k = round(x * 0.636619772);
  let r = ((x - k * 1.5703125) - k * 4.837512969970703e-4) - k * 7.549789948768648e-8;
  let q = (u32(i32(k)) + quarter) & 3u;
  let z = r * r;
  let s = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
  let c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
  let y = select(s, c, (q & 1u) == 1u);
  return of_number(x, select(y, -y, q >= 2u));
}`,
} as const;

const NEEDS: Readonly<Record<string, readonly (keyof typeof HELPERS)[]>> = {
  power: ['nan', 'power'],
  toHalf: ['infinity', 'toHalf'],
  ofNumber: ['isNumber', 'ofNumber'],
  logarithm: ['nan', 'infinity', 'isNumber', 'ofNumber', 'logarithm'],
  larger: ['isNumber', 'larger'],
  smaller: ['isNumber', 'smaller'],
  sine: ['isNumber', 'ofNumber', 'sine'],
};

/** Declarations of all helpers named. */
export function helperCode(names: ReadonlySet<string>): string {
  const all = new Set([...names].flatMap((name) => NEEDS[name] ?? [name]));
  return [...all].map((name) => HELPERS[name as keyof typeof HELPERS]).join('\n');
}

/** A number, or the first of an array, as a WGSL expression of the type of `dtype`. */
export function literal(given: number | NdArray, dtype: DType, helpers: Set<string>): string {
  const raw = typeof given === 'number' ? given : given.data[0];
  const value = typeof given !== 'number' && dtype === 'float16' ? fromHalfBits(raw) : raw;
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  if (dtype === 'int32') return `i32(${Math.trunc(value)})`;
  if (Number.isNaN(value)) return use(helpers, 'nan', 'bitcast<f32>(nan_bits)');
  const single = Math.fround(value);
  if (!Number.isFinite(single)) {
    return use(helpers, 'infinity', `${single < 0 ? '(-' : '('}bitcast<f32>(infinity_bits))`);
  }
  const text = Object.is(single, -0) ? '-0' : String(single);
  return single < 0 || Object.is(single, -0) ? `(${text}f)` : `${text}f`;
}

function use(helpers: Set<string>, name: keyof typeof HELPERS, expression: string): string {
  helpers.add(name);
  return expression;
}

interface Rule {
  readonly helper?: keyof typeof HELPERS;
  readonly write: (x: string, y: string) => string;
}

const FLOAT: Readonly<Record<string, Rule>> = {
  exp: { helper: 'ofNumber', write: (x) => `of_number(${x}, exp(${x}))` },
  log: { helper: 'logarithm', write: (x) => `logarithm(${x})` },
  sign: { helper: 'ofNumber', write: (x) => `of_number(${x}, sign(${x}))` },
  sin: { helper: 'sine', write: (x) => `sine(${x}, 0u)` },
  cos: { helper: 'sine', write: (x) => `sine(${x}, 1u)` },
  // Beyond this it is 1 in single precision, and some drivers divide infinities.
  tanh: { helper: 'ofNumber', write: (x) => `of_number(${x}, tanh(clamp(${x}, -15.0, 15.0)))` },
  maximum: { helper: 'larger', write: (x, y) => `larger(${x}, ${y})` },
  minimum: { helper: 'smaller', write: (x, y) => `smaller(${x}, ${y})` },
  pow: { helper: 'power', write: (x, y) => `power(${x}, ${y})` },
};

const WHOLE: Readonly<Record<string, Rule>> = {
  // Nothing is divided by zero but to 0.
  div: { write: (x, y) => `select(${x} / select(${y}, 1, ${y} == 0), 0, ${y} == 0)` },
  pow: { helper: 'wholePower', write: (x, y) => `whole_power(${x}, ${y})` },
};

const ANY: Readonly<Record<string, Rule>> = {
  neg: { write: (x) => `-(${x})` },
  sqrt: { write: (x) => `sqrt(${x})` },
  abs: { write: (x) => `abs(${x})` },
  floor: { write: (x) => `floor(${x})` },
  not: { write: (x) => `!${x}` },
  add: { write: (x, y) => `${x} + ${y}` },
  sub: { write: (x, y) => `${x} - ${y}` },
  mul: { write: (x, y) => `${x} * ${y}` },
  div: { write: (x, y) => `${x} / ${y}` },
  maximum: { write: (x, y) => `max(${x}, ${y})` },
  minimum: { write: (x, y) => `min(${x}, ${y})` },
  equal: { write: (x, y) => `${x} == ${y}` },
  less: { write: (x, y) => `${x} < ${y}` },
  lessEqual: { write: (x, y) => `${x} <= ${y}` },
  and: { write: (x, y) => `${x} && ${y}` },
  or: { write: (x, y) => `${x} || ${y}` },
};

/** Names of the operations that `operation` writes. */
export const ELEMENTWISE: ReadonlySet<string> = new Set([
  ...Object.keys(ANY),
  ...Object.keys(FLOAT),
  ...['where', 'cast'],
]);

/** One elementwise operation on values that are names or literals.
 *
 * @throws EngineError for any other operation.
 */
export function operation(
  { op, inputs, outputs: [out] }: Node,
  values: readonly string[],
  helpers: Set<string>,
): string {
  const [x, y, z] = values;
  if (op.name === 'where') return `select(${z}, ${y}, ${x})`;
  if (op.name === 'cast') return castOf(x, inputs[0].dtype, out.dtype, helpers);
  // The test for NaN: a compiler that thinks that there is none would leave it out.
  if (op.name === 'equal' && x === y && inputs[0].dtype === 'float32') {
    return use(helpers, 'isNumber', `is_number(${x})`);
  }
  const rule = (inputs[0].dtype === 'int32' ? WHOLE : FLOAT)[op.name] ?? ANY[op.name];
  if (rule === undefined) throw new EngineError(`internal: ${op.name} is not elementwise`);
  return rule.helper === undefined ? rule.write(x, y) : use(helpers, rule.helper, rule.write(x, y));
}

function castOf(x: string, from: DType, to: DType, helpers: Set<string>): string {
  if (to === 'float16') {
    const single = from === 'float32' ? x : castOf(x, from, 'float32', helpers);
    return use(helpers, 'toHalf', `to_half(${single})`);
  }
  if (to === 'bool') return from === 'int32' ? `${x} != 0` : `!(${x} == 0.0)`;
  if (from === 'bool') return to === 'int32' ? `select(0, 1, ${x})` : `select(0.0, 1.0, ${x})`;
  return `${wgslType(to)}(${x})`;
}
