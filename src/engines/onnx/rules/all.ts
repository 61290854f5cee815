/** Every operation that engines on ONNX Runtime can write. */

import type { Rules } from '../lowering.ts';
import { elementwiseRules } from './elementwise.ts';
import { fusedRules } from './fused.ts';
import { indexingRules } from './indexing.ts';
import { movementRules } from './movement.ts';
import { productRules } from './products.ts';
import { reductionRules } from './reduction.ts';

export const allRules: Rules = {
  ...elementwiseRules,
  ...movementRules,
  ...reductionRules,
  ...indexingRules,
  ...productRules,
  ...fusedRules,
};
