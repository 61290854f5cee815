/** The studio in headless Chromium, on WebGPU in software: its pictures are the cpu engine's, and it survives its GPU. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpuEngine } from '../../src/engines/cpu/index.ts';
import { rasterOf } from '../../src/picture/quantise.ts';
import { cameraLabel, viewCamera } from '../../src/portrait/camera.ts';
import { type PortraitGenerator, portraitGenerator, type View } from '../../src/portrait/session.ts';
import { type NdArray, ndarray } from '../../src/tensor/index.ts';
import { randomState } from '../../src/weights/index.ts';
import { freshFolder, startCli } from '../cli-run.ts';
import { findChromium, launchChromium } from './chromium.ts';
import { writePreset } from './preset-file.ts';
import { serveFolder } from './server.ts';

const root = new URL('../../', import.meta.url);
const executable = findChromium();

async function reasonToSkip(): Promise<string> {
  if (executable === undefined) return 'no Chromium: set CHROMIUM_PATH or install /usr/bin/chromium';
  if (!existsSync(new URL('dist/studio/index.html', root))) return 'dist is not built: run npm run build';
  const browser = await launchChromium(executable, 'software');
  const server = await serveFolder(new URL('test/browser/', root));
  try {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/empty.html`);
    const found = await page.evaluate('navigator.gpu?.requestAdapter().then((adapter) => adapter !== null)');
    return found === true ? '' : 'Chromium has no WebGPU adapter in software';
  } finally {
    await browser.close();
    server.close();
  }
}

const missing = await reasonToSkip();
if (missing) console.warn(`SKIPPED test/browser/studio: ${missing}`);

/** Four times what engines on the CPU are held to (test/cli-forward.test.ts), absolute or in standard deviations; behind
 * them the worst measured here. */
const TOLERANCES: Readonly<
  Partial<Record<keyof View, { readonly absolute?: number; readonly deviations?: number }>>
> = {
  image: { deviations: 4e-3 }, // 2.8e-6
  image_raw: { deviations: 4e-3 }, // 3.0e-6
  image_background: { deviations: 4e-3 }, // 2.6e-6
  image_mask: { absolute: 4e-4 }, // 2.0e-7
  image_depth: { absolute: 4e-4 }, // 9.5e-7
};

function deviationOf({ data }: NdArray): number {
  let [sum, squares] = [0, 0];
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(squares / data.length - (sum / data.length) ** 2);
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
};

/** Waits until the page shows a picture or has failed. */
async function until(page: Page, state: 'shown' | 'failed'): Promise<void> {
  const settled = page.locator('#stage[data-state="shown"], #stage[data-state="failed"]');
  await settled.waitFor({ timeout: 200_000 });
  expect([
    await settled.getAttribute('data-state'),
    await page.locator('#trouble-words').textContent(),
  ]).toEqual([state, state === 'shown' ? '' : expect.stringMatching(/./)]);
}

/** Waits until an expression is true in the page. */
const becomes = (page: Page, condition: string) =>
  expect.poll(() => page.evaluate(condition), { timeout: 60_000, interval: 20 }).toBe(true);

/** The maps of the page's view, as arrays of numbers. */
async function mapsOf(page: Page): Promise<Record<string, number[]>> {
  return page.evaluate(
    'studio.view().then((view) => Object.fromEntries(Object.entries(view).map(([name, { data }]) => [name, [...data]])))',
  );
}

/** Red, green and blue of the canvas. */
async function pixelsOf(page: Page): Promise<Uint8Array> {
  const url = (await page.evaluate(`document.querySelector('canvas').toDataURL()`)) as string;
  return sharp(Buffer.from(url.split(',')[1], 'base64'))
    .removeAlpha()
    .raw()
    .toBuffer();
}

