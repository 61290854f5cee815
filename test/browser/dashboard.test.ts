/** The dashboard's page in headless Chromium: it shows a run, follows it, and complains about nothing. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { freshFolder, startCli } from '../cli-run.ts';
import { writeRun, writeTick } from '../run-example.ts';
import { findChromium, launchChromium } from './chromium.ts';

const executable = findChromium();
const missing =
  executable === undefined
    ? 'no Chromium: set CHROMIUM_PATH or install /usr/bin/chromium'
    : existsSync(new URL('../../dist/dashboard/page/main.js', import.meta.url))
      ? ''
      : 'dist is not built: run npm run build';
if (missing) console.warn(`SKIPPED test/browser: ${missing}`);

const textOf = (page: Page, selector: string) => page.locator(selector).allTextContents();

test.skipIf(missing)(
  `a page shows a run and follows it${missing && ` (skipped: ${missing})`}`,
  async () => {
    const root = freshFolder();
    const run = await writeRun(join(root, 'first'), [8, 16, 24]);
    await writeRun(join(root, 'second'), [8]);
    const { child, done } = startCli(['dashboard', root, '--port', '0', '--json']);
    const line = await new Promise<string>((resolve) =>
      child.stdout?.once('data', (text) => resolve(`${text}`)),
    );
    const browser = await launchChromium(executable as string);
    try {
      const page = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => complaints.push(message.text()));
      await page.goto(JSON.parse(line).url);
      await page.locator('#tiles dd').first().waitFor();

      expect(await textOf(page, '#tiles dd')).toEqual([
        ...['0.024 kimg', '1/s', '24 s', '0.0833', '1.25', '12.5°', '1 GB'],
      ]);
      expect(await textOf(page, '#runs option')).toEqual(['first', 'second']);
      expect(await textOf(page, 'figcaption')).toEqual([
        ...[
          'Losses',
          'Images or views a second',
          'Seconds a tick',
          'Pose error on portraits, degrees',
          'Memory, GB',
        ],
      ]);
      expect(await page.locator('#charts canvas').count()).toBe(5);
      expect(await textOf(page, '#kinds button')).toEqual(['fakes', 'depth']);
      const source = () => page.locator('#sheet').getAttribute('src');
      expect(await source()).toContain('fakes-000000.024.png');
      await page.locator('#earlier').click();
      await page.locator('#kinds button').nth(1).click();
      expect(await source()).toContain('depth-000000.016.png');
      expect(await textOf(page, '#when')).toEqual(['0.016 kimg']);
      // Nothing is wider than the telephone.
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);

      writeTick(run, 32, 32);
      await page.getByText('0.032 kimg').waitFor({ timeout: 10_000 });
      await page.locator('#runs').selectOption('second');
      await page.getByText('0.008 kimg').first().waitFor();
      expect(await textOf(page, '#log')).toEqual(['tick at 8 images\n']);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      child.kill('SIGINT');
      await done;
    }
  },
  60_000,
);
