/**
 * The folder of an unfinished set: what it is a part of, and who is working on it.
 *
 * Everything of a run lies in `OUT.parts` until the set is complete.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { giveLock, LOCK, takeLock } from '../../lock.ts';
import { writeAside } from '../../weights/safe-write.ts';

const PLAN = 'plan.json';

/** The folder of unfinished work of an output. */
export function partsFolder(out: string): string {
  return `${out.replace(/[/\\]+$/, '')}.parts`;
}

/** Makes the folder, or finds the one of a run with the same plan; nobody else may work on it until it is closed.
 *
 * @param plan everything that the pictures depend on
 * @throws UsageError when there is unfinished work that may not, or cannot, be gone on with.
 */
export function openUnfinished(
  folder: string,
  plan: Readonly<Record<string, unknown>>,
  resume: boolean,
): void {
  if (existsSync(folder)) {
    takeLock(folder);
    try {
      checkPlan(folder, plan, resume);
    } catch (error) {
      closeUnfinished(folder);
      throw error;
    }
    return;
  }
  // Not recursive: the parent is there, and where it takes no folders (/proc) a recursive call never ends.
  try {
    mkdirSync(folder);
  } catch (error) {
    throw new UsageError(`cannot make the folder "${folder}": ${(error as Error).message}`);
  }
  takeLock(folder);
  writeAside(join(folder, PLAN), (write) => write(Buffer.from(`${JSON.stringify(plan)}\n`)));
}

/** Lets others work on the folder. */
export function closeUnfinished(folder: string): void {
  giveLock(folder);
}

function checkPlan(folder: string, plan: Readonly<Record<string, unknown>>, resume: boolean): void {
  const file = join(folder, PLAN);
  if (!existsSync(file)) {
    const others = readdirSync(folder).filter((name) => name !== LOCK && !name.startsWith(`${PLAN}.tmp-`));
    if (others.length > 0)
      throw new UsageError(`the folder "${folder}" is needed for unfinished parts, but holds something else`);
    writeAside(file, (write) => write(Buffer.from(`${JSON.stringify(plan)}\n`)));
    return;
  }
  if (!resume)
    throw new UsageError(`"${folder}" holds an unfinished run: go on with --resume, or remove that folder`);
  const before = readPlan(file);
  const differing = Object.keys(plan).filter((name) => before[name] !== plan[name]);
  if (differing.length > 0) {
    const what = differing.map((name) => `${name} was ${before[name]}, not ${plan[name]}`).join('; ');
    throw new UsageError(`cannot resume "${folder}" with other settings: ${what}`);
  }
}

function readPlan(file: string): Record<string, unknown> {
  try {
    const plan: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof plan === 'object' && plan !== null) return plan as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new UsageError(
    `"${file}" does not say what the unfinished run was: remove its folder and start again`,
  );
}
