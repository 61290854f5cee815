/** Messages between the thread that asks and the thread that computes. */

import type { InferenceSession } from 'onnxruntime-common';
import type { KernelCode } from '../kernels/kernel.ts';
import type { Plan } from '../onnx/plan.ts';
import type { Data } from '../shared-engine.ts';

export interface WorkerOptions {
  readonly session: InferenceSession.SessionOptions;
  readonly kernels: KernelCode | undefined;
  /** Threads of threaded kernels, this one included; 1 when left out. */
  readonly threads?: number;
  /** Folder for what a program's steps took, written when it is released. */
  readonly profile?: string | undefined;
}

export type Request =
  | { readonly kind: 'load'; readonly id: number; readonly program: number; readonly plan: Plan }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly program: number;
      /** Arrays, or numbers of resident values. */
      readonly inputs: Readonly<Record<string, Data | number>>;
      /** Numbers under which the outputs stay; without it they are sent back. */
      readonly keep?: Readonly<Record<string, number>> | undefined;
      /** Numbers of inputs to release when they have been read. */
      readonly donated?: readonly number[] | undefined;
    }
  | { readonly kind: 'probe'; readonly id: number }
  | { readonly kind: 'upload'; readonly id: number; readonly value: number; readonly data: Data }
  | { readonly kind: 'download'; readonly id: number; readonly value: number }
  | { readonly kind: 'drop'; readonly id: number; readonly value: number }
  | { readonly kind: 'release'; readonly id: number; readonly program: number };

export type Reply =
  | { readonly id: number; readonly outputs: Record<string, Data> }
  | { readonly id: number; readonly failure: string };

/** What a helper thread starts with. */
export interface HelperOptions {
  /** Compiled for shared memory. */
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Byte offset of two 32-bit numbers: how many helpers are done with a call, and how many failed. */
  readonly control: number;
}

/** One call for a helper. */
export interface HelperCall {
  readonly entry: string;
  readonly args: readonly number[];
}
