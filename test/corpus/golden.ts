/** What CPython and NumPy themselves wrote: see `python-golden.py`. */

import { readFileSync } from 'node:fs';

interface Golden {
  readonly values: string[];
  readonly containers: string[];
  readonly arrays: Record<string, string[]>;
  readonly scalars: string[][];
  readonly objects: string;
  readonly npy: Record<string, string>;
  readonly npy2: string;
  readonly npy3: string;
  readonly npyObjects: string;
  readonly npz: string;
  readonly random: Record<string, { randn: number[]; random: number[] }>;
  readonly randnFar: number[];
  readonly shuffle: { seed: number; result: number[] };
}

export const golden = JSON.parse(readFileSync(new URL('python-golden.json', import.meta.url), 'utf8')) as Golden;

export const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
