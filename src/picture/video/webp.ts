/**
 * Animated WebP: the video that needs nothing installed. sharp makes each frame, this file the container
 * (RIFF, as Google's container specification has it), so that frames can be written as they come.
 *
 * Every frame is a picture of its own: files are several times larger than those of a video encoder.
 */

import sharp from 'sharp';
import { UsageError } from '../../errors.ts';
import { openAside } from './aside.ts';
import type { VideoFormat, VideoSink } from './sink.ts';

const MAX_SIDE = 16383;
const QUALITY = 85;
const ANIMATION = 0x02;
/** The frame replaces what was there. */
const NO_BLENDING = 0x02;
/** Chunks of a still picture that an animation frame takes over. */
const PICTURE_CHUNKS = ['ALPH', 'VP8 ', 'VP8L'];

/** Starts a file; it loops for ever.
 *
 * @throws UsageError for frames larger than the format allows.
 */
export function webpSink(path: string, { width, height, fps }: VideoFormat): VideoSink {
  if (Math.max(width, height) > MAX_SIDE)
    throw new UsageError(`frames are ${width} x ${height} pixels; animated WebP ends at ${MAX_SIDE} a side`);
  const file = openAside(path);
  let size = 0;
  let count = 0;
  const put = (bytes: Uint8Array): void => {
    file.write(bytes);
    size += bytes.length;
  };
  put(Buffer.from('RIFF\0\0\0\0WEBP', 'latin1'));
  put(
    chunk('VP8X', Buffer.concat([Buffer.from([ANIMATION, 0, 0, 0]), word24(width - 1), word24(height - 1)])),
  );
  put(chunk('ANIM', Buffer.alloc(6)));
  return {
    encoder: 'animated WebP',
    path,
    async add({ data }) {
      const still = await sharp(data, { raw: { width, height, channels: 3 } })
        .webp({ quality: QUALITY, smartSubsample: true })
        .toBuffer();
      // Whole milliseconds that do not drift.
      const time = (frame: number): number => Math.round((frame * 1000) / fps);
      const head = [
        word24(0),
        word24(0),
        word24(width - 1),
        word24(height - 1),
        word24(time(count + 1) - time(count)),
      ];
      put(chunk('ANMF', Buffer.concat([...head, Buffer.from([NO_BLENDING]), ...pictureChunks(still)])));
      count++;
    },
    async finish() {
      file.patch(4, word32(size - 8));
      file.commit();
    },
    async abort() {
      file.discard();
    },
  };
}

/** The chunks that hold the picture, out of a file of one picture. */
function* pictureChunks(still: Buffer): Generator<Buffer> {
  for (let at = 12; at + 8 <= still.length; ) {
    const end = at + 8 + still.readUInt32LE(at + 4);
    const padded = end + (end % 2);
    if (PICTURE_CHUNKS.includes(still.toString('latin1', at, at + 4))) yield still.subarray(at, padded);
    at = padded;
  }
}

function chunk(name: string, payload: Buffer): Buffer {
  const parts = [Buffer.from(name, 'latin1'), word32(payload.length), payload];
  return Buffer.concat(payload.length % 2 === 0 ? parts : [...parts, Buffer.alloc(1)]);
}

function word24(value: number): Buffer {
  return word32(value).subarray(0, 3);
}

function word32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
