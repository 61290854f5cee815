/** `portraitgan studio` from outside: what it hands out and what it refuses. The page itself: test/browser. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writePreset } from './browser/preset-file.ts';
import { cli, freshFolder, startCli } from './cli-run.ts';

const built = existsSync(new URL('../dist/studio/index.html', import.meta.url));

describe.skipIf(!built)(`the studio's files${built ? '' : ' (skipped: dist is not built)'}`, () => {
  const file = join(freshFolder(), 'my model.safetensors');
  let served: ReturnType<typeof startCli>;
  let url = '';
  beforeAll(async () => {
    writePreset(file, 'tiny');
    served = startCli(['studio', '--network', file, '--port', '0', '--json']);
    url = JSON.parse(
      await new Promise<string>((resolve) => served.child.stdout?.once('data', (text) => resolve(`${text}`))),
    ).url;
  });
  afterAll(async () => {
    served.child.kill('SIGINT');
    await served.done;
  });

  test('the page, its parts, and the model that the address names', async () => {
    expect(new URL(url).searchParams.get('model')).toBe('my model.safetensors');
    const page = await (await fetch(url)).text();
    const parts = [...page.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(([, path]) => path);
    expect(parts).toEqual(
      expect.arrayContaining([expect.stringMatching(/js$/), expect.stringMatching(/css$/)]),
    );
    for (const path of parts) expect((await fetch(new URL(path, url))).status, path).toBe(200);
    const model = await fetch(new URL('my model.safetensors', url));
    const bytes = readFileSync(file);
    expect(model.headers.get('content-length')).toBe(String(bytes.length));
    expect(Buffer.from(await model.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test('nothing else', async () => {
    for (const path of ['portrait.safetensors', '../package.json', '%2e%2e/package.json', 'index.d.ts'])
      expect((await fetch(new URL(path, url))).status, path).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });

  test('a model that is not there', async () => {
    const { code, stderr } = await cli('studio', '--network', join(freshFolder(), 'none.safetensors'));
    expect(code).toBe(2);
    expect(stderr).toContain('none.safetensors');
  });
});
