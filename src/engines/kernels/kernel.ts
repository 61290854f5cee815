/**
 * What a WebAssembly implementation of a fused operation says about itself.
 *
 * A plan is plain data: it is made on the thread that compiles and carried to the thread that runs.
 */

import type { Node } from '../../tensor/index.ts';

/** A WebAssembly implementation of one fused operation, or of a primitive that the runtime is slow at. */
export interface Kernel {
  /** The operation's name. */
  readonly name: string;
  /** The runtime can run the definition, only more slowly: given up where operands are more than memory can hold. */
  readonly dispensable?: boolean;
  /** How to call it for this node, or undefined if these shapes or options are not supported: then the
   * definition runs. */
  plan(node: Node): KernelCall | undefined;
}

/** One call of an export. */
export interface KernelCall {
  /** The WebAssembly export. */
  readonly entry: string;
  readonly args: readonly KernelArg[];
  /** Bytes of uninitialised memory that the call may use, at the pointer `'scratch'`. */
  readonly scratchBytes?: number;
  /** An input and an output that may be the same memory: used where nobody reads the input afterwards. */
  readonly inPlace?: { readonly input: number; readonly output: number };
  /** Present for an entry that several threads run at once; no operand may be empty. */
  readonly threaded?: Threaded;
}

/**
 * How threads share a call. Each thread calls the entry with scratch memory of its own, and they take jobs
 * (tiles of rays, rows) from the 32-bit number at `'counter'`, which starts at 0. A job's results must not
 * depend on who does it.
 */
export interface Threaded {
  readonly kept?: KeptInput;
  /** Bytes of uninitialised memory that all threads see, at `'shared'`. */
  readonly sharedBytes?: number;
  /** Another threaded entry, run when every thread is done with the first: it sees the same memory. */
  readonly finish?: { readonly entry: string; readonly args: readonly KernelArg[] };
}

/** An input that another threaded entry first brings into a layout of its own, at `'kept'`. It stays there, and is
 * not laid out again, for as long as the same resident value is given. */
export interface KeptInput {
  readonly input: number;
  readonly entry: string;
  readonly args: readonly KernelArg[];
  readonly bytes: number;
}

/** A number as it is, or where an input, an output or the scratch memory lies (a byte offset). An empty
 * tensor has no place: its pointer is 0. */
export type KernelArg =
  | number
  | { readonly input: number }
  | { readonly output: number }
  | 'scratch'
  | 'counter'
  | 'shared'
  | 'kept';

/** WebAssembly that imports `env.memory` and exports the entries. */
export interface KernelCode {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The same with relaxed SIMD, used where it is to be had. */
  readonly relaxed?: Uint8Array<ArrayBuffer>;
  /** Bytes at the start of the memory that belong to the module: its static data. */
  readonly reservedBytes: number;
}

/** Kernels and the module that holds their code. */
export interface KernelModule extends KernelCode {
  readonly kernels: readonly Kernel[];
}
