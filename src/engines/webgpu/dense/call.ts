/** What the plans of dense operations share: choices that tests and benchmarks may make, and a call being built. */

import type { Node, Tensor } from '../../../tensor/index.ts';
import type { Dispatch, KernelCall, Operand, Planning, Storage } from '../kernel.ts';
import { type Product, partialBytes, productDispatches } from './product.ts';
import { type Cut, type ProductShape, tileFor } from './tile.ts';

/** Choices that otherwise follow from the shape. */
export interface DenseChoice {
  readonly cut?: Cut;
  /** Whether a convolution's weights are first put into the order of its sum. */
  readonly packed?: boolean;
  /** Whether images whose rows are whole vectors are read by them. */
  readonly wide?: boolean;
  /** Whether a convolution that allows it goes through Winograd's transform. */
  readonly winograd?: boolean;
  /** Bytes between the passes of that transform. */
  readonly portionBytes?: number;
}

/** A call whose dispatches are being gathered. */
export interface CallBuilder {
  readonly planning: Planning;
  readonly half: boolean;
  readonly dispatches: Dispatch[];
  readonly scratch: number[];
}

export function callBuilder(planning: Planning): CallBuilder {
  return { planning, half: planning.half && planning.abilities.half, dispatches: [], scratch: [] };
}

/** A buffer for this call alone. */
export function scratchOf(call: CallBuilder, bytes: number): Operand {
  call.scratch.push(bytes);
  return { scratch: call.scratch.length - 1 };
}

export function cutFor(call: CallBuilder, shape: ProductShape, choice: DenseChoice): Cut {
  return choice.cut ?? tileFor(shape, call.planning.abilities, call.half);
}

/** Appends a product, with a buffer for its partial sums where it needs one. */
export function addProduct(
  call: CallBuilder,
  product: Omit<Product, 'partial' | 'half'> & { readonly half?: boolean },
): void {
  const bytes = partialBytes(product.shape, product.cut);
  const partial: Operand = bytes === 0 ? { output: 0 } : scratchOf(call, bytes);
  call.dispatches.push(
    ...productDispatches({ half: call.half, ...product, partial }, call.planning.abilities),
  );
}

export function finished({ dispatches, scratch }: CallBuilder): KernelCall {
  return { dispatches, scratch };
}

/** Where an input lies and how it is stored. */
export function inputOf(node: Node, planning: Planning, input: number): { at: Operand; storage: Storage } {
  return { at: { input }, storage: planning.storageOf(node.inputs[input]) };
}

export function outputOf(node: Node, planning: Planning): { at: Operand; storage: Storage } {
  return { at: { output: 0 }, storage: planning.storageOf(node.outputs[0] as Tensor) };
}
