/**
 * A disk that stops at a given operation, and loses what was not synced.
 *
 * Works on real files. At the fault every later operation fails too, as in a process that is gone; `lose` then
 * does what a power cut may do: contents that were not synced become shorter or zeros, new names and removals that
 * were not synced are undone.
 */

import { existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { diskFiles, type FileOperations, type FileWriter } from '../src/runs/files.ts';

/** Thrown at the fault. */
export class Crash extends Error {}

/** What happens to things that were not synced, each by a draw in [0, 1). */
export interface LostThings {
  /** A file's content. */
  readonly content: (draw: number) => 'kept' | 'cut' | 'zeros';
  /** A new name or a removal. */
  readonly name: (draw: number) => 'kept' | 'undone';
}

export interface FaultyFiles extends FileOperations {
  /** What was done, in order: `write checkpoint-00001...`. */
  readonly done: readonly string[];
  /** Undoes what was not synced. */
  lose(things: LostThings, draw: () => number): void;
}

interface Change {
  readonly folder: string;
  undo(): void;
}

/** A disk that fails at operation `stopAt`, counted from 0; with `tear`, a write at the fault is half done.
 *
 * @param fault  what is thrown: by default a {@link Crash}, after which nothing works any more; an error of the
 * system instead is thrown once.
 */
export function faultyFiles(
  stopAt: number,
  { tear = false, fault }: { readonly tear?: boolean; readonly fault?: () => Error } = {},
): FaultyFiles {
  const done: string[] = [];
  /** Paths with the number of bytes that are on the disk for sure. */
  const unsynced = new Map<string, number>();
  let changes: Change[] = [];
  let crashed = false;
  /** True where the operation is to fail. */
  const enter = (operation: string): boolean => {
    if (crashed) throw new Crash(operation);
    done.push(operation);
    if (done.length - 1 !== stopAt) return false;
    crashed = fault === undefined;
    return true;
  };
  const fail = (operation: string): never => {
    throw fault?.() ?? new Crash(operation);
  };
  const step = async (operation: string, act: () => Promise<void>): Promise<void> => {
    if (enter(operation)) fail(operation);
    await act();
  };
  return {
    done,
    async create(path) {
      if (enter(`create ${path}`)) fail('create');
      const writer = await diskFiles.create(path);
      unsynced.set(path, 0);
      return {
        async write(bytes, position) {
          if (enter(`write ${path}`)) {
            if (tear) await writer.write(bytes.subarray(0, bytes.length >> 1), position);
            fail('write');
          }
          await writer.write(bytes, position);
        },
        sync: () =>
          step(`sync ${path}`, async () => {
            await writer.sync();
            unsynced.delete(path);
          }),
        // A process that is gone has closed its files.
        close: () => writer.close(),
      } satisfies FileWriter;
    },
    rename: (from, to) =>
      step(`rename ${to}`, async () => {
        await diskFiles.rename(from, to);
        if (unsynced.has(from)) unsynced.set(to, unsynced.get(from) as number);
        unsynced.delete(from);
        changes.push({ folder: dirname(to), undo: () => renameSync(to, from) });
      }),
    remove: (path) =>
      step(`remove ${path}`, async () => {
        if (!existsSync(path)) return;
        const bytes = readFileSync(path);
        await diskFiles.remove(path);
        changes.push({ folder: dirname(path), undo: () => writeFileSync(path, bytes) });
      }),
    syncFolder: (path) =>
      step(`sync folder ${path}`, async () => {
        await diskFiles.syncFolder(path);
        changes = changes.filter(({ folder }) => folder !== path);
      }),
    lose({ content, name }, draw) {
      for (const change of changes.reverse()) if (name(draw()) === 'undone') change.undo();
      for (const [path, kept] of unsynced) damage(path, kept, content(draw()), draw());
      changes = [];
    },
  };
}

function damage(path: string, kept: number, how: 'kept' | 'cut' | 'zeros', draw: number): void {
  if (how === 'kept' || !existsSync(path)) return;
  const bytes = readFileSync(path);
  const from = kept + Math.floor(draw * (bytes.length - kept));
  if (how === 'cut') truncateSync(path, from);
  else writeFileSync(path, bytes.fill(0, from));
}
