import { describe, expect, it } from 'vitest';
import { referenceEngine } from '../engines/reference/index.ts';
import { DTypeError, GradientError, ShapeError } from '../errors.ts';
import * as t from './index.ts';

const { f32, i32, input, parameter } = t;

async function run(
  graph: t.Graph,
  inputs: Record<string, readonly number[]>,
): Promise<Record<string, number[]>> {
  const program = await referenceEngine().compile(graph);
  const shapes = new Map(graph.inputs.map(({ name, tensor }) => [name, tensor.shape]));
  const arrays = Object.entries(inputs).map(
    ([name, data]) => [name, t.ndarray(shapes.get(name)!, data)] as const,
  );
  const outputs = await program.run(Object.fromEntries(arrays));
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]]));
}

const sumOfSquares = (x: t.Tensor): t.Tensor => t.reduceSum(t.mul(x, x));

describe('what has a gradient', () => {
  const x = input('x', f32(3));
  const y = input('y', f32(3));

  it('is absent where no way leads, and behind stopGradient', () => {
    const value = t.reduceSum(t.mul(x, t.stopGradient(t.exp(y))));
    const [ofX, ofY, ofZ] = t.grad(value, [x, y, input('z', f32(3))]);
    expect(ofX?.shape).toEqual([3]);
    expect(ofY).toBeUndefined();
    expect(ofZ).toBeUndefined();
  });

  it('is absent behind stopGradient after simplification as well', () => {
    const graph = t.simplify(
      t.trace('kept', { x: f32(3) }, (given) => ({
        y: t.reduceSum(t.stopGradient(t.stopGradient(given.x))),
      })),
    );
    expect(t.grad(graph.outputs[0].tensor, [graph.inputs[0].tensor])).toEqual([undefined]);
  });

  it('is zero where every way has a step on it', async () => {
    const graph = t.trace('steps', { x: f32(3), y: f32(3) }, (given) => {
      const value = t.reduceSum(t.where(t.less(given.y, 0), given.x, t.mul(given.x, 2)));
      const [ofX, ofY] = t.grad(value, [given.x, given.y]);
      return { ofX: ofX!, ofY: ofY! };
    });
    const found = await run(graph, { x: [1, 2, 3], y: [-1, 0, 1] });
    expect(found).toEqual({ ofX: [1, 2, 2], ofY: [0, 0, 0] });
  });

  it('is the total derivative where one tensor was computed from another', async () => {
    const graph = t.trace('total', { x: f32() }, (given) => {
      const square = t.mul(given.x, given.x);
      const value = t.add(t.mul(square, 3), given.x);
      const [ofX, ofSquare, ofValue] = t.grad(value, [given.x, square, value]);
      return { ofX: ofX!, ofSquare: ofSquare!, ofValue: ofValue! };
    });
    expect(await run(graph, { x: [2] })).toEqual({ ofX: [13], ofSquare: [3], ofValue: [1] });
  });

  it('counts every use of a weight, however often it was asked for', () => {
    const value = t.reduceSum(t.mul(parameter('w', f32(2)), parameter('w', f32(2))));
    const [gradient] = t.grad(value, [parameter('w', f32(2))]);
    expect(gradient?.node.op.name).toBe('add');
  });

  it('needs a cotangent for more than one number', async () => {
    const graph = t.trace('seeded', { x: f32(2), g: f32(2) }, (given) => {
      const [gradient] = t.grad(t.mul(given.x, given.x), [given.x], given.g);
      return { gradient: gradient! };
    });
    expect(await run(graph, { x: [1, 2], g: [10, 20] })).toEqual({ gradient: [20, 80] });
  });

  it('comes with the value, and with what else the program gives', () => {
    const { value, twice, gradients } = t.valueAndGrad(
      () => ({ value: sumOfSquares(x), twice: t.mul(x, 2) }),
      [x, y],
    );
    expect([value.shape, twice.shape, gradients[0]?.shape, gradients[1]]).toEqual([[], [3], [3], undefined]);
  });

  it('goes straight through half precision', async () => {
    const graph = t.trace('half', { x: f32(2) }, (given) => {
      const half = t.reshape(t.cast(given.x, 'float16'), [2, 1]);
      return { gradient: t.grad(sumOfSquares(t.cast(half, 'float32')), [given.x])[0]! };
    });
    expect(await run(graph, { x: [1 + 2 ** -11, 3] })).toEqual({ gradient: [2, 6] });
  });

  it('gives the second of two equal operands everything', async () => {
    const graph = t.trace('ties', { x: f32(3) }, (given) => {
      const of = (y: t.Tensor): t.Tensor => t.grad(t.reduceSum(y), [given.x])[0]!;
      return {
        relu: of(t.maximum(given.x, 0)),
        lrelu: of(t.biasAct(given.x, undefined, { activation: 'lrelu', gain: 1 })),
        clamp: of(t.clampAbs(given.x, 1)),
      };
    });
    const { relu, lrelu, clamp } = await run(graph, { x: [0, 1, -1] });
    expect(relu).toEqual([0, 1, 0]);
    expect(lrelu).toEqual([Math.fround(0.2), 1, Math.fround(0.2)]);
    expect(clamp).toEqual([1, 1, 1]);
  });
});

