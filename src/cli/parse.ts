/** Texts of options to values, with exact messages. */

import { UsageError } from '../errors.ts';

/** A parser of one option's text. */
export type Parser<T> = (text: string) => T;

/** Largest seed of the generator of random numbers. */
const MAX_SEED = 0xffffffff;

/** Most seeds of one command; more is a slip of the pen. */
const MAX_SEEDS = 100_000;

/** Seeds as `0-3,7`: ranges include both ends; a seed named twice counts once.
 *
 * @throws UsageError naming the part that is wrong.
 */
export function parseSeeds(text: string): number[] {
  if (text.trim() === '') throw new UsageError('--seeds is empty; expected a list such as 0-3,7');
  const seeds = new Set<number>();
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (/^-\d+/.test(part)) throw new UsageError(`--seeds: "${part}" is negative; seeds start at 0`);
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) {
      throw new UsageError(
        `--seeds: "${part}" is neither a number nor a range; expected a list such as 0-3,7`,
      );
    }
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first)
      throw new UsageError(`--seeds: the range "${part}" runs backwards; write ${last}-${first}`);
    if (last > MAX_SEED) throw new UsageError(`--seeds: "${part}" goes beyond ${MAX_SEED}, the largest seed`);
    if (seeds.size + last - first >= MAX_SEEDS) throw new UsageError(`--seeds: more than ${MAX_SEEDS} seeds`);
    for (let seed = first; seed <= last; seed++) seeds.add(seed);
  }
  return [...seeds];
}

/** A finite number within limits, both included. */
export function numberOption(option: string, min = -Infinity, max = Infinity): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value))
      throw new UsageError(`${option} is "${text}"; expected a number`);
    if (value < min || value > max)
      throw new UsageError(`${option} is ${text}; expected ${between(min, max)}`);
    return value;
  };
}

/** A whole number within limits, both included. */
export function wholeOption(option: string, min: number, max = Infinity): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()))
      throw new UsageError(`${option} is "${text}"; expected a whole number`);
    if (value < min || value > max)
      throw new UsageError(`${option} is ${text}; expected ${between(min, max)}`);
    return value;
  };
}

/** Numbers separated by commas, each once. */
export function numbersOption(option: string): Parser<number[]> {
  const parse = numberOption(option);
  return (text) => [...new Set(text.split(',').map(parse))];
}

/** One of several words. */
export function wordOption<T extends string>(option: string, words: readonly T[]): Parser<T> {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new UsageError(`${option} is "${text}"; expected ${words.join(', ')}`);
    return found;
  };
}

/** Several of several words, separated by commas, each once. */
export function wordsOption<T extends string>(option: string, words: readonly T[]): Parser<T[]> {
  const parse = wordOption(option, words);
  return (text) => [...new Set(text.split(',').map((word) => parse(word.trim())))];
}

/** A range of rows as `0-6` or `3`, both ends included. */
export function rangeOption(option: string): Parser<readonly [number, number]> {
  return (text) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
    if (match === null) throw new UsageError(`${option} is "${text}"; expected a range such as 0-6`);
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first) throw new UsageError(`${option}: the range "${text}" runs backwards`);
    return [first, last];
  };
}

/** Refuses options that cannot be meant together.
 *
 * @param given names of options to whether they were given.
 */
export function refuseTogether(given: Readonly<Record<string, boolean>>, why: string): void {
  const names = Object.keys(given).filter((name) => given[name]);
  if (names.length > 1) throw new UsageError(`${names.join(' and ')} contradict each other: ${why}`);
}

function between(min: number, max: number): string {
  if (max === Infinity) return `at least ${min}`;
  if (min === -Infinity) return `at most ${max}`;
  return `${min} to ${max}`;
}
