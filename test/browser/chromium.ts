/** The Chromium that tests use, if there is one. */

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where it is: `CHROMIUM_PATH`, or the system's; undefined when neither exists. */
export function findChromium(): string | undefined {
  return [process.env.CHROMIUM_PATH, '/usr/bin/chromium'].find((path) => path && existsSync(path));
}

const WEBGPU = ['--headless=new', '--enable-unsafe-webgpu', '--enable-features=Vulkan'];

const GRAPHICS = {
  none: ['--headless', '--disable-gpu'],
  software: [...WEBGPU, '--use-webgpu-adapter=swiftshader'],
  hardware: WEBGPU,
} as const;

/** Starts it without a window and without calls home.
 *
 * @param graphics `software`: with a WebGPU adapter that computes on the CPU, where Chromium brings one;
 * `hardware`: with that of the machine.
 */
export function launchChromium(
  executablePath: string,
  graphics: keyof typeof GRAPHICS = 'none',
): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      ...GRAPHICS[graphics],
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
