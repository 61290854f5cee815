/**
 * Training networks of few channels with channels in blocks, as ONNX Runtime's direct convolutions want them.
 *
 * With constant weights ONNX Runtime arranges this itself. With weights that change it convolves by unfolding,
 * which at 16 or 32 channels takes two to three times as long; its blocked operators do take weights as inputs, so we
 * arrange the blocks: an image [N, C, H, W] lies in memory as [N, C / block, H, W, block], from its first convolution
 * to its last, filters and activations included. Everything here is graph to graph; the values are the same.
 *
 * A blocked value keeps the shape [N, C, H, W] of what it stands for.
 */

import { fused } from '../../tensor/fused.ts';
import {
  type Attrs,
  apply,
  type Graph,
  inline,
  type Node,
  rewrite,
  type Tensor,
} from '../../tensor/graph.ts';
import {
  concat,
  conv2dWeightGrad,
  pad,
  reshape,
  reverse,
  sizeOf,
  slice,
  sliceAxis,
  transpose,
} from '../../tensor/index.ts';
import { conv2dPrimitive } from '../../tensor/primitives/conv2d.ts';
import type { ConvolutionAttrs } from '../../tensor/primitives/convolution.ts';
import { isElementwise } from '../../tensor/simplify.ts';

/** Above, unfolding is as fast: measured at 128 and 256 channels. */
const MOST_CHANNELS = 128;
/** Smaller images are not worth a pass of their own. */
const FROM_VALUES = 1 << 13;

/** Puts convolutions with changing weights, and what lies between them, into blocks.
 *
 * @param block numbers in a block: a property of the processor.
 */
export function blockChannels(graph: Graph, block: number): Graph {
  const changing = changingNodes(graph);
  return rewrite(graph, (node, inputs) =>
    inBlocks(node, inputs, block, (i) => changing.has(node.inputs[i].node)),
  );
}

/** Nodes that depend on an input of the program. */
function changingNodes({ nodes }: Graph): ReadonlySet<Node> {
  const changing = new Set<Node>();
  for (const node of nodes) {
    const isInput = node.op.name === 'source' && node.attrs.kind === 'input';
    if (isInput || node.inputs.some((tensor) => changing.has(tensor.node))) changing.add(node);
  }
  return changing;
}

function inBlocks(
  node: Node,
  inputs: readonly Tensor[],
  block: number,
  isChanging: (input: number) => boolean,
): readonly Tensor[] | undefined {
  const [x, y] = inputs;
  const some = inputs.some((tensor) => unwrapped(tensor) !== undefined);
  const blocked = (tensor: Tensor): Tensor => unwrapped(tensor) ?? toBlocked(tensor, block);
  const plain = (tensor: Tensor): Tensor => fromBlocked(tensor, block);
  const attrs = node.attrs as unknown as ConvolutionAttrs;
  switch (node.op.name) {
    case 'conv2d': {
      const starts = x.shape[1] < block;
      if (!isChanging(1) || !(some || starts) || !convolves(attrs, y.shape, node.outputs[0], block, starts))
        return undefined;
      return [plain(blockedConv(starts ? x : blocked(x), y, attrs, block))];
    }
    case 'conv2dTranspose':
      return some && isChanging(1) ? transposed(node, inputs, block) : undefined;
    case 'conv2dWeightGrad': {
      const image = unwrapped(x);
      return image !== undefined && isHalving(node) ? [weightByParity(image, y, block)] : undefined;
    }
    case 'fused':
      return some ? fusedInBlocks(node, inputs, block, blocked, plain) : undefined;
    default: {
      const fits = (tensor: Tensor): boolean => unwrapped(tensor) !== undefined || isNumber(tensor);
      if (!isElementwise(node.op.name) || !some || !inputs.every(fits)) return undefined;
      if (node.outputs[0].dtype !== 'float32') return undefined;
      const given = inputs.map((tensor) => unwrapped(tensor) ?? tensor);
      return [plain(apply(node.op, given, node.attrs, node.site).outputs[0])];
    }
  }
}

