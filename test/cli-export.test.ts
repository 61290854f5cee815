/** `portraitgan export`: what a run saved becomes a model that every command reads, and wrong requests say why. */

import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { initialNetworks, presetNetworkOptions } from '../src/load.ts';
import { discriminatorPlan, generatorPlan, presetOf } from '../src/portrait/presets.ts';
import { writeCarry } from '../src/runs/carry.ts';
import { writeCheckpoint } from '../src/runs/checkpoints.ts';
import { openCheckpointState } from '../src/runs/latest.ts';
import { type NdArray, ndarray } from '../src/tensor/index.ts';
import { openCheckpoint } from '../src/weights/index.ts';
import { cli, freshFolder } from './cli-run.ts';

const folder = freshFolder();
const run = join(folder, 'run');
const at = (name: string): string => join(folder, name);
let newest = '';

/** A run of the smallest preset: its networks as they begin, averages apart from them, and moments. */
beforeAll(async () => {
  const { generator, discriminator } = initialNetworks(presetOf('tiny'));
  const averages = initialNetworks(presetOf('tiny'), 1);
  const tensors = new Map<string, NdArray>();
  for (const [kind, plan, now, average] of [
    ['G', generatorPlan, generator, averages.generator],
    ['D', discriminatorPlan, discriminator(), averages.discriminator()],
  ] as const) {
    for (const [name, { role }] of plan(presetOf('tiny'))) {
      tensors.set(`${kind}/${name}`, now.read(name));
      tensors.set(`${kind}_ema/${name}`, average.read(name));
      for (const moment of role === 'parameter' ? ['first', 'second'] : [])
        tensors.set(`${moment}/${kind}/${name}`, now.read(name));
    }
  }
  const record = { seen: 400, iteration: 100, steps: {}, networks: presetNetworkOptions(presetOf('tiny')) };
  newest = await writeCheckpoint(join(run, 'checkpoints'), { tensors, record });
  await writeCarry(at('carry.safetensors'), { tensors, record });
  const broken = ndarray([], [Number.NaN]);
  await writeCheckpoint(at('diverged'), {
    tensors: new Map([...tensors, ['G_ema/backbone.synthesis.b4.conv1.noise_strength', broken]]),
    record,
  });
});

async function picture(network: string): Promise<Buffer> {
  const out = freshFolder();
  const place = ['--seeds', '3', '--yaw', '20', '--outdir', out];
  expect((await cli('generate', '--network', network, ...place)).code).toBe(0);
  return sharp(join(out, 'seed0003_yaw20.png')).raw().toBuffer();
}

function worst(a: Buffer, b: Buffer): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

describe('the model of a run', () => {
  test('makes the pictures of its averages, as the run itself does; in half precision nearly so', async () => {
    expect((await cli('export', run, '--out', at('full.safetensors'))).stdout).toMatch(
      /full.safetensors: G_ema and D_ema, 242 tensors, 4\d\d\.\d kB\nfrom ".*seen-400.safetensors", after 400 images\n$/,
    );
    await cli('export', newest, '--out', at('half.safetensors'), '--half');
    await cli('export', at('carry.safetensors'), '--out', at('carried.safetensors'));
    const [full, direct, half, carried] = await Promise.all(
      [at('full.safetensors'), run, at('half.safetensors'), at('carried.safetensors')].map(picture),
    );
    expect(direct.equals(full)).toBe(true);
    // Measured: 1 of 255.
    expect(worst(half, full)).toBeLessThanOrEqual(2);
    expect(worst(carried, full)).toBeLessThanOrEqual(2);
    expect(half.equals(full)).toBe(false);
  });

  test('keeps the networks and the precision asked for, no optimiser state and no noise on densities', async () => {
    const out = at('small.safetensors');
    const { stdout } = await cli('export', run, '--out', out, '--half', '--networks', 'G_ema', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      path: out,
      bytes: statSync(out).size,
      networks: ['G_ema'],
      source: newest,
      seen: 400,
    });
    const checkpoint = openCheckpoint(out);
    expect(Object.keys(checkpoint.networks)).toEqual(['G_ema']);
    const { tensors, initKwargs, attributes } = checkpoint.networks.G_ema!;
    expect(tensors.get('backbone.synthesis.b4.const')).toMatchObject({ dtype: 'float16', kind: 'parameter' });
    expect(tensors.get('backbone.mapping.w_avg')).toMatchObject({ dtype: 'float32', kind: 'buffer' });
    expect(initKwargs).toMatchObject({ thickness: 0.25, rendering_kwargs: { density_noise: 0 } });
    expect(attributes.neural_rendering_resolution).toBe(16);
    checkpoint.close();
  });

  test('comes from the last intact checkpoint, and says so', async () => {
    const again = at('again');
    const good = await writeCheckpointCopies(again);
    const { code, stderr, stdout } = await cli('export', again, '--out', at('b.safetensors'));
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(
        /^portraitgan: passed over "checkpoint-00002-seen-400.safetensors": it is truncated/,
      ),
    ]);
    expect(stdout).toContain(`from "${good}"`);
    truncateSync(good, 1000);
    const none = await cli('export', again, '--out', at('c.safetensors'));
    expect([none.code, none.stderr.split('\n').at(-2)]).toEqual([
      2,
      `portraitgan: no checkpoint in the folder "${again}" is intact`,
    ]);
  });
});

/** Two checkpoints, the newer one cut short. */
async function writeCheckpointCopies(place: string): Promise<string> {
  const { tensors, record } = openCheckpointState(newest).state;
  const good = await writeCheckpoint(place, { tensors, record });
  truncateSync(await writeCheckpoint(place, { tensors, record }), 1000);
  return good;
}

test.each([
  [['nowhere', '--out', 'x'], 2, 'there is no file "nowhere"'],
  [[folder, '--out', 'x'], 2, `the folder "${folder}" holds no checkpoint of a training run`],
  [[run, '--out', '/nowhere/x'], 2, 'cannot write "/nowhere/x": no such folder'],
  [[run, '--out', '/dev/null'], 1, 'cannot write "/dev/null": it is not a regular file'],
  [[run, '--out', 'x', '--networks', 'G_ema,H'], 2, '--networks is "H"; expected G, D, G_ema, D_ema'],
])('export %j is refused', async (args, code, message) => {
  const { stderr, ...found } = await cli('export', ...args);
  expect([found.code, stderr]).toEqual([code, `portraitgan: ${message}\n`]);
});

test('a damaged file, one over itself and weights that diverged are refused; nothing is written', async () => {
  const damaged = at('damaged.safetensors');
  copyFileSync(newest, damaged);
  const bytes = readFileSync(damaged);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(damaged, bytes);
  expect((await cli('export', damaged, '--out', at('n.safetensors'))).stderr).toContain(
    'the file is damaged',
  );
  expect((await cli('export', newest, '--out', newest)).stderr).toContain('are the same file');
  const { code, stderr } = await cli('export', at('diverged'), '--out', at('n.safetensors'));
  expect(code).toBe(1);
  expect(stderr).toContain('"G_ema.backbone.synthesis.b4.conv1.noise_strength" holds NaN at element 0');
  expect(() => statSync(at('n.safetensors'))).toThrow('ENOENT');
});
