/** What a file is, by its content; its name does not count. */

import { latin1 } from './pickle-text.ts';
import type { ByteSource } from './source.ts';

/** Kinds of files told apart. */
export type FileKind =
  | 'empty'
  | 'pickle'
  | 'safetensors'
  | 'npy'
  | 'zip'
  | 'gzip'
  | 'html'
  | 'git-lfs'
  | 'json'
  | 'image'
  | 'unknown';

const HEAD_BYTES = 512;

/** First opcodes of pickles of protocols 0 and 1. */
const OLD_PICKLE_STARTS = '(}])cNIJKMLFGVXSTU';

/** The kind of a file. */
export function sniff(source: ByteSource): FileKind {
  if (source.size === 0) return 'empty';
  const bytes = source.read(0, Math.min(HEAD_BYTES, source.size));
  const head = latin1(bytes);
  // A header of less than 4 GB, then the opening brace of its JSON. First, for its length may begin like a pickle.
  if (bytes.length > 8 && bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0))
    return 'safetensors';
  if (bytes[0] === 0x80) return 'pickle';
  if (head.startsWith('\x93NUMPY')) return 'npy';
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return 'zip';
  if (head.startsWith('\x1f\x8b')) return 'gzip';
  if (head.startsWith('\x89PNG') || head.startsWith('\xff\xd8\xff')) return 'image';
  if (head.startsWith('version https://git-lfs')) return 'git-lfs';
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml|!--)/i.test(head)) return 'html';
  if (/^\s*\{/.test(head)) return 'json';
  if (OLD_PICKLE_STARTS.includes(head[0])) return 'pickle';
  return 'unknown';
}

/** Why a file of this kind is not a checkpoint, and what to do. */
export function notACheckpoint(kind: FileKind, source: ByteSource): string {
  switch (kind) {
    case 'empty':
      return 'the file is empty; the download or copy did not finish';
    case 'zip':
      return zipMeaning(source);
    case 'gzip':
      return 'the file is compressed with gzip; unpack it first (gunzip)';
    case 'html':
      return 'the file is a web page, not a checkpoint; the download gave an error or log-in page';
    case 'git-lfs':
      return 'the file is a Git LFS pointer, not the checkpoint itself; fetch it with "git lfs pull"';
    case 'npy':
      return 'the file is a NumPy array (.npy), not a checkpoint';
    case 'json':
      return 'the file is JSON text, not a checkpoint';
    case 'image':
      return 'the file is a picture, not a checkpoint';
    default:
      return 'the file is neither a pickle (.pkl) nor a .safetensors file';
  }
}

/** What the first member of a zip says about it. */
function zipMeaning(source: ByteSource): string {
  const head = latin1(source.read(0, Math.min(HEAD_BYTES, source.size)));
  const length = source.size >= 30 ? head.charCodeAt(26) + 256 * head.charCodeAt(27) : 0;
  const name = head.slice(30, 30 + length);
  if (/(^|\/)(data\.pkl|version|byteorder|\.format_version|\.data\/.*)$/.test(name)) {
    return (
      'the file is a PyTorch ZIP checkpoint (torch.save of PyTorch 1.6 or later), not a published ' +
      '3DPortraitGAN pickle; such files are not read'
    );
  }
  if (name.endsWith('.npy')) return 'the file is a NumPy archive (.npz), not a checkpoint';
  return 'the file is a zip archive, not a checkpoint; unpack it first';
}
