/** One row a primitive: cases over shapes and types, and how far engines may be from the reference. */

import type { Case } from './case.ts';
import { elementwiseTable } from './elementwise.ts';
import { movementTable } from './movement.ts';
import { productTable } from './products.ts';
import { reductionTable } from './reductions.ts';

export interface Row {
  /**
   * Largest |error| / max(1, |value|) allowed; 0 means the very same numbers. Worst measured on cpu and web:
   * exp 1.5e-8, log 3.0e-8, sin and cos 6.0e-8, tanh 1.8e-7, scatterAdd 1.5e-7, reduceSum 2.5e-7, cumsum 1.2e-7,
   * matmul 2.2e-7, conv2d 7.2e-7, conv2dTranspose 8.9e-7, conv2dWeightGrad 1.2e-6, all others 0.
   */
  readonly tolerance: number;
  readonly cases: readonly Case[];
}

export type Table = Readonly<Record<string, Row>>;

export const table: Table = { ...elementwiseTable, ...movementTable, ...reductionTable, ...productTable };
