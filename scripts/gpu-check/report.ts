/**
 * `tsx scripts/gpu-check/report.ts gpu-check.json [peer.json] [--out docs/measurements]`: a page of tables out of what
 * a check measured, beside PyTorch on the same GPU, and which goals are met. Says where it is written.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../bench/support.ts';
import { type Goal, goalsOf } from './goals.ts';
import { type Answer, digits, type Measured, measuredIn, ratio } from './measured.ts';
import { type CheckRecord, type RowRecord, readRecord } from './record.ts';

/** Dispatches of a kind that take less of a program's time are left out. */
const LEAST_SHARE = 0.03;

const { values: options, positionals } = parseArgs({
  options: { out: { type: 'string', default: 'docs/measurements' } },
  allowPositionals: true,
});
const [checkFile, peerFile] = positionals;
if (checkFile === undefined || !existsSync(checkFile)) {
  console.error('report: tsx scripts/gpu-check/report.ts gpu-check.json [peer.json] [--out FOLDER]');
  process.exit(1);
}
const record = readRecord(checkFile);
const answer: Answer | undefined =
  peerFile === undefined ? undefined : JSON.parse(readFileSync(peerFile, 'utf8'));
const measured = measuredIn(record, answer);
mkdirSync(options.out, { recursive: true });
const page = join(options.out, `webgpu-${slug(measured.name)}.md`);
writeFileSync(page, pageOf(record, measured));
console.log(page);

/** A file's name out of an adapter's. */
function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'unknown'
  );
}

