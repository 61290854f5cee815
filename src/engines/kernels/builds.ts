/** Choosing a module's build, and giving it memory that threads share. */

import type { KernelCode } from './kernel.ts';

/** The build with relaxed SIMD where this place takes it. */
export function buildFor({ wasm, relaxed }: KernelCode): Uint8Array<ArrayBuffer> {
  return relaxed !== undefined && WebAssembly.validate(relaxed) ? relaxed : wasm;
}

const HEADER_BYTES = 8;
const IMPORT_SECTION = 2;
const MEMORY = 2;
const SHARED = 2;

/** The same module, importing shared memory: its code is the same, only the import's flag differs.
 *
 * @throws Error when the module does not begin its imports with its memory.
 */
export function withSharedMemory(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = wasm.slice();
  let at = HEADER_BYTES;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const size = number();
    if (section !== IMPORT_SECTION) {
      at += size;
      continue;
    }
    number(); // how many imports there are
    for (let name = 0; name < 2; name++) {
      const length = number();
      at += length;
    }
    if (bytes[at++] !== MEMORY) break;
    bytes[at] |= SHARED;
    return bytes;
  }
  throw new Error('internal: the kernels do not import their memory first');
}
