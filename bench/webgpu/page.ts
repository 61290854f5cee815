/**
 * What the studio costs in a page: time to the first picture with the compilation of shaders apart, time of a frame,
 * and memory, counted by the engine and as Chromium's processes hold it.
 *
 *     npm run build
 *     npx tsx bench/webgpu/page.ts                           the model that ships
 *     npx tsx bench/webgpu/page.ts --preset 512-128 --idle   initial weights of that shape; memory alone
 *     npx tsx bench/webgpu/page.ts --network model.safetensors --adapter gpu
 *
 * `--adapter software` (the default) shows memory and that everything runs, not how fast a GPU is: its buffers lie in the
 * memory of Chromium's GPU process. Linux alone tells what processes hold.
 */

import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import type { PresetName } from '../../src/portrait/presets.ts';
import { findChromium, launchChromium } from '../../test/browser/chromium.ts';
import { writePreset } from '../../test/browser/preset-file.ts';
import { startCli } from '../../test/cli-run.ts';
import { table } from '../support.ts';

const { values: options } = parseArgs({
  options: {
    network: { type: 'string' },
    preset: { type: 'string' },
    adapter: { type: 'string', default: 'software' },
    /** Memory alone: everything but the arithmetic is done, which a software adapter needs minutes for. */
    idle: { type: 'boolean', default: false },
    /** Frames after the first. */
    frames: { type: 'string', default: '2' },
    /** Minutes to wait for the first picture. */
    patience: { type: 'string', default: '60' },
  },
});

interface Times {
  readonly modelLoaded: number;
  readonly deviceOpen: number;
  readonly firstPicture: number;
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** A number of `/proc/PID/status`, bytes. */
function heldBy(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(text)?.[1] ?? Number.NaN) * 1024;
}

async function processRows(browser: Browser): Promise<string[][]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const held = (wanted: string): [number, number] => {
    const sizes = processInfo
      .filter(({ type }) => type === wanted)
      .map(({ id }): [number, number] => [heldBy(id, 'VmRSS'), heldBy(id, 'VmHWM')]);
    // Chromium keeps spare renderers; the page's is the largest.
    return sizes.sort(([a], [b]) => b - a)[0] ?? [Number.NaN, Number.NaN];
  };
  const rows: [string, [number, number]][] = [
    ['the process of the page', held('renderer')],
    ['the process of the GPU', held('GPU')],
  ];
  return rows.map(([name, [now, most]]) => [name, `${megabytes(now)}, at most ${megabytes(most)}`]);
}

async function firstPicture(page: Page): Promise<void> {
  const limit = performance.now() + Number(options.patience) * 60_000;
  for (;;) {
    const state = await page.locator('#stage').getAttribute('data-state');
    if (state === 'shown') return;
    if (state === 'failed') throw new Error((await page.locator('#trouble').textContent()) ?? '');
    if (performance.now() > limit) throw new Error(`no picture after ${options.patience} minutes`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function frameTimes(page: Page): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < Number(options.frames); i++) {
    await page.locator('#handle').press('ArrowLeft');
    while (await page.evaluate('studio.isDrawing()')) await new Promise((resolve) => setTimeout(resolve, 5));
    times.push(
      Number.parseFloat((await page.locator('#status').textContent())?.match(/frame([\d.]+) ms/)?.[1] ?? ''),
    );
  }
  return times;
}

const chromium = findChromium();
if (chromium === undefined) throw new Error('no Chromium: set CHROMIUM_PATH or install /usr/bin/chromium');
let network = options.network;
if (options.preset !== undefined) {
  network = join(await mkdtemp(join(tmpdir(), 'portraitgan-page-')), `${options.preset}.safetensors`);
  writePreset(network, options.preset as PresetName);
}
const served = startCli([
  ...['studio', '--port', '0', '--json'],
  ...(network === undefined ? [] : ['--network', network]),
]);
const line = await new Promise<string>((resolve) =>
  served.child.stdout?.once('data', (text) => resolve(`${text}`)),
);
const browser = await launchChromium(chromium, options.adapter === 'gpu' ? 'hardware' : 'software');
try {
  const page = await browser.newPage();
  if (options.idle)
    await page.addInitScript('GPUComputePassEncoder.prototype.dispatchWorkgroups = () => undefined;');
  await page.goto(JSON.parse(line).url);
  await firstPicture(page);
  const { modelLoaded, deviceOpen, firstPicture: shown } = (await page.evaluate('studio.times')) as Times;
  const [adapter, compiled, memory, heap] = (await page.evaluate(
    `{ const { adapter, compiled, engine } = studio.machine();
       [adapter, compiled(), engine.memory(), performance.memory.usedJSHeapSize] }`,
  )) as [string, { shaders: number; ms: number }, { arena: number; held: number; pooled: number }, number];
  const processes = await processRows(browser);
  const frames = await frameTimes(page);
  console.log(`\n${network ?? 'the model that ships'}, Chromium ${browser.version()}, ${adapter}\n`);
  console.log(
    table(
      ['what', 'figure'],
      [
        ['model fetched and read', seconds(modelLoaded)],
        ['device opened', seconds(deviceOpen - modelLoaded)],
        [`${compiled.shaders} shaders compiled, weights uploaded`, seconds(compiled.ms)],
        ...(options.idle
          ? []
          : [
              ['first picture, all of this left out', seconds(shown - deviceOpen - compiled.ms)],
              ['a frame of the same person', frames.map((ms) => `${ms} ms`).join(', ')],
            ]),
        ['engine: transient values', megabytes(memory.arena)],
        ['engine: weights and values', megabytes(memory.held)],
        ['engine: kept for reuse', megabytes(memory.pooled)],
        ['engine: all', megabytes(memory.arena + memory.held + memory.pooled)],
        ['JavaScript heap', megabytes(heap)],
        ...processes,
      ],
    ),
  );
} finally {
  await browser.close();
  served.child.kill('SIGINT');
  await served.done;
}
