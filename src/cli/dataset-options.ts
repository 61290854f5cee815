/** Options that commands about datasets share. */

import type { Problem } from '../dataset/survey.ts';
import { problemLine } from '../dataset/survey.ts';
import { note } from './output.ts';

/** Words of `--on-bad`. */
export const ON_BAD = ['refuse', 'skip'] as const;

/** Lines of remarks before they are only counted. */
const SHOWN = 20;

/** Says what was left out or is perhaps not meant. */
export function noteProblems(title: string, problems: readonly Problem[]): void {
  for (const problem of problems.slice(0, SHOWN)) note(`${title}: ${problemLine(problem)}`);
  if (problems.length > SHOWN) note(`${title}: ${problems.length - SHOWN} more`);
}

/** A number with its noun. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