describe('errors', () => {
  const x = input('x', f32(2, 3));
  it('name the value, both shapes and the place', () => {
    const value = t.exp(x);
    expect(() => t.grad(value, [x])).toThrow(ShapeError);
    expect(() => t.grad(value, [x])).toThrow(
      /^grad: the value is f32\[2,3\], not a scalar \(traced at gradient\.test\.ts:\d+\): sum it, or give a cotangent of its shape$/,
    );
    expect(() => t.grad(value, [x], t.constant(1))).toThrow(
      /^grad: the cotangent is f32\[\] but the value is f32\[2,3\]/,
    );
    expect(() => t.grad(t.cast(t.reduceSum(x), 'int32'), [x])).toThrow(DTypeError);
    expect(() => t.grad(t.reduceSum(x), [input('k', i32(1))])).toThrow(
      'grad: tensor 0 of those asked for is i32[1]: only floats have gradients',
    );
  });

  it('name an operation without a gradient, but only on the way', () => {
    const odd: t.Primitive = { ...t.neg(x).node.op, name: 'erf' };
    const y = t.apply(odd, [x]).outputs[0];
    expect(() => t.grad(t.reduceSum(y), [x])).toThrow(GradientError);
    expect(() => t.grad(t.reduceSum(y), [x])).toThrow(
      /^grad: the operation "erf" has no gradient \(traced at gradient\.test\.ts:\d+\)$/,
    );
    const z = input('z', f32(2, 3));
    expect(t.grad(t.reduceSum(t.mul(y, z)), [z])[0]).toBeDefined();
  });

  it('in a gradient carry the place of the forward operation', () => {
    const [gradient] = t.grad(t.reduceSum(t.tanh(x)), [x]);
    expect(gradient?.node.site).toMatch(/^gradient\.test\.ts:\d+$/);
  });
});

