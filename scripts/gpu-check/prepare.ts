/**
 * `tsx scripts/gpu-check/prepare.ts FOLDER`: what a check compares with, computed here because a bare machine cannot:
 * whole pictures by the cpu engine, and the operations that `peer.py` times too.
 */

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuEngine } from '../../src/engines/cpu/index.ts';
import { cameraLabel, viewCamera } from '../../src/portrait/camera.ts';
import { presetOf } from '../../src/portrait/presets.ts';
import { writeSafetensors } from '../../src/weights/index.ts';
import { operations } from './operations.ts';
import { sampled, sceneOutputs, scenesIn } from './scenes.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('prepare: a folder is needed: tsx scripts/gpu-check/prepare.ts FOLDER');
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
const model = fileURLToPath(new URL('../../models/portrait.safetensors', import.meta.url));
copyFileSync(model, join(folder, 'portrait.safetensors'));
writeFileSync(join(folder, 'operations.json'), JSON.stringify(peerTasks()));
await writeExpected(join(folder, 'expected.safetensors'));

/** What `peer.py` reads. */
function peerTasks() {
  const { neuralResolution, planeResolution, triplaneDepth, samples, importanceSamples, ...preset } =
    presetOf('512-128');
  const { boxWarp, cropMargin, rayStart, rayEnd } = preset;
  return {
    operations: operations(false),
    rendering: {
      ...{ side: neuralResolution, planeResolution, depth: triplaneDepth, samples, importanceSamples },
      ...{ boxWarp, cropMargin, rayStart, rayEnd, c: [...cameraLabel(viewCamera(20, 5))] },
    },
  };
}

async function writeExpected(file: string): Promise<void> {
  const arrays = new Map<string, Float32Array>();
  const engine = cpuEngine({ threads: 2 });
  for (const scene of scenesIn(folder, false)) {
    const outputs = await scene.open((network) => sceneOutputs(engine, network));
    for (const [name, value] of Object.entries(outputs)) arrays.set(`${scene.name}/${name}`, sampled(value));
  }
  await engine.dispose();
  const tensors = [...arrays].map(
    ([name, { length }]) => ({ name, dtype: 'float32', shape: [length] }) as const,
  );
  writeSafetensors(file, tensors, {}, ({ name }) => new Uint8Array(arrays.get(name)!.buffer));
}