function pageOf(check: CheckRecord, m: Measured): string {
  const { node, small, dawn } = check.about;
  const switches = Array.isArray(dawn) && dawn.length > 0 ? `, flags of Dawn: ${dawn.join(' ')}` : '';
  const parts = [
    `# The WebGPU engine on ${m.name}`,
    'Is what the engine computes right on this GPU, and how fast is it beside what the GPU gives and beside PyTorch?',
    `Measured with \`scripts/gpu-check\`, Node ${node}${switches}; ${m.torch === undefined ? 'PyTorch was not measured' : `PyTorch ${m.torch} on the same GPU`}. A time is one of many runs in a row, data on the GPU unless a row says that it was read; one machine, one run of each row.`,
    ...(small
      ? ['**Sizes for a software adapter: these rows show that everything runs, not how fast.**']
      : []),
    troubles(check),
    '## Goals',
    goalTable(goalsOf(m)),
    '## What the GPU gives',
    adapterWords(m),
    ceilingTable(m),
    '## Right results',
    correctnessWords(m),
    '## Pictures',
    stageTables(m),
    '## Rendering beside PyTorch',
    renderingWords(m),
    '## Products and convolutions',
    denseTable(m),
    '## Training',
    trainingTable(m),
    '## Half precision beside single',
    halfTable(m),
    '## Where the time goes',
    profileTables(m),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function goalTable(goals: readonly Goal[]): string {
  return table(
    ['goal', 'measured', 'met'],
    goals.map(({ goal, found, met }) => [goal, found, met === undefined ? '?' : met ? 'yes' : '**no**']),
  );
}

/** Sections that broke, and rows that failed. */
function troubles({ sections }: CheckRecord): string {
  const broken = Object.entries(sections).flatMap(([name, { error, rows }]) => [
    ...(error === undefined ? [] : [`- section ${name}: ${error}`]),
    ...rows.flatMap(({ label, error: failed, gpuErrors }) =>
      failed === undefined && gpuErrors === undefined
        ? []
        : [`- ${name}, ${label}: ${oneLine(failed ?? `the device reported: ${gpuErrors?.join('; ')}`)}`],
    ),
  ]);
  return broken.length === 0 ? '' : `What failed:\n\n${broken.join('\n')}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 300);
}

function adapterWords({ adapter }: Measured): string {
  if (adapter === undefined) return '';
  const { engine, subgroups, matrixUnits } = adapter as RowRecord & {
    engine?: { features?: string[]; limits?: Record<string, number> };
    subgroups?: number[];
    matrixUnits?: Record<string, unknown>[];
  };
  const limits = Object.entries(engine?.limits ?? {}).filter(([name]) =>
    /Storage|Workgroup|BufferSize/.test(name),
  );
  const units = (matrixUnits ?? []).map(
    ({ m, n, k, component, result }) => `${m} x ${n} x ${k} ${component} to ${result}`,
  );
  return [
    `Features: ${(engine?.features ?? []).join(', ')}.`,
    `Limits: ${limits.map(([name, value]) => `${name} ${value}`).join(', ')}.`,
    `Subgroups of ${subgroups?.join(' to ')}. Matrix units: ${units.join('; ') || 'none'}.`,
  ].join('\n');
}

function ceilingTable({ rows }: Measured): string {
  return table(
    ['loop', 'ms', 'rate'],
    rows('ceiling').map(({ label, ms, teraflops, gigabytesPerSecond }) => [
      label,
      digits(ms),
      teraflops !== undefined
        ? `${digits(teraflops)} TFLOP/s`
        : gigabytesPerSecond !== undefined
          ? `${digits(gigabytesPerSecond)} GB/s read + written`
          : '',
    ]),
  );
}

function correctnessWords({ rows }: Measured): string {
  const all = rows('correctness');
  const beyond = all.filter(({ within }) => within !== true);
  const kinds = ['primitive', 'rendering', 'pictures', 'composite', 'gradients'];
  const summary = table(
    ['kind', 'rows', 'within tolerance', 'worst difference'],
    kinds.map((kind) => {
      const of = all.filter(({ label }) => label.startsWith(kind));
      const worst = Math.max(0, ...of.map((row) => Number(row.worst ?? 0)));
      return [kind, `${of.length}`, `${of.filter(({ within }) => within === true).length}`, digits(worst)];
    }),
  );
  const list = beyond.map(
    ({ label, worst, tolerance, wrong }) =>
      `- ${label}: ${digits(worst)}, allowed ${tolerance}${Array.isArray(wrong) ? ` (${oneLine(wrong[0])})` : ''}`,
  );
  return [
    'Primitives, composites and gradients beside the reference engine, pictures beside the cpu engine; differences in units of the largest value, for primitives of each value.',
    summary,
    ...(list.length > 0 ? [`Beyond their tolerance:\n\n${list.join('\n')}`] : []),
  ].join('\n\n');
}

function stageTables({ rows }: Measured): string {
  const all = rows('stages');
  const presets = [...new Set(all.map(({ preset }) => `${preset}`))];
  const tables = presets.map((preset) => {
    const of = all.filter((row) => row.preset === preset);
    const stages = [...new Set(of.map(({ stage }) => `${stage}`))];
    const find = (stage: string, precision: string): RowRecord | undefined =>
      of.find((row) => row.stage === stage && row.precision === precision);
    const timed = stages.filter((stage) => !stage.startsWith('memory'));
    const memory = (['f32', 'half'] as const).flatMap((precision) => {
      const row = find('memory', precision);
      const left = find('memory left after disposal', precision);
      return row === undefined
        ? []
        : `${precision}: ${digits(row.liveMebibytes)} MiB of buffers with all stages compiled, ${digits(row.peakMebibytes)} at most, ${digits(row.weightMebibytes)} of weights as float32, ${digits(left?.liveMebibytes)} left after disposal`;
    });
    return [
      `### Preset ${preset}`,
      table(
        [
          ...['stage', 'f32, ms', 'a second', 'half, ms', 'TFLOP/s', 'submitting, ms', 'dispatches'],
          ...['compile, ms', 'first run, ms'],
        ],
        timed.map((stage) => {
          const [single, half] = [find(stage, 'f32'), find(stage, 'half')];
          return [
            stage,
            ...[digits(single?.ms), ratio(1000, single?.ms), digits(half?.ms), digits(single?.teraflops)],
            ...[digits(single?.submitMs), digits(single?.dispatches)],
            ...[digits(single?.compileMs), digits(single?.firstMs)],
          ];
        }),
      ),
      ...(memory.length > 0 ? [`Memory: ${memory.join('; ')}.`] : []),
    ].join('\n\n');
  });
  return tables.join('\n\n');
}

function renderingWords({ rendering, stage }: Measured): string {
  if (rendering === undefined) return 'Not measured.';
  const ours = stage('512-128', 'f32', 'rendering')?.ms;
  const half = stage('512-128', 'half', 'rendering')?.ms;
  return table(
    ['128 x 128 rays of 48 + 48 samples', 'ms', 'memory beyond planes, MiB', 'times ours'],
    [
      ['ours, f32', digits(ours), '', ''],
      ['ours, half', digits(half), '', ''],
      ...(['float32', 'tf32', 'float16'] as const).map((size) => [
        `PyTorch, eager, ${size}`,
        digits(rendering[size]),
        digits(rendering[`${size}PeakMebibytes`]),
        ratio(rendering[size], size === 'float16' ? half : ours),
      ]),
    ],
  );
}

