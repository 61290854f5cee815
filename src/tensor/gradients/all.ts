/** The gradient of every primitive. */

import { elementwiseGradients } from './elementwise.ts';
import { movementGradients } from './movement.ts';
import { poolingGradients } from './pooling.ts';
import { productGradients } from './products.ts';
import { reductionGradients } from './reduction.ts';
import type { Gradients } from './rule.ts';

export const allGradients: Gradients = {
  ...elementwiseGradients,
  ...movementGradients,
  ...reductionGradients,
  ...productGradients,
  ...poolingGradients,
};
