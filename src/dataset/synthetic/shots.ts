/**
 * A set of synthetic portraits as a function: picture number -> identity, camera, pose, and streams of random numbers.
 *
 * Nothing depends on who makes a picture or in which order: the same seed gives the same set with any number of workers.
 */

import { cameraLabel } from '../../portrait/camera.ts';
import { type Stream, stream } from '../../random.ts';
import type { BackdropKind } from './backdrop.ts';
import { LATENT_LENGTH } from './latent.ts';
import { type CameraSpread, cameraOf, type PoseSpread, poseOf } from './viewpoint.ts';

export interface SetOptions {
  readonly seed: number;
  /** Pictures in all. */
  readonly count: number;
  /** Side of a picture, pixels. */
  readonly size: number;
  /** Pictures of each identity, one after another. */
  readonly views: number;
  readonly cameras: CameraSpread;
  readonly poses: PoseSpread;
  /** Share of the identities that are kept apart. */
  readonly heldOut: number;
  /** The light comes along with the camera instead of staying with the world. */
  readonly cameraLight: boolean;
  readonly backdrops: BackdropKind;
}

/** What decides a picture, before anything is drawn. */
export interface Shot {
  readonly index: number;
  /** Such as `00000/img00000012`. */
  readonly stem: string;
  readonly identity: number;
  readonly heldOut: boolean;
  /** 25 camera and 6 pose numbers. */
  readonly label: number[];
  /** Random numbers of background and film. */
  readonly own: Stream;
}

/** What a stream of random numbers is for. */
const PURPOSE = { identity: 1, views: 2, shot: 3, film: 4 };

/** The latent vector of an identity of a set, in millionths, as it is written down. */
export function latentOf(seed: number, identity: number): number[] {
  const numbers = stream(seed, PURPOSE.identity, identity);
  return Array.from({ length: LATENT_LENGTH }, () => Math.round(1e6 * numbers.normal()) / 1e6);
}

/** How many of the first people are held out: spread evenly, whatever their number. */
export function heldOutBefore(identities: number, share: number): number {
  return Math.floor(identities * share + 1e-9);
}

/** Describes one picture of a set. */
export function shotOf(options: SetOptions, index: number): Shot {
  const { seed, views, heldOut } = options;
  const identity = Math.floor(index / views);
  const own = stream(seed, PURPOSE.shot, index);
  const camera = cameraOf(options.cameras, index % views, views, stream(seed, PURPOSE.views, identity), own);
  const pose = poseOf(options.poses, own);
  // The label is what is drawn: rounded to single precision once, as readers will see it.
  const label = [...cameraLabel(camera), ...pose.map(Math.fround)];
  return {
    index,
    stem: `${String(Math.floor(index / 1000)).padStart(5, '0')}/img${String(index).padStart(8, '0')}`,
    identity,
    heldOut: heldOutBefore(identity + 1, heldOut) > heldOutBefore(identity, heldOut),
    label,
    own: stream(seed, PURPOSE.film, index),
  };
}

/** Pictures are made and kept in parts of so many. */
const PART_PICTURES = 32;

/** First picture of each part, and the end. */
export function partBounds(count: number): number[] {
  const bounds: number[] = [];
  for (let at = 0; at < count; at += PART_PICTURES) bounds.push(at);
  return [...bounds, count];
}
