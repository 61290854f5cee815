/**
 * Loaded before a program (`node --import`): kills it with SIGKILL at a given operation on the disk.
 *
 * Counts what saving does through `node:fs/promises`: creating, writing, syncing, renaming, removing. KILL_AT is the
 * number of the operation, from 0; the process dies before it, or, for a write and with KILL_TORN, in the
 * middle of it. KILL_ACKNOWLEDGE is a file descriptor: the name of each state file goes there once its folder was
 * synced after its manifest got its name.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

const at = Number(process.env.KILL_AT ?? -1);
const torn = process.env.KILL_TORN === '1';
const reportTo = Number(process.env.KILL_ACKNOWLEDGE ?? -1);
let done = 0;
let renamed;

function step(half) {
  if (done++ !== at) return;
  if (torn) half?.();
  process.kill(process.pid, 'SIGKILL');
}

const real = { ...fs.promises };
fs.promises.open = async (path, flags, ...more) => {
  const writes = flags !== undefined && flags !== 'r';
  if (writes) step();
  const file = await real.open(path, flags, ...more);
  const { write, sync } = file;
  file.write = (bytes, offset, length, position) => {
    step(() => fs.writeSync(file.fd, bytes, offset, length >> 1, position));
    return write.call(file, bytes, offset, length, position);
  };
  file.sync = async () => {
    step();
    await sync.call(file);
    if (!writes && renamed !== undefined && reportTo >= 0) fs.writeSync(reportTo, `${renamed}\n`);
    if (!writes) renamed = undefined;
  };
  return file;
};
fs.promises.rename = async (from, to) => {
  step();
  await real.rename(from, to);
  if (to.endsWith('.json')) renamed = basename(to, '.json');
};
fs.promises.rm = async (path, ...more) => {
  step();
  await real.rm(path, ...more);
};
syncBuiltinESMExports();
