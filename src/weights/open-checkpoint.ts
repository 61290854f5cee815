/** Opens checkpoints by path. Node only. */

import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { openFileSource } from './file-source.ts';
import type { ByteSource } from './source.ts';

/** A checkpoint that may hold a file open. */
export interface OpenCheckpoint extends Checkpoint {
  /** Closes the file; tensors cannot be read afterwards. */
  close(): void;
}

/** Opens a published `.pkl` or one of our `.safetensors`, told apart by content.
 *
 * @throws FormatError, NetworkError as {@link readCheckpoint} does.
 */
export function openCheckpoint(file: string | ByteSource): OpenCheckpoint {
  if (typeof file !== 'string') return { ...readCheckpoint(file), close: () => {} };
  const source = openFileSource(file);
  try {
    return { ...readCheckpoint(source), close: source.close };
  } catch (error) {
    source.close();
    throw error;
  }
}
