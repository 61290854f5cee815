/**
 * Published pickles to our safetensors, one tensor in memory at a time. Node only.
 *
 * Everything a checkpoint says is kept: tensors, constructor arguments, attributes, settings. Only Python
 * objects without a plain form (module sources, hooks) stay behind.
 */

import { statSync } from 'node:fs';
import { NetworkError } from '../errors.ts';
import { toHalves } from '../tensor/half.ts';
import { NETWORK_NAMES, type NetworkName } from './checkpoint.ts';
import { bytesOfElements, type ElementNdArray, type ElementType, toFloat32 } from './elements.ts';
import type { NetworkTensor } from './network.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import {
  networkOptions,
  PORTRAIT_FORMAT,
  PORTRAIT_VERSION,
  type PortraitOptions,
} from './portrait-safetensors.ts';
import { writeSafetensors } from './safetensors-write.ts';

/** Options of {@link convertCheckpoint}. */
export interface ConvertOptions {
  /** Keeps G and D too, which only training needs; false by default. */
  readonly training?: boolean;
  /** Keeps just these, in place of the averages. */
  readonly networks?: readonly NetworkName[];
  /** Refuses weights that are NaN or infinite. */
  readonly finite?: boolean;
  /** Stores the float32 parameters of networks in half precision; body and buffers stay as they are. */
  readonly float16?: boolean;
  /** Called after each tensor. */
  readonly onProgress?: (progress: ConvertProgress) => void;
}

/** How far a conversion is. */
export interface ConvertProgress {
  readonly tensor: string;
  readonly done: number;
  readonly total: number;
}

/** What a conversion wrote. */
export interface ConvertReport {
  readonly path: string;
  readonly bytes: number;
  readonly tensorCount: number;
  readonly networks: readonly NetworkName[];
  /** What the user must know: licences, missing parts, numbers beyond half precision. */
  readonly warnings: readonly string[];
}

interface Job {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly tensor: NetworkTensor;
}

/** Converts a checkpoint to one `.safetensors` file.
 *
 * @throws FormatError, NetworkError when the input is no checkpoint; the output is then left as it was.
 */
export function convertCheckpoint(
  inPath: string,
  outPath: string,
  options: ConvertOptions = {},
): ConvertReport {
  const checkpoint = openCheckpoint(inPath);
  try {
    const wanted = NETWORK_NAMES.filter(
      (name) => options.networks?.includes(name) ?? (name.endsWith('_ema') || options.training === true),
    );
    const names = wanted.filter((name) => checkpoint.networks[name]);
    if (names.length === 0) {
      throw new NetworkError(
        options.networks === undefined
          ? 'the checkpoint has no averaged networks (G_ema, D_ema); convert it with "--training"'
          : `the checkpoint has none of ${wanted.join(', ')}`,
      );
    }
    const warnings: string[] = [];
    for (const name of wanted) if (!checkpoint.networks[name]) warnings.push(`the checkpoint has no ${name}`);

    const jobs: Job[] = [];
    const portrait: { -readonly [K in keyof PortraitOptions]: PortraitOptions[K] } & {
      networks: Record<string, ReturnType<typeof networkOptions>>;
    } = { networks: {}, trainingSetKwargs: checkpoint.trainingSetKwargs };
    let hasBody = false;
    for (const name of names) {
      const network = checkpoint.networks[name];
      if (!network) continue;
      portrait.networks[name] = networkOptions(network);
      for (const [tensorName, tensor] of network.tensors) {
        const isBody = tensorName.startsWith('renderer.');
        hasBody ||= isBody;
        const halve = options.float16 && tensor.dtype === 'float32' && tensor.kind === 'parameter' && !isBody;
        jobs.push({
          name: `${name}.${tensorName}`,
          dtype: halve ? 'float16' : tensor.dtype,
          shape: tensor.shape,
          tensor,
        });
      }
    }
    if (hasBody) {
      warnings.push(
        'the body model inside the checkpoint (renderer.*) is under the SMPL licence: do not pass the file on',
      );
    }

    let done = 0;
    let overflows = 0;
    const metadata = {
      format: PORTRAIT_FORMAT,
      version: PORTRAIT_VERSION,
      options: JSON.stringify(portrait),
    };
    writeSafetensors(outPath, jobs, metadata, (job) => {
      const data = job.tensor.read();
      if (options.finite) refuseNotFinite(job.name, { ...job.tensor, data });
      options.onProgress?.({ tensor: job.name, done: ++done, total: jobs.length });
      if (job.dtype === job.tensor.dtype) return bytesOfElements(data);
      const half = toHalves(data as Float32Array);
      half.forEach((bits, i) => {
        if ((bits & 0x7fff) === 0x7c00 && Number.isFinite(Number(data[i]))) overflows++;
      });
      return bytesOfElements(half);
    });
    if (overflows > 0) warnings.push(`${overflows} parameters are beyond half precision and became infinite`);
    return {
      path: outPath,
      bytes: statSync(outPath).size,
      tensorCount: jobs.length,
      networks: names,
      warnings,
    };
  } finally {
    checkpoint.close();
  }
}

function refuseNotFinite(name: string, array: ElementNdArray): void {
  const values = array.dtype.startsWith('float') ? toFloat32(array) : undefined;
  const bad = values?.findIndex((value) => !Number.isFinite(value)) ?? -1;
  if (bad >= 0)
    throw new NetworkError(
      `"${name}" holds ${values?.[bad]} at element ${bad}: pictures made with it would be empty; take an earlier checkpoint`,
    );
}
