/** One person at a time: styles, planes and background are computed once a person, every view from them. */

import {
  cameraLabel,
  type NdArray,
  ndarray,
  type Parts,
  type PortraitGenerator,
  randomState,
  viewCamera,
} from '../src/browser.ts';
import { toByte } from '../src/picture/quantise.ts';
import type { Orbit } from './orbit.ts';

export interface Person {
  readonly seed: number;
  /** Truncation: 1 keeps the person as drawn, 0 gives the mean of all. */
  readonly psi: number;
}

/** Makes people and keeps the last. */
export interface Sitting {
  /** The parts of a person, computed unless it is the person of the last call. */
  partsOf(person: Person): Promise<Parts>;
}

/** @param generator its engine holds the parts; they go with it. */
export function sittingFor(generator: PortraitGenerator): Sitting {
  const { zDim } = generator.config;
  let last: { readonly person: Person; readonly parts: Parts } | undefined;
  return {
    partsOf: async (person) => {
      const { seed, psi } = person;
      if (last?.person.seed === seed && last.person.psi === psi) return last.parts;
      const z = ndarray([1, zDim], Float32Array.from(randomState(seed).randn(zDim)));
      const labels = { c: labelOf({ yaw: 0, pitch: 0 }), p: ndarray([1, 6], new Float32Array(6)) };
      const ws = await generator.map(z, labels, { psi });
      const parts = {
        ws,
        planes: await generator.planes(ws),
        background: await generator.background(ws),
      };
      const before = last?.parts;
      last = { person, parts };
      if (before !== undefined) await generator.release(...residentsOf(before));
      return parts;
    },
  };
}

function residentsOf({ planes, background }: Parts) {
  return [planes, background].flatMap((value) => (value !== undefined && 'resident' in value ? [value] : []));
}

/** The label [1, 25] of the camera. */
export function labelOf({ yaw, pitch }: Orbit): NdArray {
  return ndarray([1, 25], cameraLabel(viewCamera(yaw, pitch)));
}

/** Puts a picture [1, 3, H, W] on a canvas of its size. */
export function paint(canvas: HTMLCanvasElement, { shape, data }: NdArray): void {
  const [height, width] = shape.slice(2);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pixels = new ImageData(width, height);
  const plane = height * width;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = toByte(data[c * plane + i]);
    pixels.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
}
