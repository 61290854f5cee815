/**
 * How fast a GPU is through WebGPU in Node: single operations and whole generator stages on ONNX Runtime's
 * WebGPU execution provider, and hand-written WGSL on the same device as the measure of what could be had.
 *
 * Dawn comes from the npm package `webgpu`, which is no dependency of ours: it is imported when the device opens.
 *
 *     npm install --no-save --ignore-scripts webgpu@0.6.2
 *     node --liftoff-only --import tsx bench/webgpu/main.ts      (or: npm run bench:webgpu -- OPTIONS)
 *
 * `--liftoff-only` keeps V8 from optimising one huge function of ONNX Runtime's WebAssembly, which holds up the
 * first run by about 40 s. Later runs decide more slowly on the CPU for it: stages of many small operations lose
 * a fifth.
 *
 * With libvulkan.so.1 but no GPU, SwiftShader (in Chromium's packages) shows that everything runs, not how fast:
 *
 *     VK_ICD_FILENAMES=FOLDER/vk_swiftshader_icd.json node --liftoff-only --import tsx bench/webgpu/main.ts --small
 *
 * Beside PyTorch on CUDA:
 *
 *     npx tsx bench/webgpu/main.ts --list | python3 scripts/gpu-check/peer.py > peer.json
 *     node --liftoff-only --import tsx bench/webgpu/main.ts --sections ops --peer peer.json
 *
 * Data stay on the GPU. A time is that of one of many runs in a row, the last one waited for; the first run,
 * which compiles the shaders, is apart. Not measured: reading results back, and graphs in half precision
 * (programs compute in float32).
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describe, loadRuntime, openGpu } from './device.ts';
import { graphsSection } from './graphs.ts';
import { listOperations, opsSection, type Peer } from './operations.ts';
import { wgslSection } from './own-shaders.ts';
import { createReport } from './report.ts';

const { values: options } = parseArgs({
  options: {
    sections: { type: 'string', default: 'wgsl,ops,graphs' },
    /** Of onnxruntime-web: `webgpu` or `all`. */
    build: { type: 'string', default: 'webgpu' },
    /** Seconds after which no further row starts. */
    budget: { type: 'string', default: '300' },
    /** Only rows whose name matches. */
    only: { type: 'string', default: '' },
    presets: { type: 'string' },
    /** Sizes for a software adapter: shows that everything runs, not how fast. */
    small: { type: 'boolean', default: false },
    /** Prints the operations as JSON, so that another program can time the same ones. */
    list: { type: 'boolean', default: false },
    /** File with its answer, `{ "operations": { "NAME": { "float32": ms, "tf32": ms, "float16": ms } } }`. */
    peer: { type: 'string' },
    /** Switches of Dawn, such as disable_robustness,skip_validation. */
    dawn: { type: 'string', default: '' },
    /** Of Dawn; `null` computes nothing, so that what is left is the time of the CPU. */
    backend: { type: 'string', default: 'vulkan' },
    /** Folder of onnxruntime-web's .wasm and .mjs, when it is not the package's own. */
    wasm: { type: 'string' },
  },
});

if (options.list) {
  console.log(listOperations(options.small));
  process.exit(0);
}

const report = createReport(new RegExp(options.only), Number(options.budget));
const sections = options.sections.split(',');
const gpu = await openGpu(options, report);
gpu.device.lost.then(({ message }) => report.print(`\nThe device was lost: ${message}`));
for (const line of describe(gpu)) report.print(line);
report.print(`Node ${process.versions.node}; Dawn switches: ${options.dawn || 'none'}`);
if (sections.includes('wgsl')) await wgslSection(gpu, report);
if (sections.includes('ops') || sections.includes('graphs')) {
  const runtime = await loadRuntime(gpu, options.build, options.wasm);
  if (sections.includes('ops')) {
    const peer: Peer | undefined =
      options.peer === undefined ? undefined : JSON.parse(readFileSync(options.peer, 'utf8')).operations;
    await opsSection(runtime, report, peer);
  }
  if (sections.includes('graphs')) {
    const presets = options.presets ?? (options.small ? 'tiny' : '128-64,512-128');
    await graphsSection(runtime, report, presets.split(','));
  }
}
// Dawn keeps Node alive as long as its instance is reachable.
process.exit(0);