function denseTable({ rows, ceiling, peer }: Measured): string {
  const all = rows('dense');
  const names = [...new Set(all.map(({ operation }) => `${operation}`))];
  return table(
    [
      ...['operation', 'f32, ms', 'TFLOP/s', 'of the ceiling', 'PyTorch, ms', 'TF32, ms', 'PyTorch / ours'],
      ...['half, ms', 'TFLOP/s', 'PyTorch float16, ms', 'PyTorch / ours', 'errors'],
    ],
    names.map((name) => {
      const find = (precision: string): RowRecord | undefined =>
        all.find((row) => row.operation === name && row.precision === precision);
      const [single, half, theirs] = [find('f32'), find('half'), peer[name]];
      return [
        ...[name, digits(single?.ms), digits(single?.teraflops), share(single?.teraflops, ceiling.f32)],
        ...[digits(theirs?.float32), digits(theirs?.tf32), ratio(theirs?.float32, single?.ms)],
        ...[digits(half?.ms), digits(half?.teraflops), digits(theirs?.float16)],
        ...[ratio(theirs?.float16, half?.ms), `${digits(single?.spotError)}, ${digits(half?.spotError)}`],
      ];
    }),
  );
}

function share(value: unknown, whole: number | undefined): string {
  return typeof value === 'number' && whole !== undefined ? `${((100 * value) / whole).toFixed(0)} %` : '';
}

function trainingTable({ rows }: Measured): string {
  const all = rows('training');
  const label = ({ preset, batch, phase }: RowRecord): string => `${preset}, batch ${batch}: ${phase}`;
  return table(
    [
      ...['phase', 'f32, ms', 'TFLOP/s', 'half, ms', 'submitting, ms', 'dispatches'],
      ...['compile, ms', 'first run, ms', 'most memory, MiB', 'half, MiB'],
    ],
    [...new Set(all.map(label))].map((name) => {
      const find = (precision: string): RowRecord | undefined =>
        all.find((row) => label(row) === name && row.precision === precision);
      const [single, half] = [find('f32'), find('half')];
      return [
        ...[name, digits(single?.ms), digits(single?.teraflops), digits(half?.ms)],
        ...[digits(single?.submitMs), digits(single?.dispatches)],
        ...[digits(single?.compileMs), digits(single?.firstMs)],
        ...[digits(single?.peakMebibytes), digits(half?.peakMebibytes)],
      ];
    }),
  );
}

function profileTables({ rows }: Measured): string {
  const tables = rows('profile').map(({ label, dispatches, deviceMs, longest }) => {
    const kinds = (longest ?? []) as readonly (readonly [string, number, number])[];
    const shown = kinds.filter(([, , ms]) => ms >= LEAST_SHARE * Number(deviceMs));
    return [
      `### ${label}`,
      `${dispatches} dispatches, ${digits(deviceMs)} ms on the device.`,
      table(
        ['dispatch', 'times', 'ms', 'share'],
        shown.map(([name, count, ms]) => [
          oneLine(name).replaceAll('|', '/'),
          ...[`${count}`, digits(ms), share(ms, Number(deviceMs))],
        ]),
      ),
    ].join('\n\n');
  });
  return tables.length === 0 ? 'Not measured.' : tables.join('\n\n');
}

function halfTable({ rows }: Measured): string {
  const all = rows('halfError');
  const pictures = all.flatMap(({ label, outputs }) =>
    Object.entries((outputs ?? {}) as Record<string, [number, number]>).map(([name, [worst, typical]]) => [
      ...[label, name, digits(worst), digits(typical)],
    ]),
  );
  const gradients = all
    .filter(({ cosine }) => cosine !== undefined)
    .map(
      ({ label, cosine, median, worst }) =>
        `${label}: cosine of all gradients ${cosine}, median relative difference of a weight's gradient ${digits(median)}, worst ${Object.entries(
          (worst ?? {}) as Record<string, number>,
        )
          .map(([name, value]) => `${name} ${digits(value)}`)
          .join(', ')}.`,
    );
  if (pictures.length === 0) return 'Not measured.';
  return [
    table(['pictures', 'output', 'largest difference / largest value', 'root mean square'], pictures),
    ...gradients,
  ].join('\n\n');
}
