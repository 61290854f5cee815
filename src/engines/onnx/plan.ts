/** A compiled program as plain data: what the thread that runs needs, and nothing else. */

import type { DType, Shape } from '../../tensor/index.ts';
import type { KeptInput, KernelArg, Threaded } from '../kernels/kernel.ts';

/** A value that lives between steps. */
export interface Slot {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Byte offset in the kernels' memory, or -1: an array of its own. */
  readonly offset: number;
}

/** A name of an ONNX model's input or output, or of the program's, and the slot behind it. */
export interface Binding {
  readonly name: string;
  readonly slot: number;
}

export interface SegmentStep {
  readonly kind: 'segment';
  readonly model: Uint8Array<ArrayBuffer>;
  readonly inputs: readonly Binding[];
  readonly outputs: readonly Binding[];
}

export interface KernelStep {
  readonly kind: 'kernel';
  readonly entry: string;
  readonly args: readonly number[];
  /** Operation and site, for errors. */
  readonly label: string;
}

/** A kernel that several threads run, in a memory of their own: operands are copied there and back. */
export interface ThreadedStep {
  readonly kind: 'threaded';
  readonly entry: string;
  /** Pointers are resolved when it runs; inputs and outputs by their numbers. */
  readonly args: readonly KernelArg[];
  /** Bytes that each thread needs. */
  readonly scratchBytes: number;
  readonly kept: KeptInput | undefined;
  readonly sharedBytes: number;
  readonly finish: Threaded['finish'];
  readonly inputs: readonly Binding[];
  readonly outputs: readonly Binding[];
  /** Operation and site, for errors. */
  readonly label: string;
}

export type Step = SegmentStep | KernelStep | ThreadedStep;

export interface ProgramOutput extends Binding {
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface Plan {
  readonly name: string;
  readonly slots: readonly Slot[];
  /** Inputs that something reads. */
  readonly inputs: readonly Binding[];
  /** The slot is -1 for an output without elements. */
  readonly outputs: readonly ProgramOutput[];
  /** Weights and constants that kernels read, written into their memory once. */
  readonly resident: readonly { readonly offset: number; readonly data: Uint8Array }[];
  /** Runs once, before the first run. */
  readonly prologue: readonly Step[];
  readonly steps: readonly Step[];
  /** Size of the kernels' memory; 0 when no kernel is called. */
  readonly memoryBytes: number;
}