function isNumber({ node }: Tensor): boolean {
  const { op, inputs } = node;
  return op.name === 'broadcast' && sizeOf(inputs[0].shape) === 1;
}

/** The blocked value behind a plain one, if it is there. */
function unwrapped({ node }: Tensor): Tensor | undefined {
  return node.op.name === 'fused' && node.attrs.name === 'fromBlocked' ? node.inputs[0] : undefined;
}

function toBlocked(x: Tensor, block: number): Tensor {
  return fused('toBlocked', { block }, { x }, ({ x: given }) => ({ y: blocksOf(given, block) }))[0];
}

function fromBlocked(x: Tensor, block: number): Tensor {
  return fused('fromBlocked', { block }, { x }, ({ x: given }) => ({ y: joined(given, block) }))[0];
}

function blocksOf(x: Tensor, block: number): Tensor {
  const [batch, channels, height, width] = x.shape;
  const split = reshape(x, [batch, channels / block, block, height, width]);
  return reshape(transpose(split, [0, 1, 3, 4, 2]), x.shape);
}

function joined(x: Tensor, block: number): Tensor {
  return reshape(transpose(pixelsOf(x, block), [0, 1, 4, 2, 3]), x.shape);
}

/** [N, C / block, H, W, block] of a blocked value. */
function pixelsOf(x: Tensor, block: number): Tensor {
  const [batch, channels, height, width] = x.shape;
  return reshape(x, [batch, channels / block, height, width, block]);
}

/** Whether a convolution with that weight has a blocked form worth having. */
function convolves(
  { groups, padding }: ConvolutionAttrs,
  [out, channels]: readonly number[],
  y: Tensor,
  block: number,
  starts: boolean,
): boolean {
  return (
    groups === 1 &&
    padding.flat().every((side) => side >= 0) &&
    out % block === 0 &&
    (starts || channels % block === 0) &&
    Math.max(out, channels) <= MOST_CHANNELS &&
    sizeOf(y.shape) >= FROM_VALUES
  );
}

/** Which taps of a weight [O, C, kh, kw] a convolution has, and in which order. */
type Arrangement = {
  /** Inputs and outputs change places: the convolution is an adjoint. */
  readonly swap: boolean;
  /** Taps in reverse. */
  readonly flip: boolean;
  /** Of three taps: the even ones, last first, or the odd one alone. */
  readonly rowTaps: 'all' | 'even' | 'odd';
  readonly columnTaps: 'all' | 'even' | 'odd';
};

const AS_IT_IS: Arrangement = { swap: false, flip: false, rowTaps: 'all', columnTaps: 'all' };

function arranged(w: Tensor, { swap, flip, rowTaps, columnTaps }: Arrangement): Tensor {
  const swapped = swap ? transpose(w, [1, 0, 2, 3]) : w;
  const turned = flip ? reverse(swapped, [2, 3]) : swapped;
  return tapsOf(tapsOf(turned, 2, rowTaps), 3, columnTaps);
}

function tapsOf(w: Tensor, axis: number, taps: Arrangement['rowTaps']): Tensor {
  if (taps === 'even') return sliceAxis(reverse(w, [axis]), axis, 0, w.shape[axis], 2);
  return taps === 'odd' ? sliceAxis(w, axis, 1, 2) : w;
}

/**
 * A blocked convolution. Its weight lies as [O / block, C / block, kh, kw, C in block, O in block], and for a plain image
 * of fewer channels than a block as [O / block, C, kh, kw, O in block].
 */
