/** Fused operations that ONNX has as one operator of its own, under `fused:` and their name. */

import type { Rules } from '../lowering.ts';

export const fusedRules: Rules = {};
