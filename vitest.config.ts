import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

// A GPU of software, for tests of the webgpu engine: Dawn finds drivers where the environment says when a process
// starts. Whoever names a driver is not overruled.
const SOFTWARE_GPU = '/usr/lib/chromium';
const hasDriver = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
if (hasDriver === undefined && existsSync(`${SOFTWARE_GPU}/vk_swiftshader_icd.json`)) {
  process.env.VK_ICD_FILENAMES = `${SOFTWARE_GPU}/vk_swiftshader_icd.json`;
  process.env.LD_LIBRARY_PATH = [SOFTWARE_GPU, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
}

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