describe('fused operations', () => {
  const both = (a: t.Tensor, b: t.Tensor): readonly t.Tensor[] =>
    t.fused('both', {}, { a, b }, (given) => ({ y: t.mul(given.a, given.b), z: t.exp(given.a) }));

  it('are differentiated through their definition, input by input', async () => {
    const graph = t.trace('twice', { x: f32(2) }, ({ x }) => {
      const doubled = t.mul(x, 2);
      return {
        repeated: t.grad(t.reduceSum(both(x, x)[0]), [x])[0]!,
        chained: t.grad(t.reduceSum(both(x, doubled)[0]), [x])[0]!,
      };
    });
    expect(await run(graph, { x: [1, 3] })).toEqual({ repeated: [2, 6], chained: [4, 12] });
  });

  it('tell which output depends on which input', () => {
    const [a, b] = [input('a', f32(2)), input('b', f32(2))];
    expect(t.grad(t.reduceSum(both(a, b)[1]), [a, b])[1]).toBeUndefined();
  });

  it('may bring a gradient of their own', async () => {
    const graph = t.trace('own', { x: f32(2) }, ({ x }) => {
      const [y] = t.fused(
        'odd',
        {},
        { x },
        (given) => ({ y: t.exp(given.x) }),
        ({ cotangents }) => ({
          x: t.mul(cotangents.y!, 7),
        }),
      );
      return { gradient: t.grad(t.reduceSum(y), [x])[0]! };
    });
    expect(await run(graph, { x: [0, 1] })).toEqual({ gradient: [7, 7] });
  });
});

describe('rematerialisation', () => {
  const program = (x: t.Tensor, again: boolean): t.Tensor => {
    const inner = t.mul(x, parameter('w', f32(4)));
    const block = () => ({ y: t.exp(t.tanh(t.mul(inner, 3))) });
    const { y } = again ? t.rematerialise('block', [inner], block) : block();
    return t.reduceSum(t.mul(y, y));
  };
  const gradientOf = (again: boolean): t.Graph =>
    t.trace('remat', { x: f32(4) }, ({ x }) => ({ gradient: t.grad(program(x, again), [x])[0]! }));
  const count = (graph: t.Graph, name: string): number =>
    t.simplify(t.expandFused(graph)).nodes.filter((node) => node.op.name === name).length;

  it('computes the inside twice, and once where nobody asked', () => {
    expect([count(gradientOf(false), 'tanh'), count(gradientOf(false), 'mul')]).toEqual([
      1,
      count(gradientOf(true), 'mul') - 1,
    ]);
    expect([count(gradientOf(true), 'tanh'), count(gradientOf(true), 'exp')]).toEqual([2, 2]);
    const forward = t.trace('forward', { x: f32(4) }, ({ x }) => ({ y: program(x, true) }));
    expect([count(forward, 'tanh'), count(forward, 'after')]).toEqual([1, 0]);
  });

  it('computes the inside again only when the cotangent is there', () => {
    const { nodes } = t.simplify(t.expandFused(gradientOf(true)));
    const tanhs = nodes.filter((node) => node.op.name === 'tanh');
    const ancestors = (node: t.Node): Set<t.Node> =>
      new Set(node.inputs.flatMap((tensor) => [tensor.node, ...ancestors(tensor.node)]));
    expect(ancestors(tanhs[1]).has(nodes.find((node) => node.op.name === 'exp')!)).toBe(true);
  });

  it('changes no value, to the second order', async () => {
    const graph = (again: boolean): t.Graph =>
      t.trace('second', { x: f32(4) }, ({ x }) => {
        const w = parameter('w', f32(4));
        const [first] = t.grad(program(x, again), [x]);
        const [ofX, ofW] = t.grad(sumOfSquares(first!), [x, w]);
        return { first: first!, ofX: ofX!, ofW: ofW! };
      });
    const values = async (again: boolean) => {
      const engine = referenceEngine();
      const w = t.ndarray([4], [0.5, -1, 0.2, 1.5]);
      const compiled = await engine.compile(graph(again), { parameters: { w } });
      return compiled.run({ x: t.ndarray([4], [1, 0.3, -0.7, 0.1]) });
    };
    const [found, expected] = [await values(true), await values(false)];
    expect(found.first).toEqual(expected.first);
    // Sums come in another order: worst measured 2.8e-6, where they cancel.
    for (const name of ['ofX', 'ofW']) {
      expected[name].data.forEach((value, i) => {
        expect(Math.abs(found[name].data[i] / value - 1)).toBeLessThan(1e-5);
      });
    }
  });
});
