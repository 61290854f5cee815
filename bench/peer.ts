/** PyTorch beside our own: a script in a process of its own, if there is a Python with PyTorch ($PYTHON, or the system's). */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Peer {
  /** Milliseconds of one call; infinite without PyTorch. */
  time(request: readonly (string | number)[]): Promise<number>;
  version(): string;
  stop(): void;
}

/** Starts a script of this folder: one line with sizes in, one line with milliseconds out. */
export function startPeer(name: string, threads: number): Peer {
  const script = fileURLToPath(new URL(`./${name}`, import.meta.url));
  const child = spawn(process.env.PYTHON ?? '/usr/bin/python3', [script, String(threads)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OMP_WAIT_POLICY: 'passive' },
  });
  const waiting: ((line: string | undefined) => void)[] = [];
  let version = 'not installed';
  let alive = true;
  const stop = (): void => {
    alive = false;
    for (const answer of waiting.splice(0)) answer(undefined);
  };
  child.on('error', stop);
  child.on('exit', stop);
  child.stdin.on('error', stop);
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('version ')) version = line.slice(8);
    else waiting.shift()?.(line);
  });
  return {
    time: async (request) => {
      if (!alive) return Number.POSITIVE_INFINITY;
      child.stdin.write(`${request.join(' ')}\n`);
      const line = await new Promise<string | undefined>((resolve) => waiting.push(resolve));
      return line === undefined ? Number.POSITIVE_INFINITY : Number(line);
    },
    version: () => version,
    stop: () => child.kill(),
  };
}
