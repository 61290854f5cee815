import { describe, expect, it } from 'vitest';
import { referenceEngine } from '../engines/reference/index.ts';
import { NameError, ShapeError } from '../errors.ts';
import * as t from './index.ts';
import {
  costOf,
  expandFused,
  f32,
  fused,
  i32,
  keyOfGraph,
  ndarray,
  parameter,
  showGraph,
  simplify,
  trace,
} from './index.ts';

const run = async (graph: t.Graph, inputs: t.Values, parameters: t.Arrays = {}) =>
  (await referenceEngine().compile(graph, { parameters })).run(inputs);

describe('tracing', () => {
  it('names operation, both shapes and the place in a shape error', () => {
    const attempt = (): unknown =>
      trace('bad', { x: f32(2, 3) }, ({ x }) => ({
        y: t.conv2d(t.reshape(x, [1, 2, 1, 3]), parameter('w', f32(4, 5, 1, 1))),
      }));
    expect(attempt).toThrow(ShapeError);
    expect(attempt).toThrow(
      /conv2d: input f32\[1,2,1,3\] has 2 channels but weight f32\[4,5,1,1\] expects 5 \(traced at graph\.test\.ts:\d+\)/,
    );
  });

  it('refuses one parameter name with two shapes', () => {
    expect(() =>
      trace('two', {}, () => ({ y: t.add(parameter('w', f32(1)), parameter('w', f32(2))) })),
    ).toThrow(/parameter "w" is f32\[1\] in one place and f32\[2\] in another/);
  });

  it('refuses inputs of another program', () => {
    const stray = t.input('stray', f32(1));
    expect(() => trace('stray', { x: f32(1) }, ({ x }) => ({ y: t.add(x, stray) }))).toThrow(NameError);
  });

  it('keeps unused inputs and drops unused parameters', () => {
    const graph = trace('unused', { x: f32(1), y: f32(1) }, ({ x }) => {
      parameter('w', f32(9));
      return { z: x };
    });
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x', 'y']);
    expect(graph.parameters).toEqual([]);
  });
});

describe('simplification', () => {
  const names = (graph: t.Graph): string[] =>
    graph.nodes.map((node) => node.op.name).filter((name) => name !== 'source');

  it('folds constants, merges equal expressions and removes moves that move nothing', () => {
    const graph = trace('simple', { x: f32(2, 3) }, ({ x }) => {
      const two = t.add(t.constant(1), t.constant(1));
      const a = t.exp(t.mul(x, two));
      const b = t.exp(t.mul(x, t.constant(2)));
      const still = t.transpose(t.transpose(t.reshape(t.reshape(a, [6]), [2, 3]), [1, 0]), [1, 0]);
      return { y: t.add(t.mul(still, 1), t.sub(b, 0)) };
    });
    expect(names(simplify(graph))).toEqual(['constant', 'broadcast', 'mul', 'exp', 'add']);
  });

  it('broadcasts late', () => {
    const graph = trace('late', { x: f32(4), y: f32(4) }, ({ x, y }) => ({
      z: t.add(t.broadcastTo(t.reshape(x, [1, 4]), [3, 4]), t.broadcastTo(t.reshape(y, [1, 4]), [3, 4])),
    }));
    expect(names(simplify(graph))).toEqual(['reshape', 'reshape', 'add', 'broadcast']);
  });

  it('keeps what NaN and infinity would show', async () => {
    const graph = simplify(
      trace('nan', { x: f32(3) }, ({ x }) => ({ zero: t.mul(x, 0), same: t.cast(t.equal(x, x), 'float32') })),
    );
    const { zero, same } = await run(graph, { x: ndarray([3], [Number.NaN, Number.POSITIVE_INFINITY, 1]) });
    expect([...zero.data]).toEqual([Number.NaN, Number.NaN, 0]);
    expect([...same.data]).toEqual([0, 1, 1]);
  });

  it('leaves values as they were on random programs', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const graph = randomProgram(seed);
      const x = ndarray(
        [2, 3],
        Array.from({ length: 6 }, (_, i) => Math.sin(seed * 7 + i)),
      );
      const before = await run(graph, { x });
      const better = simplify(graph);
      expect(better.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
      const after = await run(better, { x });
      for (const [i, value] of before.y.data.entries()) expect(after.y.data[i]).toBeCloseTo(value, 5);
    }
  });
});

