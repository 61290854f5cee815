/** `portraitgan video` from outside: with a made-up ffmpeg, without any, interrupted, and on a full disk. */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import { cli, freshFolder, startCli } from './cli-run.ts';

const ARGS = ['video', '--network', 'preset:tiny', '--outdir'];
const PATH = process.env.PATH ?? '';
const posix = process.platform !== 'win32';

afterEach(() => {
  process.env.PATH = PATH;
});

/** Puts an ffmpeg in front of all others: a shell script that is asked for encoders, then to encode a trial,
 * then to encode in earnest, when it runs `encode` with the output's name in $out. */
function fakeFfmpeg(encode: string): void {
  const folder = freshFolder();
  const file = join(folder, 'ffmpeg');
  writeFileSync(
    file,
    `#!/bin/sh
case "$*" in
  *-encoders*) echo ' V....D libx264  H.264'; exit 0;;
  *'-f null'*) cat > /dev/null; exit 0;;
esac
for out; do :; done
${encode}
`,
  );
  chmodSync(file, 0o755);
  process.env.PATH = `${folder}${delimiter}${PATH}`;
}

/** No ffmpeg anywhere. */
function noFfmpeg(): void {
  process.env.PATH = freshFolder();
}

describe('without ffmpeg', () => {
  test('animated WebP, and it says so', async () => {
    noFfmpeg();
    const out = freshFolder();
    const { code, stdout, stderr } = await cli(...ARGS, out, '--seeds', '1-2', '--frames', '5', '--json');
    expect([code, stderr]).toEqual([0, expect.stringContaining('never trained')]);
    expect(readdirSync(out).sort()).toEqual(['seed0001_turn.webp', 'seed0002_turn.webp']);
    const { videos } = JSON.parse(stdout);
    expect(videos[1]).toMatchObject({ encoder: 'animated WebP', frames: 5, width: 32, height: 32 });
    const read = await sharp(join(out, 'seed0001_turn.webp'), { pages: -1 }).metadata();
    expect(read).toMatchObject({ pages: 5, width: 32, pageHeight: 32 });
  });

  test('grids, interpolation, maps, sizes', async () => {
    noFfmpeg();
    const out = freshFolder();
    for (const args of [
      ['--seeds', '0-3', '--grid', '2x1', '--interpolate', '--path', 'small', '--frames', '2'],
      ['--seeds', '0-2', '--grid', '3x1', '--map', 'depth', '--frames', '2', '--size', '20'],
      ['--map', 'raw', '--path', 'large', '--frames', '2', '--fps', '10', '--trunc', '0.5'],
    ])
      expect((await cli(...ARGS, out, ...args)).code).toBe(0);
    const of = async (name: string): Promise<unknown> => {
      const { width, pageHeight, delay } = await sharp(join(out, name), { pages: -1 }).metadata();
      return [width, pageHeight, delay];
    };
    expect(await of('seed0000-seed0003_interpolation_small.webp')).toEqual([64, 32, [33, 34, 33, 33]]);
    expect(await of('seed0000-seed0002_turn_depth.webp')).toEqual([60, 20, [33, 34]]);
    expect(await of('seed0000_large_raw.webp')).toEqual([16, 16, [100, 100]]);
  });

  test('wrong requests', async () => {
    noFfmpeg();
    const out = freshFolder();
    for (const [args, code, message] of [
      [['--format', 'mp4'], 1, '--format mp4 needs ffmpeg'],
      [['--grid', '2'], 2, '--grid is "2"; expected WxH such as 4x2'],
      [['--path', 'round'], 2, '--path is "round"; expected turn, small, large, still'],
      [['--sweep', 'nod'], 2, '--sweep is "nod"; expected head-turn, head-nod, head-tilt, neck-turn'],
      [['--seeds', '0-4', '--grid', '2x2'], 2, '--grid 2x2 has 4 places for 5 people'],
      [['--interpolate'], 2, '--interpolate goes through at least 2 people'],
      [['--frames', '0'], 2, '--frames is 0'],
    ] as const) {
      const finished = await cli(...ARGS, out, ...args);
      expect(finished).toMatchObject({ code, stderr: expect.stringContaining(message) });
    }
    expect(readdirSync(out)).toEqual([]);
    writeFileSync(join(out, 'file'), '');
    const unwritable = await cli(...ARGS, join(out, 'file', 'sub'));
    expect(unwritable).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot write to the folder'),
    });
  });
});

