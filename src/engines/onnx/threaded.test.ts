import { expect, test } from 'vitest';
import type { ThreadedStep } from './plan.ts';
import { type Team, threadedRunner } from './threaded.ts';

/** Three threads that only note what they are asked. */
function fakeTeam() {
  const calls: { entry: string; args: readonly (readonly number[])[] }[] = [];
  const team: Team = {
    threads: 3,
    memory: new WebAssembly.Memory({ initial: 1, maximum: 65536 }),
    firstFree: 1024,
    run: (entry, args) => calls.push({ entry, args }),
  };
  return { team, calls };
}

const step: ThreadedStep = {
  kind: 'threaded',
  entry: 'work',
  args: [{ input: 0 }, 'kept', { output: 0 }, 'counter', 'scratch', 7],
  scratchBytes: 100,
  kept: { input: 1, entry: 'pack', args: [{ input: 1 }, 'kept', 'counter'], bytes: 4000 },
  sharedBytes: 0,
  finish: undefined,
  inputs: [],
  outputs: [],
  label: 'work',
};

const floats = (...values: number[]) => Float32Array.from(values);

test('operands do not overlap, and every thread has its own scratch memory', () => {
  const { team, calls } = fakeTeam();
  threadedRunner(team).run(step, [floats(1, 2), floats(3)], [floats(0)]);
  expect(calls.map(({ entry }) => entry)).toEqual(['pack', 'work']);
  const { args } = calls[1];
  const [input, kept, output, counter, scratch] = args[0];
  expect([counter, kept]).toEqual([1024, 1088]);
  const places = [kept, kept + 4000, input, input + 8, output, output + 4, scratch, scratch + 100];
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(args.map((own) => own[4] - scratch)).toEqual([0, 128, 256]);
  expect(args.every((own) => own[5] === 7 && own[0] === input)).toBe(true);
  expect(team.memory.buffer.byteLength).toBeGreaterThanOrEqual(scratch + 3 * 128);
});

test('a kept input is laid out once for each value and layout', () => {
  const { team, calls } = fakeTeam();
  const runner = threadedRunner(team);
  const run = (key?: number, kept = step.kept) => {
    calls.length = 0;
    runner.run({ ...step, kept }, [floats(1), floats(2)], [floats(0)], key);
    return calls.map(({ entry }) => entry).join(' ');
  };
  expect([run(5), run(5), run(6), run(5), run(), run(), run(5)]).toEqual([
    ...['pack work', 'work', 'pack work', 'pack work', 'pack work', 'pack work', 'pack work'],
  ]);
  expect(run(5, { ...step.kept!, bytes: 8000 })).toBe('pack work');
  // A step without one leaves what is kept alone.
  run(5);
  runner.run({ ...step, args: [{ input: 0 }], kept: undefined }, [floats(1)], []);
  expect(calls[calls.length - 1].args[0][0]).toBeGreaterThanOrEqual(1088 + 4000);
  expect(run(5)).toBe('work');
});

test('more than WebAssembly addresses is an error that says what to do', () => {
  const { team } = fakeTeam();
  expect(() =>
    threadedRunner(team).run({ ...step, scratchBytes: 2 ** 31 }, [floats(1), floats(2)], []),
  ).toThrow(/work: 6145 MB for its threads cannot be had: use a smaller batch or picture/);
});
