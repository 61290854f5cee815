/** Messages between the thread that asks and the thread that computes. */

import type { InferenceSession } from 'onnxruntime-common';
import type { Data } from '../onnx/executor.ts';
import type { Plan } from '../onnx/plan.ts';

export interface WorkerOptions {
  readonly session: InferenceSession.SessionOptions;
  /** The kernels' WebAssembly module. */
  readonly kernels: Uint8Array<ArrayBuffer> | undefined;
}

export type Request =
  | { readonly kind: 'load'; readonly id: number; readonly program: number; readonly plan: Plan }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly program: number;
      readonly inputs: Readonly<Record<string, Data>>;
    }
  | { readonly kind: 'release'; readonly id: number; readonly program: number };

export type Reply =
  | { readonly id: number; readonly outputs: Record<string, Data> }
  | { readonly id: number; readonly failure: string };
