/** The Chromium that tests use, if there is one. */

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where it is: `CHROMIUM_PATH`, or the system's; undefined when neither exists. */
export function findChromium(): string | undefined {
  return [process.env.CHROMIUM_PATH, '/usr/bin/chromium'].find((path) => path && existsSync(path));
}

/** WebGPU on the CPU. */
const SOFTWARE_GPU = [
  '--headless=new',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

/** Starts it without a window and without calls home.
 *
 * @param graphics `software`: with a WebGPU adapter that computes on the CPU, where Chromium brings one.
 */
export function launchChromium(
  executablePath: string,
  graphics: 'none' | 'software' = 'none',
): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      ...(graphics === 'software' ? SOFTWARE_GPU : ['--headless', '--disable-gpu']),
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