describe.skipIf(missing)(`the studio${missing && ` (skipped: ${missing})`}`, () => {
  const file = join(freshFolder(), 'tiny.safetensors');
  let browser: Browser;
  let served: ReturnType<typeof startCli>;
  let url = '';
  let generator: PortraitGenerator;

  beforeAll(async () => {
    const network = writePreset(file, 'tiny', 1);
    generator = portraitGenerator(cpuEngine(), network);
    served = startCli(['studio', '--network', file, '--port', '0', '--json']);
    const line = await new Promise<string>((resolve) =>
      served.child.stdout?.once('data', (text) => resolve(`${text}`)),
    );
    url = JSON.parse(line).url;
    browser = await launchChromium(executable as string, 'software');
  });
  afterAll(async () => {
    await browser.close();
    served.child.kill('SIGINT');
    await served.done;
  });

  /** The same on the cpu engine. */
  async function expected(seed: number, yaw: number, pitch: number): Promise<View> {
    const labelOf = (h: number, v: number) => ndarray([1, 25], cameraLabel(viewCamera(h, v)));
    const { zDim } = generator.config;
    const z = ndarray([1, zDim], Float32Array.from(randomState(seed).randn(zDim)));
    const ws = await generator.map(
      z,
      { c: labelOf(0, 0), p: ndarray([1, 6], new Float32Array(6)) },
      { psi: 0.7 },
    );
    const parts = { ws, planes: await generator.planes(ws), background: await generator.background(ws) };
    return generator.view(parts, labelOf(yaw, pitch));
  }

  async function expectView(page: Page, view: View): Promise<void> {
    const maps = await mapsOf(page);
    for (const [name, { absolute, deviations }] of Object.entries(TOLERANCES)) {
      const want = view[name as keyof View] as NdArray;
      const error = worst(maps[name], want.data) / (absolute === undefined ? deviationOf(want) : 1);
      expect(error, name).toBeLessThan(absolute ?? (deviations as number));
    }
    const image = view.image as NdArray;
    // A value at the edge between two bytes may fall to either side.
    const bound = 1 + Math.ceil(4e-3 * deviationOf(image) * 127.5);
    expect(worst(await pixelsOf(page), rasterOf(image).data)).toBeLessThanOrEqual(bound);
  }

  test('shows what the cpu engine computes, from all sides, and goes on when its device is lost', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(`${url}&seed=3`);
    await until(page, 'shown');
    expect(await page.locator('#model').textContent()).toBe('tiny.safetensors, 32 px');
    expect(await page.locator('#status').textContent()).toMatch(
      /adapter.+frame.+ ms.*memory.+MB.*shaders\d+/,
    );
    // Nothing is wider than the telephone.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await expectView(page, await expected(3, 0, 0));

    // Planes are made once a person; of many wishes only the last is drawn.
    await page.evaluate(
      `{ const { generator } = studio.machine(); const { planes } = generator; globalThis.planesMade = 0;
         generator.planes = (...given) => { planesMade++; return planes(...given); }; }`,
    );
    const before = (await page.evaluate('studio.frames()')) as number;
    await page.evaluate(
      `{ const press = (key) => document.getElementById('handle').dispatchEvent(new KeyboardEvent('keydown', { key }));
         for (let i = 0; i < 24; i++) press('ArrowLeft'); press('ArrowDown'); press('ArrowDown'); }`,
    );
    const view = () => page.locator('#view').textContent();
    expect(await view()).toBe('left side, 120°, 10°');
    await becomes(page, `studio.frames() === ${before + 2} && !studio.isDrawing()`);
    const behind = await expected(3, 120, 10);
    await expectView(page, behind);

    const box = (await page.locator('#handle').boundingBox()) as { x: number; y: number; width: number };
    const [x, y] = [box.x + box.width / 2, box.y + box.width / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + box.width / 4, y, { steps: 3 });
    await page.mouse.up();
    expect(await view()).toBe('left side, 75°, 10°');
    await page.locator('#turn').click();
    const turning = (await page.evaluate('studio.frames()')) as number;
    await becomes(page, `studio.frames() >= ${turning + 3}`);
    await page.locator('#turn').click();
    expect(Number((await view())?.match(/(-?\d+)°/)?.[1])).toBeGreaterThan(76);
    expect(await page.evaluate('planesMade')).toBe(0);
    await page.locator('#new-seed').click();
    await becomes(page, 'planesMade === 1 && !studio.isDrawing()');
    expect(page.url()).toContain(`seed=${await page.locator('#seed').inputValue()}`);

    await page.locator('#seed').fill('3');
    await page.locator('#front').click();
    await page.evaluate('studio.machine().device.destroy()');
    await until(page, 'failed');
    expect(await page.locator('#trouble-words').textContent()).toMatch(/^The GPU was lost/);
    expect(await page.locator('#trouble').isVisible()).toBe(true);
    await page.locator('#again').click();
    await until(page, 'shown');
    await expectView(page, await expected(3, 0, 0));
    expect(complaints).toEqual([]);
    await page.close();
  }, 300_000);

  test('says what is wrong with a model, and where there is no GPU', async () => {
    const words = async (page: Page) => {
      await until(page, 'failed');
      return page.locator('#trouble-words').textContent();
    };
    const page = await browser.newPage();
    const { origin } = new URL(url);
    await page.goto(`${origin}/?model=nowhere.safetensors`);
    expect(await words(page)).toBe('nowhere.safetensors cannot be fetched: the server answers 404 Not Found');
    await page.goto(`${origin}/?model=index.html`);
    expect(await words(page)).toMatch(/checkpoint/);
    await page.close();
    const plain = await launchChromium(executable as string);
    try {
      const without = await plain.newPage();
      await without.goto(url);
      expect(await words(without)).toMatch(/^The browser found no GPU that it can use. On the CPU/);
    } finally {
      await plain.close();
    }
  }, 60_000);
});
