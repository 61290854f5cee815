/** Where the frames of a video go, one after another. */

import type { Raster } from '../raster.ts';

/** A video being written. Frames are not kept: memory does not grow with their number. */
export interface VideoSink {
  /** What encodes, in words: `H.264 by ffmpeg (libx264)`. */
  readonly encoder: string;
  readonly path: string;
  /** Takes the next frame; settles when another may come. */
  add(frame: Raster): Promise<void>;
  /** Ends the file and gives it its name. */
  finish(): Promise<void>;
  /** Gives up and takes away what was written; does nothing after `finish`. */
  abort(): Promise<void>;
}

/** Size and speed of a video. */
export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}