function blockedConv(
  x: Tensor,
  w: Tensor,
  { stride, padding, dilation }: Omit<ConvolutionAttrs, 'groups'>,
  block: number,
  arrangement: Arrangement = AS_IT_IS,
): Tensor {
  const starts = x.shape[1] < block;
  const [weight] = fused('arrangeWeight', { ...arrangement, block }, { w }, (given) => {
    const taken = arranged(given.w, arrangement);
    const [out, channels, rows, columns] = taken.shape;
    const split = starts ? [channels, 1] : [channels / block, block];
    const blocks = reshape(taken, [out / block, block, ...split, rows, columns]);
    return { y: reshape(transpose(blocks, [0, 2, 4, 5, 3, 1]), taken.shape) };
  });
  const options = { stride, padding, dilation, block };
  return fused('blockedConv', options, { x, weight }, (given) => {
    const [out, channels, rows, columns] = weight.shape;
    const split = starts ? [channels, 1] : [channels / block, block];
    const [outer, inner] = split;
    const blocks = reshape(given.weight, [out / block, outer, rows, columns, inner, block]);
    const back = reshape(transpose(blocks, [0, 5, 1, 4, 2, 3]), weight.shape);
    const attrs = { stride, padding, dilation, groups: 1 };
    const image = starts ? given.x : joined(given.x, block);
    return { y: blocksOf(apply(conv2dPrimitive, [image, back], attrs).outputs[0], block) };
  })[0];
}

/** A transposed convolution as plain ones: one with the turned weight for stride 1, four for a 3x3 of stride 2. */
function transposed(node: Node, [x, w]: readonly Tensor[], block: number): readonly Tensor[] | undefined {
  const { stride, padding, dilation, groups } = node.attrs as unknown as ConvolutionAttrs;
  const extra = node.attrs.extra as readonly [number, number];
  const [outs, channels, rows, columns] = w.shape;
  const given = unwrapped(x)!;
  const fits = (sides: ConvolutionAttrs['padding'], y: Tensor): boolean =>
    convolves({ stride, padding: sides, dilation, groups }, [channels, outs], y, block, false);
  if (stride[0] === 1 && stride[1] === 1) {
    const side = (axis: 0 | 1, reach: number): [number, number] => [
      reach - padding[axis][0],
      reach - padding[axis][1] + extra[axis],
    ];
    const sides = [side(0, dilation[0] * (rows - 1)), side(1, dilation[1] * (columns - 1))] as const;
    if (!fits(sides, node.outputs[0])) return undefined;
    const turned = { ...AS_IT_IS, swap: true, flip: true };
    return [fromBlocked(blockedConv(given, w, { stride, padding: sides, dilation }, block, turned), block)];
  }
  const shape = [...stride, ...padding.flat(), ...extra, rows, columns, ...dilation].join();
  if (shape !== '2,2,0,0,0,0,0,0,3,3,1,1' || !fits(padding, x)) return undefined;
  // Even rows 2i hear taps 2 (of row i - 1) and 0 (of row i); odd ones tap 1 alone. So do columns.
  const around = (taps: Arrangement['rowTaps']): [number, number] => (taps === 'even' ? [1, 1] : [0, 0]);
  const phase = (rowTaps: 'even' | 'odd', columnTaps: 'even' | 'odd'): Tensor => {
    const sides = [around(rowTaps), around(columnTaps)] as const;
    const attrs = { stride: [1, 1], padding: sides, dilation } as const;
    return blockedConv(given, w, attrs, block, { swap: true, flip: false, rowTaps, columnTaps });
  };
  const phases = {
    ee: phase('even', 'even'),
    eo: phase('even', 'odd'),
    oe: phase('odd', 'even'),
    oo: phase('odd', 'odd'),
  };
  const [y] = fused('interleaveBlocked', { block }, phases, ({ ee, eo, oe, oo }) => {
    const line = (even: Tensor, odd: Tensor): Tensor =>
      interleave(joined(even, block), joined(odd, block), 3);
    return { y: blocksOf(interleave(line(ee, eo), line(oe, oo), 2), block) };
  });
  return [fromBlocked(y, block)];
}

/** Whether a weight gradient is that of a 3x3 convolution of stride 2 without padding. */
function isHalving({ attrs }: Node): boolean {
  const { stride, padding, dilation, groups } = attrs as unknown as ConvolutionAttrs;
  const kernel = attrs.kernel as readonly number[];
  return [...kernel, ...stride, ...padding.flat(), ...dilation, groups].join() === '3,3,2,2,0,0,0,0,1,1,1';
}

