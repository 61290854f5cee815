/** Which curves belong on one plot, and the numbers they go through. Pure. */

import type { Tick } from '../messages.ts';

export interface Curve {
  readonly label: string;
  readonly statistic: string;
  readonly value?: (mean: number) => number;
}

export interface Plot {
  readonly title: string;
  readonly curves: readonly Curve[];
}

export type AxisName = 'kimg' | 'hours';

const POSE_NUMBERS = ['neck nod', 'neck turn', 'neck tilt', 'head nod', 'head turn', 'head tilt'];

/** Titles of groups in their order; others come after, by the name that their statistics share. */
const TITLES: Readonly<Record<string, string>> = {
  Taught: 'Taught losses',
  'Loss/D': "Parts of the discriminator's loss",
  'Loss/scores': "Discriminator's scores",
  'Loss/signs': 'Signs of the scores',
  'Loss_pose/real': 'Pose error on portraits, degrees',
  'Loss_pose/fake': 'Pose error on fakes, degrees',
  'pose_scale/real': 'Size of predicted poses, portraits, degrees',
  'pose_scale/fake': 'Size of predicted poses, fakes, degrees',
  'pose_scale/input_pose_params': 'Size of imagined poses, degrees',
  Loss: 'Penalties on gradients',
  'Loss/G_reg': 'Regularisation of densities',
  Resources: 'Memory, GB',
};

/** Plots that are put together by hand, in this order, before the groups. */
const FIRST: readonly Plot[] = [
  {
    title: 'Losses',
    curves: [
      { label: 'generator', statistic: 'Loss/G/loss' },
      { label: 'discriminator', statistic: 'Loss/D/loss' },
      { label: 'taught', statistic: 'Taught/loss' },
    ],
  },
  {
    title: 'Images or views a second',
    curves: [{ label: 'rate', statistic: 'Timing/sec_per_kimg', value: (seconds) => 1000 / seconds }],
  },
  {
    title: 'Seconds a tick',
    curves: [
      { label: 'tick', statistic: 'Timing/sec_per_tick' },
      { label: 'upkeep before it', statistic: 'Timing/maintenance_sec' },
    ],
  },
  {
    title: 'Losses of poses',
    curves: [
      { label: "discriminator's prediction", statistic: 'Loss/D/Poseloss' },
      { label: "generator's regulariser", statistic: 'Loss/D/input_pose_params_reg_loss' },
    ],
  },
];

/** What only counts time is an axis, not a curve; `Dloss` equals the generator's loss; the rest is in {@link FIRST}. */
const isHidden = (name: string): boolean =>
  /^(Progress|Timing)\//.test(name) ||
  name === 'Loss/G/Dloss' ||
  FIRST.some(({ curves }) => curves.some(({ statistic }) => statistic === name));

/** Plots for statistics of these names. */
export function plotsOf(names: ReadonlySet<string>): Plot[] {
  const first = FIRST.map(({ title, curves }) => ({
    title,
    curves: curves.filter(({ statistic }) => names.has(statistic)),
  }));
  const groups = new Map<string, Curve[]>();
  for (const statistic of [...names].sort()) {
    if (isHidden(statistic)) continue;
    const { group, label } = placeOf(statistic);
    groups.set(group, [...(groups.get(group) ?? []), { label, statistic }]);
  }
  const order = Object.keys(TITLES);
  const rank = (group: string): number => (order.includes(group) ? order.indexOf(group) : order.length);
  const rest = [...groups]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([group, curves]) => ({ title: TITLES[group] ?? group, curves }));
  return [...first, ...rest].filter(({ curves }) => curves.length > 0);
}

/** Numbered statistics belong together, and those of one path do. */
function placeOf(statistic: string): { group: string; label: string } {
  const numbered = /^(.*)_(\d+)$/.exec(statistic);
  if (numbered !== null)
    return { group: numbered[1], label: POSE_NUMBERS[Number(numbered[2])] ?? numbered[2] };
  const slash = statistic.lastIndexOf('/');
  return { group: statistic.slice(0, Math.max(slash, 0)), label: statistic.slice(slash + 1) };
}

/** Means of a curve, a gap where a tick has none. */
export function valuesOf(
  ticks: readonly Tick[],
  { statistic, value = (mean) => mean }: Curve,
): (number | null)[] {
  return ticks.map(({ statistics }) => {
    const mean = statistics[statistic]?.mean;
    return typeof mean === 'number' ? value(mean) : null;
  });
}

/** Where on the axis ticks lie. */
export function placesOf(ticks: readonly Tick[], axis: AxisName): number[] {
  const mean = ({ statistics }: Tick, name: string): number | undefined =>
    statistics[name]?.mean ?? undefined;
  if (axis === 'kimg') return ticks.map((tick, i) => mean(tick, 'Progress/kimg') ?? i);
  return ticks.map(
    (tick) => mean(tick, 'Timing/total_hours') ?? (tick.timestamp - ticks[0].timestamp) / 3600,
  );
}

/** Exponential mean: `weight` of what was, the rest of what comes; the first values count in full (Kingma and Ba's
 * correction). Gaps stay. */
export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  let [sum, share] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    share = weight * share + (1 - weight);
    return sum / share;
  });
}

/** A number in few characters. */
export function shortNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)));
}
