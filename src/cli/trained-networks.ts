/** The networks that training works on: G and D of a checkpoint, with what of them is trained. */

import { type BodyModel, bodyFromBuffers, hasBodyBuffers } from '../body/index.ts';
import { NetworkError } from '../errors.ts';
import { loadNetwork } from '../load.ts';
import type { LoadedNetwork } from '../portrait/session.ts';
import { type Network, openCheckpoint } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';

export interface TrainedNetworks {
  readonly generator: LoadedNetwork;
  readonly discriminator: LoadedNetwork;
  /** Names of the parameters that an optimiser owns, in registration order: the body's are never trained. */
  readonly trainable: Readonly<Record<'G' | 'D', readonly string[]>>;
  body(): BodyModel | undefined;
  close(): void;
}

/** Opens them.
 *
 * @throws UsageError for a missing file, NetworkError for a checkpoint without them.
 */
export async function openTrainedNetworks(file: string): Promise<TrainedNetworks> {
  requireFile(file, '--network');
  const checkpoint = await readingFrom(file, () => openCheckpoint(file));
  try {
    const [G, D] = (['G', 'D'] as const).map((name) => {
      const found = checkpoint.networks[name];
      if (found === undefined)
        throw new NetworkError(
          `"${file}" has no network ${name}, only averages; convert the original with --training`,
        );
      return found;
    });
    return {
      generator: loadNetwork(G),
      discriminator: loadNetwork(D),
      trainable: { G: trainableOf(G), D: trainableOf(D) },
      body: () => (hasBodyBuffers(G.tensors) ? bodyFromBuffers(G.tensors) : undefined),
      close: () => checkpoint.close(),
    };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

function trainableOf({ tensors }: Network): string[] {
  return [...tensors]
    .filter(([name, { kind }]) => kind === 'parameter' && !name.includes('aligned_SMPL'))
    .map(([name]) => name);
}
