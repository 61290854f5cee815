/** What went wrong, in words for whoever looks at the page. */

import { GpuError } from '../src/engines/webgpu/index.ts';

const ELSEWHERE = 'On the CPU, portraits are made by the command: npx portraitgan generate';

export interface Trouble {
  readonly words: string;
  /** What a report of the trouble should quote. */
  readonly details?: string;
}

export function troubleOf(error: unknown): Trouble {
  const said = error instanceof Error ? error.message : String(error);
  if (!(error instanceof GpuError)) return { words: said };
  switch (error.trouble) {
    case 'unavailable':
      return { words: `${reasonWithout()} ${ELSEWHERE}`, details: said };
    case 'lost':
      return {
        words: 'The GPU was lost. “Start again” opens it anew and goes on with the same person.',
        details: said,
      };
    case 'memory':
      return {
        words: 'The GPU has no memory left for this model: close other pages that use it, and start again.',
        details: said,
      };
    default:
      return { words: said };
  }
}

function reasonWithout(): string {
  if (!isSecureContext)
    return `Browsers offer WebGPU, which the studio computes with, to https and localhost addresses alone, and this page came from ${location.origin}.`;
  if (!('gpu' in navigator))
    return 'This browser has no WebGPU, which the studio computes with. Current versions of Chrome, Edge, Safari and Firefox have it, on most systems.';
  return 'The browser found no GPU that it can use.';
}
