/** What a check and its peer measured, as the report asks for it. */

import type { CheckRecord, RowRecord } from './record.ts';

/** Milliseconds of one operation in PyTorch, and peaks of memory. */
export type PeerRow = Readonly<Record<string, number>>;

/** What `peer.py` answers. */
export interface Answer {
  readonly device: string;
  readonly torch: string;
  readonly operations: Readonly<Record<string, PeerRow>>;
  readonly rendering?: PeerRow;
}

export interface Measured {
  /** Of the GPU. */
  readonly name: string;
  readonly torch: string | undefined;
  readonly adapter: RowRecord | undefined;
  /** TFLOP/s of plain shaders, and of matrix units that add up in single precision. */
  readonly ceiling: { readonly f32: number | undefined; readonly matrix: number | undefined };
  readonly peer: Readonly<Record<string, PeerRow>>;
  readonly rendering: PeerRow | undefined;
  /** Rows of a section that have fields to trust. */
  rows(section: string): readonly RowRecord[];
  stage(preset: string, precision: string, stage: string): RowRecord | undefined;
}

export function measuredIn({ sections }: CheckRecord, answer: Answer | undefined): Measured {
  const rows = (section: string): readonly RowRecord[] =>
    (sections[section]?.rows ?? []).filter(
      ({ error, gpuErrors }) => error === undefined && gpuErrors === undefined,
    );
  const [adapter] = rows('adapter');
  const rate = (label: RegExp): number | undefined => {
    const found = rows('ceiling').flatMap((row) =>
      label.test(row.label) && typeof row.teraflops === 'number' ? [row.teraflops] : [],
    );
    return found.length === 0 ? undefined : Math.max(...found);
  };
  const own = `${adapter?.device ?? ''}`;
  const words = own === '' || /^[0-9a-fx]+$/.test(own) ? `${adapter?.description ?? 'unknown'}` : own;
  return {
    name: answer?.device ?? words,
    torch: answer?.torch,
    adapter,
    ceiling: { f32: rate(/^multiply-add, f32/), matrix: rate(/^matrix units.*f16 to f32/) },
    peer: answer?.operations ?? {},
    rendering: answer?.rendering,
    rows,
    stage: (preset, precision, stage) =>
      rows('stages').find(
        (row) => row.preset === preset && row.precision === precision && row.stage === stage,
      ),
  };
}

/** Three digits; nothing for what was not measured. */
export function digits(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return '';
  if (value === 0) return '0';
  return Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6
    ? value.toExponential(1)
    : `${Number(value.toPrecision(3))}`;
}

export function ratio(a: unknown, b: unknown): string {
  return typeof a === 'number' && typeof b === 'number' ? digits(a / b) : '';
}
