/** MP4 through an installed ffmpeg: frames go down a pipe. Node only. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, rmSync } from 'node:fs';
import { EngineError } from '../../errors.ts';
import { asideName } from './aside.ts';
import type { VideoFormat, VideoSink } from './sink.ts';

/** An encoder that ffmpeg may have. */
export interface FfmpegEncoder {
  /** Its name in ffmpeg. */
  readonly name: string;
  /** What it makes, in words. */
  readonly codec: string;
  readonly quality: readonly string[];
}

/** Tried in this order. 10 Mbit/s is what the original asks for. */
const ENCODERS: readonly FfmpegEncoder[] = [
  { name: 'libx264', codec: 'H.264', quality: ['-crf', '17', '-maxrate', '10M', '-bufsize', '20M'] },
  { name: 'libopenh264', codec: 'H.264', quality: ['-b:v', '10M'] },
  { name: 'h264_videotoolbox', codec: 'H.264', quality: ['-b:v', '10M'] },
  { name: 'h264_mf', codec: 'H.264', quality: ['-b:v', '10M'] },
  { name: 'libvpx-vp9', codec: 'VP9', quality: ['-crf', '24', '-b:v', '0'] },
  { name: 'mpeg4', codec: 'MPEG-4', quality: ['-q:v', '3'] },
];

/** Lines of an encoder's complaints that a message repeats. */
const COMPLAINT_LINES = 2;

/** The first encoder of the installed ffmpeg that encodes a trial frame; undefined without any. */
export async function findFfmpegEncoder(): Promise<FfmpegEncoder | undefined> {
  const listed = await outputOf(['-hide_banner', '-encoders']);
  if (listed === undefined) return undefined;
  for (const encoder of ENCODERS) {
    if (!listed.split(/\s+/).includes(encoder.name)) continue;
    if (await encodesTrial(encoder)) return encoder;
  }
  return undefined;
}

/** Starts a video. */
export function ffmpegSink(path: string, format: VideoFormat, encoder: FfmpegEncoder): VideoSink {
  const temporary = asideName(path);
  const child = spawn(
    'ffmpeg',
    encodingArguments(format, encoder, ['-f', 'mp4', '-movflags', '+faststart', temporary]),
    {
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  );
  const input = child.stdin!;
  const ended = endOf(child);
  let complaints = '';
  let frames = 0;
  let finished = false;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  // A dead encoder shows here first; how it ended says more.
  input.on('error', () => {});
  const failure = (code: number | string | null): EngineError => {
    const lines = complaints.trim().split('\n').slice(-COMPLAINT_LINES).join('; ');
    return new EngineError(
      `ffmpeg (${encoder.name}) ended ${typeof code === 'number' ? `with code ${code}` : `by ${code}`} after ${frames} frames${lines === '' ? '' : `: ${lines}`}`,
    );
  };
  return {
    encoder: `${encoder.codec} by ffmpeg (${encoder.name})`,
    path,
    async add({ data }) {
      if (input.destroyed) throw failure(await ended);
      const drained = input.write(data) ? undefined : once(input, 'drain').catch(() => undefined);
      if (drained !== undefined) await Promise.race([drained, ended]);
      if (child.exitCode !== null || child.signalCode !== null) throw failure(await ended);
      frames++;
    },
    async finish() {
      input.end();
      const code = await ended;
      if (code !== 0) throw failure(code);
      renameSync(temporary, path);
      finished = true;
    },
    async abort() {
      if (finished) return;
      child.kill('SIGKILL');
      await ended;
      rmSync(temporary, { force: true });
    },
  };
}

function encodingArguments(
  { width, height, fps }: VideoFormat,
  { name, quality }: FfmpegEncoder,
  output: readonly string[],
): string[] {
  return [
    ...['-hide_banner', '-loglevel', 'error', '-y'],
    ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', `${fps}`, '-i', 'pipe:0'],
    // Chroma has half the resolution: sides must be even.
    ...['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p'],
    ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
    ...['-an', '-c:v', name, ...quality],
    ...output,
  ];
}

/** Encoders are listed that need hardware or a library which is not there. */
async function encodesTrial(encoder: FfmpegEncoder): Promise<boolean> {
  const side = 128;
  const format = { width: side, height: side, fps: 30 };
  const frame = new Uint8Array(side * side * 3).fill(128);
  return (await outputOf(encodingArguments(format, encoder, ['-f', 'null', '-']), frame)) !== undefined;
}

/** What ffmpeg prints; undefined when it is not there or fails. */
async function outputOf(args: readonly string[], input?: Uint8Array): Promise<string | undefined> {
  const child = spawn('ffmpeg', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return (await endOf(child)) === 0 ? text : undefined;
}

/** The exit code, the name of the signal, or why it could not start. */
function endOf(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
}
