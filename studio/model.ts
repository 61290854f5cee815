/** The model: fetched whole, with progress, and read from its bytes. */

import {
  bytesSource,
  type LoadedNetwork,
  loadNetwork,
  NetworkError,
  readCheckpoint,
} from '../src/browser.ts';

/** Fetches a checkpoint (.safetensors or .pkl) and gives its generator, the averaged one where there is one.
 *
 * @param onProgress told the bytes so far, and how many there are where the server says so.
 * @throws Error naming the address when it cannot be had, FormatError or NetworkError when it is no checkpoint.
 */
export async function fetchModel(
  url: string,
  onProgress: (done: number, total: number | undefined) => void,
): Promise<LoadedNetwork> {
  const { networks } = readCheckpoint(bytesSource(await fetchBytes(url, onProgress)));
  const generator = networks.G_ema ?? networks.G;
  if (generator === undefined) throw new NetworkError('the model holds neither G_ema nor G');
  return loadNetwork(generator);
}

async function fetchBytes(
  url: string,
  onProgress: (done: number, total: number | undefined) => void,
): Promise<Uint8Array> {
  const response = await fetch(url).catch((error) => {
    throw new Error(`${url} cannot be fetched: ${(error as Error).message}`);
  });
  if (!response.ok || response.body === null) {
    throw new Error(`${url} cannot be fetched: the server answers ${response.status} ${response.statusText}`);
  }
  // Of a compressed body the length is not that of what arrives here.
  const length = Number(response.headers.get('content-length'));
  const isPlain = response.headers.get('content-encoding') === null;
  const total = isPlain && length > 0 ? length : undefined;
  let bytes = new Uint8Array(total ?? 1 << 20);
  let done = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { value } = await reader.read();
    if (value === undefined) return bytes.subarray(0, done);
    if (done + value.length > bytes.length) {
      const more = new Uint8Array(Math.max(2 * bytes.length, done + value.length));
      more.set(bytes.subarray(0, done));
      bytes = more;
    }
    bytes.set(value, done);
    done += value.length;
    onProgress(done, total);
  }
}
