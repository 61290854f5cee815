import { describe, expect, it } from 'vitest';
import { FormatError, NameError, ShapeError, UsageError } from '../errors.ts';
import { readCompactBody, writeCompactBody } from './compact.ts';
import { type BodyField, bodyFromFields } from './fields.ts';
import { SMPL_PARENTS } from './model.ts';
import { poseBody } from './skinning.ts';

const VERTICES = [0, 0, 0, 0.1, 0, 0, 0, 0.1, 0, 0, 0, 0.1];
const FACES = [0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3];
const V = 4;

/** A tetrahedron in the layout of an SMPL file; every vertex follows neck and head by halves. */
function fields(changes: Record<string, BodyField | undefined> = {}): Map<string, BodyField> {
  const field = (shape: number[], value: (i: number) => number): BodyField => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
  });
  const all: Record<string, BodyField | undefined> = {
    v_template: field([V, 3], (i) => VERTICES[i]),
    f: { shape: [4, 3], data: Uint32Array.from(FACES) },
    J_regressor: field([24, V], () => 1 / V),
    kintree_table: {
      shape: [2, 24],
      data: Uint32Array.from({ length: 48 }, (_, i) => (i < 24 ? SMPL_PARENTS[i] : i - 24)),
    },
    weights: field([V, 24], (i) => (i % 24 === 12 || i % 24 === 15 ? 0.5 : 0)),
    posedirs: field([V, 3, 207], () => 0),
    shapedirs: field([V, 3, 10], () => 0),
    align_regressor: field([30, V], () => 1 / V),
    ...changes,
  };
  return new Map(Object.entries(all).filter((entry): entry is [string, BodyField] => entry[1] !== undefined));
}

const changed = (name: string, at: number, value: number): Map<string, BodyField> => {
  const field = fields().get(name) as BodyField;
  const data = Float64Array.from(field.data as ArrayLike<number>);
  data[at] = value;
  return fields({ [name]: { ...field, data } });
};

describe('body models', () => {
  it('take SMPL fields of any numeric type', () => {
    const model = bodyFromFields(fields());
    expect(model.parents).toEqual(Int32Array.from(SMPL_PARENTS));
    expect([...model.alignPoint]).toEqual([0.025, 0.025, 0.025].map(Math.fround));
    expect(Math.max(...model.canonical.map(Math.abs))).toBeCloseTo(0.075);
  });

  it('say what was assumed without an alignment regressor', () => {
    const warnings: string[] = [];
    const model = bodyFromFields(fields({ align_regressor: undefined }), {
      onWarning: (w) => warnings.push(w),
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/row 12 of J_regressor/);
    expect(model.alignPoint[0]).toBeCloseTo(0.025);
  });

  const bad: [string, () => Map<string, BodyField>, new (message: string) => Error, RegExp][] = [
    ['no field', () => fields({ posedirs: undefined }), NameError, /no "posedirs"/],
    [
      'too few joints',
      () =>
        fields({
          J_regressor: { shape: [2, V], data: new Float64Array(2 * V).fill(1 / V) },
          kintree_table: { shape: [2, 2], data: [-1, 0, 0, 1] },
          weights: { shape: [V, 2], data: new Float64Array(2 * V).fill(0.5) },
          posedirs: { shape: [V, 3, 9], data: new Float64Array(27 * V) },
        }),
      NameError,
      /needs a neck \(joint 12\).*has 2 joints/,
    ],
    [
      'a head that hangs elsewhere',
      () => changed('kintree_table', 15, 9),
      NameError,
      /head \(joint 15\) hangs on/,
    ],
    ['a parent that comes later', () => changed('kintree_table', 3, 7), FormatError, /joint 3 has parent 7/],
    ['weights of too much', () => changed('weights', 12, 0.6), FormatError, /vertex 0 sum to 1.1/],
    ['weights of NaN', () => changed('weights', 12, Number.NaN), FormatError, /vertex 0 sum to NaN/],
    ['a vertex that is no number', () => changed('v_template', 4, Number.NaN), FormatError, /NaN/],
    ['a face of nowhere', () => changed('f', 5, 4), FormatError, /face 1 names vertex 4/],
    ['a face of one edge', () => changed('f', 1, 1), FormatError, /face 0 .* degenerate/],
    [
      'a regressor of another mesh',
      () => fields({ align_regressor: { shape: [30, 3], data: new Float64Array(90) } }),
      ShapeError,
      /regressor is \[30, 3\]/,
    ],
    [
      'pose offsets of another mesh',
      () => fields({ posedirs: { shape: [3, 3, 207], data: new Float64Array(1863) } }),
      ShapeError,
      /"posedirs" is \[3, 3, 207\], expected \[4, 3, 207\]/,
    ],
  ];
  for (const [name, make, type, message] of bad) {
    it(`refuse ${name}`, () => {
      expect(() => bodyFromFields(make())).toThrow(type);
      expect(() => bodyFromFields(make())).toThrow(message);
    });
  }

  it('refuse poses that are not six numbers', () => {
    const model = bodyFromFields(fields());
    expect(() => poseBody(model, [0, 0, Number.NaN, 0, 0, 0])).toThrow(UsageError);
    expect(() => poseBody(model, [0, 0, 0])).toThrow(ShapeError);
  });
});

describe('compact bodies', () => {
  const parts = bodyFromFields(fields());
  const model = { ...parts, posedirs: undefined };
  const bytes = writeCompactBody(model);

  it('come back as they were written', () => {
    const back = readCompactBody(bytes);
    expect(writeCompactBody(back)).toEqual(bytes);
    expect(back.faces).toEqual(model.faces);
    back.template.forEach((value, i) => {
      expect(Math.abs(value - model.template[i])).toBeLessThan(2e-6);
    });
  });

  it('may start anywhere in a buffer', () => {
    const padded = new Uint8Array(bytes.length + 3);
    padded.set(bytes, 3);
    expect(readCompactBody(padded.subarray(3)).vertexCount).toBe(V);
  });

  it('refuse every truncation and every excess', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readCompactBody(bytes.subarray(0, length))).toThrow(FormatError);
    }
    expect(() => readCompactBody(Uint8Array.of(...bytes, 0))).toThrow(FormatError);
  });

  it('answer every changed byte with a body or an error of ours', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1, 128, 255]) {
        const broken = Uint8Array.from(bytes);
        broken[at] ^= flip;
        try {
          readCompactBody(broken);
        } catch (error) {
          expect([FormatError, NameError, ShapeError].some((type) => error instanceof type)).toBe(true);
        }
      }
    }
  });

  it('do not hold pose offsets', () => {
    expect(() => writeCompactBody(parts)).toThrow(UsageError);
  });
});
