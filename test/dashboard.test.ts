/** The dashboard from outside: what it answers, what it refuses, and how it fails. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDashboard } from '../src/dashboard/server.ts';
import { runFolder } from '../src/runs/run-folder.ts';
import { seenAt } from '../src/runs/stats.ts';
import type { Serving } from '../src/serve.ts';
import { cli, freshFolder, startCli } from './cli-run.ts';
import { writeRun, writeTick } from './run-example.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** Asks with the path as it is: `fetch` would tidy it up. */
function ask(url: string, path: string, options: { method?: string; host?: string } = {}): Promise<Answer> {
  const { hostname, port, host } = new URL(url);
  const { method = 'GET' } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, path, method, headers: { host: options.host ?? host } },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'] ?? '',
            body: Buffer.concat(parts),
          }),
        );
      },
    );
    sent.on('error', reject).end();
  });
}

describe('a folder of runs', () => {
  const root = freshFolder();
  let site: Serving;
  const json = async (path: string) => JSON.parse((await ask(site.url, path)).body.toString());
  beforeAll(async () => {
    await writeRun(join(root, 'one two'), [8, 16, 24]);
    await writeRun(join(root, 'other'), [8]);
    mkdirSync(join(root, 'nothing'));
    writeFileSync(join(root, 'secret.txt'), 'secret');
    writeFileSync(join(root, 'one two', 'secret-000000.000.txt'), 'secret');
    site = await startDashboard({ root, ...LOCAL });
  });
  afterAll(() => site.close());

  test('lists them with their progress', async () => {
    expect(await json('/api/runs')).toEqual({
      runs: [
        { name: 'one two', seen: 24 },
        { name: 'other', seen: 8 },
      ],
    });
  });

  test('tells settings, log and snapshots of one', async () => {
    const { name, config, log, snapshots } = await json('/api/runs/one%20two');
    expect([name, JSON.parse(config), log]).toEqual([
      'one two',
      { preset: 'tiny', kimg: 1 },
      'tick at 8 images\ntick at 16 images\ntick at 24 images\n',
    ]);
    expect(snapshots).toHaveLength(6);
    expect(snapshots[5]).toMatchObject({ kind: 'fakes', seen: 24 });
    const picture = await ask(site.url, snapshots[5].url);
    expect([picture.status, picture.type]).toEqual([200, 'image/png']);
    const file = join(root, 'one two', 'snapshots', 'fakes-000000.024.png');
    expect(picture.body.equals(readFileSync(file))).toBe(true);
  });

  test('gives the ticks that are new, and all when a run was resumed', async () => {
    const path = '/api/runs/other/stats';
    const first = await json(path);
    expect([first.from, first.ticks.map(seenAt), first.more]).toEqual([0, [8], false]);
    const run = runFolder(join(root, 'other'));
    const rest = (answer: { file: string; next: number }) =>
      `${path}?file=${answer.file}&from=${answer.next}`;
    expect((await json(rest(first))).ticks).toEqual([]);

    writeTick(run, 16, 16);
    const second = await json(rest(first));
    expect([second.from, second.ticks.map(seenAt)]).toEqual([first.next, [16]]);
    // A line that is being written is not shown.
    const whole = readFileSync(run.stats);
    writeFileSync(run.stats, Buffer.concat([whole, whole.subarray(0, 100)]));
    expect((await json(rest(second))).ticks).toEqual([]);
    writeTick(run, 8, 12);
    const third = await json(rest(second));
    expect([third.from, third.ticks.map(seenAt)]).toEqual([0, [8, 12]]);
  });

  test.each([
    '/../secret.txt',
    '/../../etc/passwd',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/site.js',
    '/../site.ts',
    '/api/runs/..',
    '/api/runs/%2e%2e%2fother',
    '/api/runs/nothing',
    '/api/runs/one%20two/../../secret.txt',
    '/api/runs/one%20two/config.json',
    '/api/runs/one%20two/snapshots',
    '/api/runs/one%20two/snapshots/..%2fconfig.json',
    '/api/runs/one%20two/snapshots/..%2fsecret-000000.000.png',
    '/api/runs/one%20two/snapshots/secret-000000.000.txt',
    '/api/runs/one%20two/snapshots/fakes-000009.000.png',
    '/api/runs/other/snapshots/fakes-000000.008.png/x',
    '/api/runs/%ff',
    '/api/x',
  ])('refuses %s', async (path) => {
    const { status, body } = await ask(site.url, path);
    expect([status, JSON.parse(body.toString())]).toEqual([
      404,
      { error: expect.stringContaining('there is no') },
    ]);
  });

  test('only reads, and knows its own name', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect((await ask(site.url, '/api/runs', { method })).status).toBe(405);
    }
    const head = await ask(site.url, '/', { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect((await ask(site.url, '/api/runs', { host: 'elsewhere.example' })).status).toBe(403);
    const { port } = new URL(site.url);
    expect((await ask(site.url, '/api/runs', { host: `localhost:${port}` })).status).toBe(200);
  });

  test('serves its page and uPlot', async () => {
    for (const [path, type, words] of [
      ['/', 'text/html', '<main>'],
      ['/style.css', 'text/css', '--paper'],
      ['/uplot.js', 'text/javascript', 'export { uPlot as default }'],
      ['/uplot.css', 'text/css', '.uplot'],
    ]) {
      const answer = await ask(site.url, path);
      expect([answer.status, answer.type], path).toEqual([200, expect.stringContaining(type)]);
      expect(answer.body.toString(), path).toContain(words);
    }
  });
});

