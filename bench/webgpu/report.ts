/**
 * Markdown tables of `bench:webgpu`: a row that fails shows its error, and the next one starts.
 *
 * Printed line by line, so that a run that is cut short leaves what it measured; where the environment names a
 * folder `OUT`, lines are also appended to `webgpu.md` there.
 */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

const LONGEST_ERROR = 300;

export interface Report {
  print(text: string): void;
  header(title: string, cells: readonly string[]): void;
  /** Prints what `measure` gives, or why it failed. */
  row(label: string, measure: () => Promise<readonly string[]>): Promise<void>;
  /** Takes what the device reports outside of any error scope: it voids the row being measured. */
  complain(message: string): void;
}

/** Starts a report.
 *
 * @param only     rows whose label does not match are left out.
 * @param seconds  from now; no row starts after them.
 */
export function createReport(only: RegExp, seconds: number): Report {
  const deadline = performance.now() + 1000 * seconds;
  const folder = process.env.OUT;
  const gpuErrors: string[] = [];

  function print(text: string): void {
    console.log(text);
    if (folder) appendFileSync(join(folder, 'webgpu.md'), `${text}\n`);
  }

  function printRow(cells: readonly string[]): void {
    print(`| ${cells.join(' | ')} |`);
  }

  return {
    print,
    header(title, cells) {
      print(`\n### ${title}\n`);
      printRow(cells);
      printRow(cells.map(() => '---'));
    },
    async row(label, measure) {
      if (!only.test(label)) return;
      if (performance.now() > deadline) return printRow([label, 'no time left']);
      try {
        gpuErrors.length = 0;
        const cells = await measure();
        const wrong =
          gpuErrors.length > 0 ? [`GPU error, results are void: ${gpuErrors[0].slice(0, 200)}`] : [];
        printRow([label, ...cells, ...wrong]);
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        printRow([label, `failed: ${cellText(said, LONGEST_ERROR)}`]);
      }
    },
    complain(message) {
      gpuErrors.push(cellText(message));
    },
  };
}

/** A message on one line, without the mark between cells. */
export function cellText(message: string, longest = message.length): string {
  return message.replace(/\s+/g, ' ').replaceAll('|', '/').slice(0, longest);
}

export function ms(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1);
}

/** Rate of work in its unit's thousand millions a second. */
export function rate(work: number, unit: 'FLOP' | 'B', milliseconds: number): string {
  const giga = work / milliseconds / 1e6;
  return `${giga.toFixed(giga < 10 ? 2 : 0)} G${unit}/s`;
}