/** The weight gradient [O, C, 3, 3] of such a convolution, tap by tap from images of even and odd rows and columns:
 * every window is a window of one of them, without a stride.
 *
 * @param x  a blocked image
 * @param dy a plain one
 */
function weightByParity(x: Tensor, dy: Tensor, block: number): Tensor {
  const [ee, eo, oe, oo] = fused('splitBlocked', { block }, { x }, (given) => {
    const image = joined(given.x, block);
    const part = (row: number, column: number): Tensor =>
      sliceAxis(sliceAxis(image, 2, row, image.shape[2], 2), 3, column, image.shape[3], 2);
    return { ee: part(0, 0), eo: part(0, 1), oe: part(1, 0), oo: part(1, 1) };
  });
  const [height, width] = dy.shape.slice(2);
  const taps = (image: Tensor, rows: number, columns: number): Tensor => {
    // A last row or column that the strided windows did not reach is left out.
    const within = slice(
      image,
      [0, 0, 0, 0],
      [...image.shape.slice(0, 2), height + rows - 1, width + columns - 1],
    );
    return conv2dWeightGrad(within, dy, [rows, columns]);
  };
  const join = (even: Tensor, odd: Tensor, axis: number): Tensor =>
    concat([sliceAxis(even, axis, 0, 1), odd, sliceAxis(even, axis, 1, 2)], axis);
  return join(join(taps(ee, 2, 2), taps(eo, 2, 1), 3), join(taps(oe, 1, 2), taps(oo, 1, 1), 3), 2);
}

/** even[0], odd[0], even[1], ..., even[n] along an axis. */
function interleave(even: Tensor, odd: Tensor, axis: number): Tensor {
  const zeros = even.shape.map(() => 0);
  const one = even.shape.map((_, i) => (i === axis ? 1 : 0));
  const withPair = (x: Tensor): Tensor =>
    reshape(x, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)]);
  const paired = concat([withPair(even), withPair(pad(odd, zeros, one))], axis + 1);
  const shape = even.shape.map((extent, i) => (i === axis ? 2 * extent : extent));
  return slice(
    reshape(paired, shape),
    zeros,
    shape.map((extent, i) => (i === axis ? extent - 1 : extent)),
  );
}

/** Activations and filters on blocked images. */
function fusedInBlocks(
  node: Node,
  inputs: readonly Tensor[],
  block: number,
  blocked: (tensor: Tensor) => Tensor,
  plain: (tensor: Tensor) => Tensor,
): readonly Tensor[] | undefined {
  const name = node.attrs.name as string;
  const body = node.attrs.body as Graph;
  const options = { ...(node.attrs.options as Attrs), block };
  const [x, second] = inputs;
  const [, channels] = x.shape;
  if (x.shape.length !== 4 || channels % block !== 0) return undefined;
  switch (name) {
    case 'toBlocked':
      return [unwrapped(x)!];
    case 'biasAct': {
      const given = { x: blocked(x), ...(second === undefined ? {} : { bias: second }) };
      const run = (now: Record<string, Tensor>): Tensor[] => [
        joined(now.x, block),
        ...(second === undefined ? [] : [now.bias]),
      ];
      const [y] = fused(`${name}Blocked`, options, given as Record<string, Tensor>, (now) => ({
        y: blocksOf(inline(body, run(now))[0], block),
      }));
      return [plain(y)];
    }
    case 'biasActGrad': {
      const results = fused(`${name}Blocked`, options, { g: blocked(x), y: blocked(second) }, (now) => {
        const [dx, ...sums] = inline(body, [joined(now.g, block), joined(now.y, block)]);
        return { x: blocksOf(dx, block), ...(sums.length > 0 ? { bias: sums[0] } : {}) };
      });
      return [plain(results[0]), ...results.slice(1)];
    }
    case 'upfirdn2d': {
      const [y] = fused(`${name}Blocked`, options, { x: blocked(x) }, (now) => ({
        y: blocksOf(inline(body, [joined(now.x, block)])[0], block),
      }));
      return [plain(y)];
    }
    default:
      return undefined;
  }
}
