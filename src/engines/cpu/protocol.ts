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
      /** Arrays, or numbers of resident values. */
      readonly inputs: Readonly<Record<string, Data | number>>;
      /** Numbers under which the outputs stay; without it they are sent back. */
      readonly keep?: Readonly<Record<string, number>> | undefined;
    }
  | { readonly kind: 'upload'; readonly id: number; readonly value: number; readonly data: Data }
  | { readonly kind: 'download'; readonly id: number; readonly value: number }
  | { readonly kind: 'drop'; readonly id: number; readonly value: number }
  | { readonly kind: 'release'; readonly id: number; readonly program: number };

export type Reply =
  | { readonly id: number; readonly outputs: Record<string, Data> }
  | { readonly id: number; readonly failure: string };
