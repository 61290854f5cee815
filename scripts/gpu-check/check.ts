/**
 * What a GPU makes of the WebGPU engine: right results, and how fast. Writes `gpu-check.json`, of which `report.ts`
 * makes a page.
 *
 *     npm run gpu:check -- --small                        (after it has prepared what to compare with)
 *     node check.mjs --data FOLDER --sections stages,dense --budget 120
 *
 * Each section runs in a process of its own with a device of its own, so that one that crashes, or hangs and is
 * killed, leaves its rows and the other sections.
 */

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { abilitiesOf } from '../../src/engines/webgpu/device.ts';
import { describeDevice } from '../../src/engines/webgpu/index.ts';
import { ceilingSection } from './ceiling.ts';
import { correctnessSection } from './correctness.ts';
import { denseSection } from './dense.ts';
import { type Gpu, openGpu } from './gpu.ts';
import { halfErrorSection } from './half-error.ts';
import { profileSection } from './profile.ts';
import { type Fields, type Section, saveAbout, saveSection, startSection } from './record.ts';
import { stagesSection } from './stages.ts';
import { trainingSection } from './training.ts';

/** Seconds after which no row of a section starts; their sum fits the budget. */
const SECTIONS: Readonly<
  Record<string, { seconds: number; run: (gpu: Gpu, section: Section) => Promise<void> }>
> = {
  adapter: { seconds: 5, run: adapterSection },
  ceiling: { seconds: 10, run: ceilingSection },
  stages: { seconds: 55, run: stagesSection },
  correctness: { seconds: 40, run: correctnessSection },
  dense: { seconds: 35, run: denseSection },
  training: { seconds: 45, run: trainingSection },
  profile: { seconds: 25, run: profileSection },
  halfError: { seconds: 15, run: halfErrorSection },
};

/** Seconds that the last row may take past them, before its process is killed. */
const GRACE_SECONDS = 20;

const { values: options } = parseArgs({
  options: {
    sections: { type: 'string', default: Object.keys(SECTIONS).join() },
    /** Seconds for everything; of a software adapter four times as many. */
    budget: { type: 'string', default: '235' },
    /** Sizes for a software adapter: shows that everything runs, not how fast. */
    small: { type: 'boolean', default: false },
    /** Switches for Dawn, such as enable-dawn-features=allow_unsafe_apis; may be given several times. */
    dawn: { type: 'string', multiple: true, default: [] },
    /** Folder of what `prepare.ts` made. */
    data: { type: 'string', default: 'out/gpu-check' },
    /** Folder of the results: $OUT, or the one of the data. */
    out: { type: 'string' },
    /** Runs one section here, for so many seconds. */
    child: { type: 'string' },
  },
});
const folder = options.out ?? process.env.OUT ?? options.data;
const file = join(folder, 'gpu-check.json');

if (options.child === undefined) await runSections();
else await runSection(options.child, Number(options.budget));
// Dawn keeps Node alive as long as its instance is reachable.
process.exit(0);

async function runSections(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const wanted = options.sections.split(',');
  const unknown = wanted.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0) {
    console.error(`no section is named ${unknown.join()}; there are ${Object.keys(SECTIONS).join(', ')}`);
    process.exit(1);
  }
  const { small, dawn } = options;
  saveAbout(file, {
    ...{ node: process.versions.node, platform: `${process.platform} ${process.arch}` },
    ...{ cores: availableParallelism(), small, dawn },
  });
  const slowness = small ? 4 : 1;
  const deadline = performance.now() + 1000 * slowness * Number(options.budget);
  for (const name of Object.keys(SECTIONS).filter((section) => wanted.includes(section))) {
    const left = (deadline - performance.now()) / 1000;
    if (left < 5) {
      saveSection(file, name, () => ({ seconds: 0, rows: [], error: 'no time left' }));
      continue;
    }
    const start = performance.now();
    const said = await spawned(name, Math.min(slowness * SECTIONS[name].seconds, left - 2), left);
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    saveSection(file, name, ({ rows, error = said }) => ({
      ...{ seconds, rows },
      ...(error === undefined ? {} : { error }),
    }));
    console.log(`${name}: ${seconds} s${said === undefined ? '' : `, ${said}`}`);
  }
}

/** Runs a section in a process of its own. @returns why it did not end well */
function spawned(name: string, seconds: number, most: number): Promise<string | undefined> {
  const { small, dawn, data } = options;
  const args = [
    ...[...process.execArgv, process.argv[1], '--child', name, '--budget', seconds.toFixed(1)],
    ...['--data', data, '--out', folder, ...(small ? ['--small'] : [])],
    ...dawn.flatMap((flag) => ['--dawn', flag]),
  ];
  const limit = Math.min(seconds + GRACE_SECONDS, most);
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const timer = setTimeout(() => child.kill('SIGKILL'), 1000 * limit);
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(undefined);
      else
        resolve(signal === null ? `ended with ${code}` : `ended by ${signal}; it had ${limit.toFixed(0)} s`);
    });
  });
}

async function runSection(name: string, seconds: number): Promise<void> {
  const errors: string[] = [];
  const section = startSection(file, name, seconds, errors);
  try {
    const { dawn: dawnFlags, small, data } = options;
    await SECTIONS[name].run(await openGpu({ dawnFlags, small, data }, errors), section);
  } catch (error) {
    console.error(error);
    saveSection(file, name, (old) => ({ ...old, error: `${error}`.slice(0, 1000) }));
    process.exit(1);
  }
}

async function adapterSection(gpu: Gpu, section: Section): Promise<void> {
  const { device } = gpu;
  await section.row('adapter', async () => {
    const {
      vendor,
      architecture,
      device: id,
      description,
      subgroupMinSize,
      subgroupMaxSize,
    } = device.adapterInfo;
    return {
      ...{ vendor, architecture, device: id, description, subgroups: [subgroupMinSize, subgroupMaxSize] },
      matrixUnits: abilitiesOf(device).matrixUnits.map((unit) => ({ ...unit })),
      engine: JSON.parse(JSON.stringify(describeDevice(device))) as Fields,
    };
  });
}
