/**
 * Makes checkpoints of any size, for memory tests.
 *
 * As a script: makes one of so many MB in a temporary folder, converts it, prints time and peak memory:
 *
 *     npx tsx test/corpus/large-checkpoint.ts 400
 */

import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { pathToFileURL } from 'node:url';
import { convertCheckpoint } from '../../src/weights/convert.ts';
import * as p from './pickle-builder.ts';

/** Writes a checkpoint with a G_ema of about `megabytes` tensors of 1 MB; returns its size. */
export function largeCheckpoint(path: string, megabytes: number, tensorMegabytes = 1): number {
  const count = Math.ceil(megabytes / tensorMegabytes);
  const elements = tensorMegabytes * 262144;
  const values = Float32Array.from({ length: elements }, (_, i) => i % 1000);
  const weight = p.parameter(p.tensor([elements], values));
  const file = openSync(path, 'w');
  const write = (...pieces: (Uint8Array | number[])[]) => writeSync(file, p.join(...pieces));
  // One module with `count` parameters, written piece by piece.
  write([0x80, 4, 0x7d], p.text('G_ema'));
  write(p.newObject(p.global('training.x', 'Big')), [0x7d], p.text('_modules'), p.dict({}), [0x73]);
  write(p.text('_parameters'), [0x7d]);
  for (let i = 0; i < count; i++) write(p.text(`w${i}`), weight, [0x73]);
  write([0x73, 0x62, 0x73, 0x2e]);
  closeSync(file);
  return statSync(path).size;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = mkdtempSync(joinPath(tmpdir(), 'large-'));
  try {
    const size = largeCheckpoint(joinPath(folder, 'in.pkl'), Number(process.argv[2] ?? 400), Number(process.argv[3] ?? 8));
    const before = process.resourceUsage().maxRSS / 1024;
    const start = performance.now();
    convertCheckpoint(joinPath(folder, 'in.pkl'), joinPath(folder, 'out.safetensors'));
    const seconds = (performance.now() - start) / 1000;
    const peak = process.resourceUsage().maxRSS / 1024;
    console.log(`${(size / 2 ** 20).toFixed(0)} MB in ${seconds.toFixed(1)} s; peak ${peak.toFixed(0)} MB, ${before.toFixed(0)} before`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
