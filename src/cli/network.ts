/** Networks by name: files, and presets with initial weights. */

import { fileURLToPath } from 'node:url';
import { type BodyModel, bodyFromBuffers, hasBodyBuffers } from '../body/index.ts';
import { NetworkError } from '../errors.ts';
import { initialNetworks, loadNetwork } from '../load.ts';
import type { LoadedNetwork } from '../portrait/session.ts';
import { openCheckpoint } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';
import { note } from './output.ts';
import { newestOfRun } from './run-files.ts';

/** Names a preset with initial weights instead of a file. */
const PRESET_PREFIX = 'preset:';

/** The model that ships with the package: `docs/model.md`. */
export const EMBEDDED = new URL('../../models/portrait.safetensors', import.meta.url);

/** What `--network` takes, for help texts. */
export const NETWORK_HELP =
  'checkpoint (.pkl or .safetensors), folder of a training run, or preset:NAME for a network with initial weights';

/** The networks a command works with. */
export interface OpenNetworks {
  /** What to call it in sheets and reports. */
  readonly label: string;
  /** True when the weights are initial ones. */
  readonly untrained: boolean;
  readonly generator: LoadedNetwork;
  /** Opened when asked for. @throws NetworkError when there is none. */
  discriminator(): LoadedNetwork;
  /** The body that the checkpoint carries, if it does. */
  body?(): BodyModel | undefined;
  close(): void;
}

/** Opens what `--network` names; the embedded model without it.
 *
 * @throws UsageError for a missing file, FormatError and NetworkError for one that is no checkpoint.
 */
export async function openNetworks(given?: string): Promise<OpenNetworks> {
  const name = given ?? fileURLToPath(EMBEDDED);
  if (name.startsWith(PRESET_PREFIX)) {
    const preset = name.slice(PRESET_PREFIX.length);
    const label = `preset ${preset}, initial weights`;
    return { label, untrained: true, ...initialNetworks(preset), close: () => {} };
  }
  requireFile(name, '--network');
  const file = newestOfRun(name);
  const checkpoint = await readingFrom(file, () => openCheckpoint(file));
  const averaged = (kind: 'G' | 'D'): LoadedNetwork => {
    const found = checkpoint.networks[`${kind}_ema`];
    if (found !== undefined) return loadNetwork(found);
    const plain = checkpoint.networks[kind];
    if (plain === undefined) throw new NetworkError(`"${name}" holds neither ${kind}_ema nor ${kind}`);
    note(`"${name}" has no averaged network ${kind}_ema: using ${kind}`);
    return loadNetwork(plain);
  };
  try {
    return {
      label: given ?? 'the embedded model',
      untrained: false,
      generator: averaged('G'),
      discriminator: () => averaged('D'),
      body: () => {
        const found = checkpoint.networks.G_ema ?? checkpoint.networks.G;
        return found !== undefined && hasBodyBuffers(found.tensors)
          ? bodyFromBuffers(found.tensors)
          : undefined;
      },
      close: () => checkpoint.close(),
    };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}