describe.skipIf(!posix)('with ffmpeg', () => {
  test('frames go down the pipe, and the result says which encoder', async () => {
    fakeFfmpeg('cat > "$out"');
    const out = freshFolder();
    const { code, stdout } = await cli(...ARGS, out, '--frames', '4');
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('4 frames of 32 x 32, H.264 by ffmpeg (libx264)'),
    ]);
    expect(readdirSync(out)).toEqual(['seed0000_turn.mp4']);
    expect(readFileSync(join(out, 'seed0000_turn.mp4')).length).toBe(4 * 32 * 32 * 3);
  });

  test('poses: a sweep starts at rest and comes back, whatever the camera does; a constant pose stays', async () => {
    // Raw frames, as an encoder gets them.
    fakeFfmpeg('cat > "$out"');
    const made = async (name: string, ...args: string[]): Promise<Buffer[]> => {
      const out = freshFolder();
      expect((await cli(...ARGS, out, '--frames', '4', ...args)).code).toBe(0);
      expect(readdirSync(out)).toEqual([`${name}.mp4`]);
      const bytes = readFileSync(join(out, `${name}.mp4`));
      const size = 32 * 32 * 3;
      return [0, 1, 2, 3].map((frame) => bytes.subarray(frame * size, (frame + 1) * size));
    };
    const rest = await made('seed0000_still', '--yaw', '20');
    const swept = await made('seed0000_still_head-turn', '--sweep', 'head-turn', '--yaw', '20');
    const posed = await made('seed0000_still', '--head', '0,40,0', '--yaw', '20');
    expect(swept[0]).toEqual(rest[0]);
    expect(swept[2]).toEqual(posed[2]);
    expect([posed[3], swept[3]]).toEqual([posed[0], swept[1]]);
    // Measured .6 of 255: weights are initial ones.
    expect(difference(swept[2], swept[0])).toBeGreaterThan(0.2);
    const turn = ['--path', 'turn', '--size', '32'];
    const [round, nodding] = [
      await made('seed0000_turn', ...turn),
      await made('seed0000_turn_neck-nod', ...turn, '--sweep', 'neck-nod'),
    ];
    expect(nodding[0]).toEqual(round[0]);
    expect(nodding[2]).not.toEqual(round[2]);
  });

  test.each([
    ['at once', 'echo "no such codec" >&2; exit 1', 'with code 1'],
    [
      'in the middle',
      'echo half > "$out"; head -c 5000 > /dev/null; echo "the device went away" >&2; exit 3',
      'with code 3',
    ],
    ['by a signal', 'echo half > "$out"; kill -9 $$', 'by SIGKILL'],
    ['at the end', 'cat > "$out"; echo "No space left on device" >&2; exit 28', 'with code 28'],
  ])('an encoder that dies %s: one message, no half file', async (_, script, how) => {
    fakeFfmpeg(script);
    const out = freshFolder();
    // Frames larger than a pipe holds, so that writing waits for a reader that is gone.
    const { code, stderr } = await cli(...ARGS, out, '--frames', '30', '--size', '256');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(`ffmpeg \\(libx264\\) ended ${how} after \\d+ frames`),
    ]);
    const [, said] = /echo "([a-zA-Z ]+)" >&2/.exec(script) ?? [];
    if (said !== undefined) expect(stderr).toContain(`: ${said}`);
    expect(readdirSync(out)).toEqual([]);
  });

  test('an ffmpeg whose encoder does not encode is passed over', async () => {
    fakeFfmpeg('cat > "$out"');
    const file = join(process.env.PATH!.split(delimiter)[0], 'ffmpeg');
    writeFileSync(file, readFileSync(file, 'utf8').replace('cat > /dev/null; exit 0', 'exit 1'));
    const out = freshFolder();
    expect((await cli(...ARGS, out, '--frames', '2')).code).toBe(0);
    expect(readdirSync(out)).toEqual(['seed0000_turn.webp']);
  });
});

describe.skipIf(!posix)('interrupted', () => {
  test.each(['webp', 'mp4'])('Ctrl-C leaves nothing: %s', async (format) => {
    if (format === 'webp') noFfmpeg();
    else fakeFfmpeg('exec cat > "$out"');
    const out = join(freshFolder(), 'videos');
    const { child, done } = startCli([...ARGS, out, '--frames', '100000']);
    for (let ended = false; !ended && !listed(out).some((name) => name.includes('.tmp-')); )
      ended = await Promise.race([pause(50).then(() => false), done.then(() => true)]);
    await pause(200);
    child.kill('SIGINT');
    expect((await done).code).toBe(130);
    await pause(200);
    expect(listed(out)).toEqual([]);
  });

  test('a disk that is full in the middle', async () => {
    const out = freshFolder();
    const wrapper = join(freshFolder(), 'limited.sh');
    // A limit on the size of a file stands for the disk: 4 blocks of 512 or 1024 bytes.
    writeFileSync(wrapper, '#!/bin/sh\nulimit -f 4\nexec "$@"\n');
    chmodSync(wrapper, 0o755);
    const run = spawnSync(
      wrapper,
      [
        process.execPath,
        'dist/cli/main.js',
        ...ARGS,
        out,
        '--frames',
        '200',
        '--format',
        'webp',
        '--size',
        '64',
      ],
      { encoding: 'utf8' },
    );
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/EFBIG|SIGXFSZ|file too large/);
    expect(readdirSync(out)).toEqual([]);
  });
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function listed(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Mean difference of bytes. */
function difference(a: Buffer, b: Buffer): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}
