/** What goes wrong with a GPU, as errors that say which way. */

import { EngineError } from '../../errors.ts';

/**
 * - `unavailable`: there is no adapter, or no way to one here.
 * - `feature`: the adapter lacks what was asked for.
 * - `limit`: a value or a workgroup is larger than the device allows.
 * - `memory`: the device has no room left.
 * - `validation`: the device refused what it was given: a mistake of ours or of a driver.
 * - `lost`: the device is gone; a new one, and a new engine on it, can go on.
 */
export type GpuTrouble = 'unavailable' | 'feature' | 'limit' | 'memory' | 'validation' | 'lost';

export class GpuError extends EngineError {
  readonly trouble: GpuTrouble;

  constructor(trouble: GpuTrouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}
