/** One row a primitive: cases over shapes and types, and how far engines may be from the reference. */

import type { Case } from './case.ts';
import { elementwiseTable } from './elementwise.ts';
import { movementTable } from './movement.ts';
import { productTable } from './products.ts';
import { reductionTable } from './reductions.ts';

export interface Row {
  /** Largest |error| / max(1, |value|) allowed; 0 means the very same numbers. */
  readonly tolerance: number;
  readonly cases: readonly Case[];
}

export type Table = Readonly<Record<string, Row>>;

export const table: Table = { ...elementwiseTable, ...movementTable, ...reductionTable, ...productTable };