/** A chain of random elementwise operations, moves and constants that ends in [2, 3]. */
function randomProgram(seed: number): t.Graph {
  let state = seed * 2654435761;
  const pick = (count: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  return trace('random', { x: f32(2, 3) }, ({ x }) => {
    const pool: t.Tensor[] = [x];
    for (let i = 0; i < 12; i++) {
      const a = pool[pick(pool.length)];
      const b = pool[pick(pool.length)];
      const made = [
        () => t.add(a, b),
        () => t.mul(a, t.tanh(b)),
        () => t.sub(a, pick(3)),
        () => t.mul(a, pick(2)),
        () => t.transpose(t.transpose(a, [1, 0]), [1, 0]),
        () => t.reshape(t.reshape(a, [3, 2]), [2, 3]),
        () => t.broadcastTo(t.reduceSum(a, [0], true), [2, 3]),
        () => t.sliceAxis(t.concat([a, b], 1), 1, 1, 4),
        () => t.maximum(a, t.constant(0.25)),
        () => t.reverse(a, [1]),
      ][pick(10)]();
      pool.push(t.tanh(made));
    }
    return { y: pool[pool.length - 1] };
  });
}

describe('text, keys and cost', () => {
  const affine = (): t.Graph =>
    trace('affine', { x: f32(4, 8) }, ({ x }) => ({ y: t.add(t.matmul(x, parameter('w', f32(8, 3))), 1) }));

  it('shows a graph in one line a node', () => {
    const text = showGraph(affine());
    expect(text).toMatch(
      /^graph affine \(x: f32\[4,8\]\) \{\n {2}%0: f32\[4,3\] = matmul\(x, @w: f32\[8,3\]\) {3}\/\/ graph\.test\.ts:\d+\n/,
    );
    expect(text).toMatch(/return y = %2\n\}$/);
  });

  it('gives equal structure an equal key, and other structure another', () => {
    expect(keyOfGraph(affine())).toBe(keyOfGraph(affine()));
    const other = trace('affine', { x: f32(4, 8) }, ({ x }) => ({
      y: t.add(t.matmul(x, parameter('w', f32(8, 3))), 2),
    }));
    expect(keyOfGraph(affine())).not.toBe(keyOfGraph(other));
  });

  it('counts multiply-adds as two and each tensor of a node once', () => {
    const cost = costOf(affine());
    expect(cost.nodes.find(({ node }) => node.op.name === 'matmul')?.flops).toBe(2 * 4 * 8 * 3);
    expect(cost.nodes.find(({ node }) => node.op.name === 'matmul')?.bytes).toBe(4 * (32 + 24 + 12));
    expect(cost.parameterBytes).toBe(4 * 24);
  });
});

describe('fused operations', () => {
  const square = (x: t.Tensor): t.Tensor =>
    fused('square', {}, { x }, (given) => ({ y: t.mul(given.x, given.x) }))[0];

  it('are one node until expanded, nested ones too', async () => {
    const graph = trace('nest', { x: f32(2) }, ({ x }) => ({
      y: fused('fourth', {}, { x }, (given) => ({ y: square(square(given.x)) }))[0],
    }));
    const kinds = (g: t.Graph): string[] => g.nodes.map((node) => String(node.attrs.name ?? node.op.name));
    expect(kinds(graph)).toEqual(['x', 'fourth']);
    expect(kinds(expandFused(graph, (name) => name === 'square'))).toEqual(['x', 'square', 'square']);
    expect(kinds(expandFused(graph))).toEqual(['x', 'mul', 'mul']);
    const { y } = await run(graph, { x: ndarray([2], [2, 3]) });
    expect([...y.data]).toEqual([16, 81]);
    expect(costOf(graph).flops).toBe(4);
  });

  it('may not reach for weights behind the back of their inputs', () => {
    expect(() =>
      fused('greedy', {}, { x: t.input('x', f32(1)) }, ({ x }) => ({ y: t.mul(x, parameter('w', f32(1))) })),
    ).toThrow(/uses parameter "w"/);
  });
});

it('float16 is storage: arithmetic on it is refused, rounding goes to the nearest even', async () => {
  const half = t.input('h', { dtype: 'float16', shape: [1] });
  expect(() => t.exp(half)).toThrow(/must be float32/);
  const graph = trace('half', { x: f32(4) }, ({ x }) => ({ y: t.cast(t.cast(x, 'float16'), 'float32') }));
  const { y } = await run(graph, { x: ndarray([4], [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65520, 2 ** -25]) });
  expect([...y.data]).toEqual([1, 1 + 2 ** -9, Number.POSITIVE_INFINITY, 0]);
});

it('integers: iota, gather out of range', async () => {
  const graph = trace('gather', { x: f32(3), i: i32(1) }, ({ x, i }) => ({
    y: t.gather(x, t.add(i, t.iota([1], 0))),
  }));
  await expect(
    run(graph, { x: ndarray([3], [1, 2, 3]), i: { dtype: 'int32', shape: [1], data: Int32Array.of(3) } }),
  ).rejects.toThrow(/index 3 is outside of 0..2/);
});
