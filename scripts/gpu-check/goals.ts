/** What the engine is meant to reach on a large GPU, and what was found. */

import { digits, type Measured } from './measured.ts';

export interface Goal {
  readonly goal: string;
  readonly found: string;
  /** Undefined where it was not measured. */
  readonly met: boolean | undefined;
}

export function goalsOf(m: Measured): Goal[] {
  return [
    convolutionGoal(m),
    halfGoal(m),
    timeGoal(m, 'whole picture, picture read', 25),
    timeGoal(m, 'frame of kept planes, picture read', 12),
    renderingGoal(m),
    correctnessGoal(m),
  ];
}

interface Share {
  readonly name: string;
  readonly share: number;
}

/** Range and median of shares of convolutions; the goal holds if the median does. */
function sharesGoal(goal: string, shares: readonly Share[], least: number): Goal {
  if (shares.length === 0) return { goal, found: 'not measured', met: undefined };
  const sorted = [...shares].sort((a, b) => a.share - b.share);
  const percent = ({ share }: Share): string => `${(100 * share).toFixed(0)} %`;
  const middle = sorted[sorted.length >> 1];
  const [lowest, highest] = [sorted[0], sorted[sorted.length - 1]];
  return {
    goal,
    found: `median ${percent(middle)}; ${percent(lowest)} (${lowest.name}) to ${percent(highest)} (${highest.name})`,
    met: middle.share >= least,
  };
}

/** 3x3 convolutions as networks run them, forward. */
const CONVOLUTION = /^conv 3x3 .*, forward$/;

function convolutionGoal({ rows, ceiling }: Measured): Goal {
  const { f32 } = ceiling;
  const shares = rows('dense').flatMap(({ operation, precision, teraflops }) =>
    f32 !== undefined && precision === 'f32' && CONVOLUTION.test(`${operation}`)
      ? [{ name: `${operation}`, share: Number(teraflops) / f32 }]
      : [],
  );
  return sharesGoal('3x3 convolutions in f32 at 50 % of the measured ceiling', shares, 0.5);
}

function halfGoal({ rows, peer }: Measured): Goal {
  const shares = rows('dense').flatMap(({ operation, precision, ms }) => {
    const theirs = peer[`${operation}`]?.float16;
    return theirs !== undefined && precision === 'half' && CONVOLUTION.test(`${operation}`)
      ? [{ name: `${operation}`, share: theirs / Number(ms) }]
      : [];
  });
  return sharesGoal("3x3 convolutions in half precision at 15 % of PyTorch's float16 rate", shares, 0.15);
}

function timeGoal({ stage }: Measured, name: string, most: number): Goal {
  const [single, half] = (['f32', 'half'] as const).map((precision) => stage('512-128', precision, name)?.ms);
  const goal = `512-128, ${name}: under ${most} ms`;
  if (typeof single !== 'number' && typeof half !== 'number')
    return { goal, found: 'not measured', met: undefined };
  const times = [single, half].filter((ms) => typeof ms === 'number');
  return {
    goal,
    found: `f32 ${digits(single) || '?'} ms, half ${digits(half) || '?'} ms`,
    met: Math.min(...times) < most,
  };
}

function renderingGoal({ stage, rendering }: Measured): Goal {
  const goal = 'rendering of 512-128 in f32 5 times faster than eager PyTorch';
  const [ours, theirs] = [stage('512-128', 'f32', 'rendering')?.ms, rendering?.float32];
  if (typeof ours !== 'number' || theirs === undefined)
    return { goal, found: 'not measured', met: undefined };
  const times = theirs / ours;
  return { goal, found: `${digits(times)} times (${digits(theirs)} / ${digits(ours)} ms)`, met: times >= 5 };
}

function correctnessGoal({ rows }: Measured): Goal {
  const all = rows('correctness');
  const within = all.filter((row) => row.within === true).length;
  return {
    goal: 'every row of correctness within its tolerance',
    found: `${within} of ${all.length}`,
    met: all.length === 0 ? undefined : within === all.length,
  };
}
