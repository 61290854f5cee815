/** The web engine end to end: a page in headless Chromium loads the built files and runs a graph. */

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { doublingKernels } from '../primitives/doubling-kernel.ts';
import { findChromium, launchChromium } from './chromium.ts';
import { serveFolder } from './server.ts';

const root = new URL('../../', import.meta.url);
const executable = findChromium();
const missing =
  executable === undefined
    ? 'no Chromium: set CHROMIUM_PATH or install /usr/bin/chromium'
    : existsSync(new URL('dist/engines/web/index.js', root))
      ? ''
      : 'dist is not built: run npm run build';
if (missing) console.warn(`SKIPPED test/browser: ${missing}`);

test.skipIf(missing)(
  `a page computes what the reference does${missing && ` (skipped: ${missing})`}`,
  async () => {
    const server = await serveFolder(root);
    const browser = await launchChromium(executable as string);
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await page.goto(`${server.origin}/test/browser/page.html`);
      await page.waitForFunction('globalThis.compare !== undefined');
      const wasm = [...doublingKernels().wasm];
      const result = (await page.evaluate(`compare(${JSON.stringify(wasm)})`)) as {
        distances: Record<string, number>;
      };
      expect(result).toMatchObject({ available: true, isolated: true, planned: true });
      for (const name of ['up', 'product', 'doubled']) {
        expect(result.distances[name], name).toBeLessThan(2e-5); // worst measured 5.1e-6
      }
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      server.close();
    }
  },
  60_000,
);
