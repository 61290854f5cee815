import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readAssets } from '../assets.ts';
import { insideBeard } from './beard-region.ts';
import { stubbleMask } from './beards.ts';

const assets = readAssets('packages/assets');

describe('stubble', () => {
  const { width, height, data } = stubbleMask(assets);

  it('has the shape of the atlas, and single hairs only where it grows', () => {
    expect([width, height]).toEqual([568, 708]);
    let [grown, stray] = [0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] > data[i + 1]) stray++;
      if (data[i + 1] > 127) grown++;
    }
    expect(stray).toBe(0);
    // A lower face is some hundredths of the atlas.
    expect(grown / (width * height)).toBeGreaterThan(0.02);
    expect(grown / (width * height)).toBeLessThan(0.12);
  });

  it('leaves the lips free', async () => {
    const lips = await sharp(join(assets.folder, assets.skinMasks))
      .resize(width, height, { fit: 'fill' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    let [count, covered] = [0, 0];
    for (let i = 0; i < width * height; i++) {
      if (lips.data[lips.info.channels * i] < 128) continue;
      count++;
      covered += data[4 * i + 1] / 255;
    }
    // Measured: 1056 texels, .035 of them covered.
    expect(count).toBeGreaterThan(500);
    expect(covered / count).toBeLessThan(0.08);
  });
});

describe('beards', () => {
  it('grow where they should', () => {
    const lip = [0, 0.0805, 0.13] as const;
    const chin = [0, 0.035, 0.118] as const;
    const jaw = [0.055, 0.055, 0.075] as const;
    const mouth = [0.005, 0.063, 0.13] as const;
    const cheek = [0.045, 0.1, 0.1] as const;
    const inside = (place: readonly [number, number, number]) =>
      (['moustache', 'goatee', 'full'] as const).map((shape) => insideBeard(shape, place) > 0);
    expect(inside(lip)).toEqual([true, true, true]);
    expect(inside(chin)).toEqual([false, true, true]);
    expect(inside(jaw)).toEqual([false, false, true]);
    expect(inside(mouth)).toEqual([false, false, false]);
    expect(inside(cheek)).toEqual([false, false, false]);
  });
});