test('one run, before its first tick', async () => {
  const root = join(freshFolder(), 'fresh');
  mkdirSync(root);
  writeFileSync(join(root, 'config.json'), '{}');
  const site = await startDashboard({ root, ...LOCAL });
  const [runs, run, stats] = await Promise.all(
    ['', '/fresh', '/fresh/stats'].map(async (path) =>
      JSON.parse((await ask(site.url, `/api/runs${path}`)).body.toString()),
    ),
  );
  await site.close();
  expect(runs).toEqual({ runs: [{ name: 'fresh', seen: null }] });
  expect(run).toEqual({ name: 'fresh', config: '{}', log: '', snapshots: [] });
  expect(stats.ticks).toEqual([]);
});

describe('the command', () => {
  test('prints where it is and serves', async () => {
    const root = freshFolder();
    await writeRun(join(root, 'a'), [8]);
    const { child, done } = startCli(['dashboard', root, '--port', '0', '--json']);
    const line = await new Promise<string>((resolve) =>
      child.stdout?.once('data', (text) => resolve(`${text}`)),
    );
    const { url } = JSON.parse(line);
    expect((await ask(url, '/api/runs')).status).toBe(200);
    expect((await ask(url, '/main.js')).type).toContain('text/javascript');
    child.kill('SIGINT');
    expect((await done).code).toBe(130);
  });

  test('wrong requests: exit 2 and one message', async () => {
    const root = freshFolder();
    writeFileSync(join(root, 'file'), '');
    const empty = join(root, 'empty');
    mkdirSync(empty);
    for (const [folder, message] of [
      [join(root, 'none'), `there is no folder "${join(root, 'none')}"`],
      [join(root, 'file'), `"${join(root, 'file')}" is a file; the dashboard shows the folder of a run`],
      [empty, `"${empty}" is no run and holds none`],
    ]) {
      const failed = startDashboard({ root: folder, ...LOCAL });
      await expect(failed).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
    }
    expect(await cli('dashboard', empty)).toMatchObject({
      ...{ code: 2, stdout: '' },
      stderr: expect.stringMatching(/^portraitgan: .* is no run and holds none.*\n$/),
    });
    expect(await cli('dashboard', root, '--port', '70000')).toMatchObject({
      code: 2,
      stderr: 'portraitgan: --port is 70000; expected 0 to 65535\n',
    });
  });

  test('a port that is taken', async () => {
    const root = freshFolder();
    await writeRun(join(root, 'a'), [8]);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    expect(await cli('dashboard', root, '--port', String(port))).toMatchObject({
      code: 2,
      stderr: `portraitgan: port ${port} of 127.0.0.1 is taken; choose another with --port, or --port 0 for one that is free\n`,
    });
    other.close();
    expect(await cli('dashboard', root, '--host', '203.0.113.7')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot listen at "203.0.113.7"'),
    });
  });
});
