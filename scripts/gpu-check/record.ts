/**
 * What a check writes: one JSON file, section by section, saved after each row, so that a run that is cut short leaves
 * what it measured.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What JSON cannot say is written as a word: "Infinity", "NaN". */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | { readonly [key: string]: Value };
export type Fields = { readonly [key: string]: Value };

export interface RowRecord {
  readonly label: string;
  /** Why there are no fields. */
  readonly error?: string;
  /** What the device reported meanwhile: the fields are void. */
  readonly gpuErrors?: readonly string[];
  readonly [field: string]: Value;
}

export interface SectionRecord {
  readonly seconds: number;
  readonly error?: string;
  readonly rows: readonly RowRecord[];
}

export interface CheckRecord {
  readonly about: Fields;
  readonly sections: Readonly<Record<string, SectionRecord>>;
}

/** Reads what is there. */
export function readRecord(file: string): CheckRecord {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { about: {}, sections: {} };
}

function save(file: string, record: CheckRecord): void {
  const words = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  writeFileSync(file, `${JSON.stringify(record, words, 1)}\n`);
}

/** Notes what the check ran on. */
export function saveAbout(file: string, about: Fields): void {
  save(file, { ...readRecord(file), about });
}

/** Replaces a section, or changes it. */
export function saveSection(file: string, name: string, change: (old: SectionRecord) => SectionRecord): void {
  const record = readRecord(file);
  const old = record.sections[name] ?? { seconds: 0, rows: [] };
  save(file, { ...record, sections: { ...record.sections, [name]: change(old) } });
}

/** A section while it is being measured. */
export interface Section {
  /** Records what `measure` gives under the label, or why it failed; past the deadline, that there was no time.
   * @returns whether it worked */
  row(label: string, measure: () => Promise<Fields>): Promise<boolean>;
}

/** Starts a section afresh.
 *
 * @param seconds   no row starts later than this
 * @param gpuErrors takes what the device reports outside of error scopes; rows empty it
 */
export function startSection(file: string, name: string, seconds: number, gpuErrors: string[]): Section {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const rows: RowRecord[] = [];
  const store = (row: RowRecord): void => {
    rows.push(row);
    saveSection(file, name, () => ({ seconds: round(elapsed()), rows }));
    console.log(`${name}: ${JSON.stringify(row).slice(0, 300)}`);
  };
  saveSection(file, name, () => ({ seconds: 0, rows }));
  return {
    async row(label, measure) {
      if (elapsed() > seconds) {
        store({ label, error: 'no time left' });
        return false;
      }
      gpuErrors.length = 0;
      try {
        const fields = await measure();
        store({ label, ...fields, ...(gpuErrors.length > 0 ? { gpuErrors: gpuErrors.slice(0, 3) } : {}) });
        return true;
      } catch (error) {
        store({ label, error: (error instanceof Error ? error.message : String(error)).slice(0, 1000) });
        return false;
      }
    },
  };
}

/** Four digits: no time is known better. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}
