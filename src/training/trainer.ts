/** A run on an engine: iterations one after another, what they leave behind, and when to stop. */

import { DivergenceError, FormatError } from '../errors.ts';
import type { JsonObject } from '../portrait/config.ts';
import type { NdArray, Resident } from '../tensor/index.ts';
import type { IterationReport, Place } from './iteration.ts';
import type { NetworkKind, ResidentNetworks } from './resident.ts';
import type { TrainingState } from './state.ts';

/** Losses beyond this are no training any more. */
const LARGEST_LOSS = 1e8;

/** Numbers of gradients that are not finite are replaced, as published, in fewer iterations running. */
const MOST_REPLACED = 5;

export interface Trainer {
  place(): Place;
  /** Does an iteration.
   *
   * @throws DivergenceError when a loss is not finite or beyond all measure; nothing can be saved after that.
   */
  step(): Promise<IterationReport>;
  /** Everything that the run needs to go on. @param more what the caller keeps beside it */
  state(more: JsonObject): Promise<TrainingState>;
}

/** Where a state is. @throws FormatError when it does not say. */
export function placeOf(record: JsonObject): Place {
  const count = (key: string): number => whole(record[key], key);
  return { iteration: count('iteration'), seen: count('seen'), start: count('start') };
}

/** Ages of the moments in a state's record. @throws FormatError when one is no count. */
export function stepsOf({ steps }: JsonObject): Readonly<Record<string, number>> {
  const ages = Object.entries((steps ?? {}) as JsonObject);
  return Object.fromEntries(ages.map(([name, age]) => [name, whole(age, `steps of ${name}`)]));
}

function whole(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new FormatError(`the training state is no state of a run: ${what} is ${JSON.stringify(value)}`);
}

/** @param from where the data is at the beginning, as a report says it */
export function createTrainer(
  residents: ResidentNetworks,
  iterate: (place: Place) => Promise<IterationReport>,
  begin: Place,
  from?: JsonObject,
): Trainer {
  let place = begin;
  let position = from;
  let broken: DivergenceError | undefined;
  let replaced = 0;
  return {
    place: () => place,
    async step() {
      if (broken !== undefined) throw broken;
      const report = await iterate(place);
      const wrong = divergence(report);
      if (wrong !== undefined) {
        const layer = await firstBadLayer(residents);
        broken = new DivergenceError(
          `training diverged in iteration ${place.iteration} (${place.seen} images): ${wrong}; ${layer}`,
        );
        throw broken;
      }
      replaced = [...report.bad.values()].some((count) => count > 0) ? replaced + 1 : 0;
      if (replaced >= MOST_REPLACED) {
        const phases = [...report.bad]
          .filter(([, count]) => count > 0)
          .map(([phase, count]) => `${count} in ${phase}`);
        broken = new DivergenceError(
          `training diverged: gradients that are not finite in ${replaced} iterations running (${phases.join(', ')}), ` +
            `the last after ${place.seen} images; ${await firstBadLayer(residents)}`,
        );
        throw broken;
      }
      position = report.position;
      place = { ...place, iteration: place.iteration + 1, seen: place.seen + report.images };
      return report;
    },
    async state(more) {
      if (broken !== undefined) throw broken;
      const tensors = await residents.tensors();
      const steps: Record<string, number> = {};
      for (const [kind, network] of Object.entries(residents.networks))
        for (const [name, count] of network.steps) steps[`${kind}/${name}`] = count;
      refuseBadTensors(tensors, place);
      return { tensors, record: { ...more, ...place, steps, ...(position && { loader: position }) } };
    },
  };
}

/** What is wrong with the losses of an iteration. */
function divergence({ losses }: IterationReport): string | undefined {
  for (const [phase, values] of losses)
    for (const loss of values) {
      if (!Number.isFinite(loss)) return `the loss of ${phase} is ${loss}`;
      if (Math.abs(loss) > LARGEST_LOSS) return `the loss of ${phase} is ${loss.toExponential(2)}`;
    }
  return undefined;
}

/** The first weight that is not finite, in the order of the layers; or the largest, when all are finite. */
async function firstBadLayer({ networks, engine }: ResidentNetworks): Promise<string> {
  let largest = { name: '', size: 0 };
  for (const [kind, { values }] of Object.entries(networks) as [
    NetworkKind,
    { values: Map<string, Resident> },
  ][])
    for (const [name, value] of values) {
      const { data } = await engine.download(value);
      for (const x of data) {
        if (!Number.isFinite(x)) return `the first layer that is not finite is ${kind}'s "${name}"`;
        if (Math.abs(x) > largest.size) largest = { name: `${kind}'s "${name}"`, size: Math.abs(x) };
      }
    }
  return `all weights are finite, the largest is ${largest.size.toPrecision(3)} in ${largest.name}`;
}

/** A state with weights that are not finite must never take the place of one without. */
function refuseBadTensors(tensors: ReadonlyMap<string, NdArray>, { iteration, seen }: Place): void {
  for (const [name, { data }] of tensors)
    if (!data.every(Number.isFinite))
      throw new DivergenceError(
        `"${name}" is not finite after iteration ${iteration} (${seen} images): nothing is saved, the last checkpoint stays`,
      );
}
