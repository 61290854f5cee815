import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { drawText, textWidth } from './font.ts';
import { enlargeRaster, resizeRaster, writePng } from './png.ts';
import { blankRaster, drawRaster } from './raster.ts';
import { gridSheet, tableSheet } from './sheet.ts';

const red = blankRaster(128, 128, [255, 0, 0]);

test('a table keeps even margins and its labels are drawn', () => {
  const sheet = tableSheet({
    title: 'title',
    columns: ['front', 'left\nimage'],
    rows: [{ label: 'seed 0', cells: [red, red] }],
  });
  const at = (x: number, y: number): number[] => [
    ...sheet.data.subarray((y * sheet.width + x) * 3, (y * sheet.width + x) * 3 + 3),
  ];
  const [right, bottom] = [sheet.width - 1, sheet.height - 1];
  expect([at(right - 19, bottom), at(right - 20, bottom - 20)]).toEqual([
    [255, 255, 255],
    [255, 0, 0],
  ]);
  expect(sheet.data.filter((value) => value === 72).length).toBeGreaterThan(500);
});

test('a grid, cut labels, and sheets that are too large', () => {
  const cells = Array.from({ length: 3 }, () => ({ label: 'a label that is far too long', picture: red }));
  const sheet = gridSheet({ perRow: 2, cells });
  expect([sheet.width, sheet.height]).toEqual([2 * 20 + 2 * 128 + 8, 2 * 20 + 2 * (128 + 24) + 8]);
  const many = Array.from({ length: 200 }, () => ({ label: '', picture: red }));
  expect(() => gridSheet({ perRow: 200, cells: many })).toThrow('at most 16384 fit');
});

test('letters are as wide as they look; unknown ones are question marks', () => {
  expect(textWidth('il', 2)).toBe(8);
  const [known, unknown] = ['?', '漢'].map((text) => {
    const raster = blankRaster(16, 16, [255, 255, 255]);
    drawText(raster, text, 2, 2, 1, [0, 0, 0]);
    return [...raster.data];
  });
  expect(unknown).toEqual(known);
});

test('drawing clips at all sides', () => {
  const target = blankRaster(4, 4, [0, 0, 0]);
  for (const [x, y] of [
    [-126, -126],
    [3, 3],
    [9, 0],
    [0, -200],
  ])
    drawRaster(target, red, x, y);
  expect(target.data.filter((value) => value === 255)).toHaveLength(5);
});

test('png files hold the pixels; resizing and enlarging keep sizes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portraitgan-png-'));
  const raster = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 250, 251, 252) };
  await writePng(join(folder, 'a.png'), raster);
  expect([...(await sharp(join(folder, 'a.png')).raw().toBuffer())]).toEqual([...raster.data]);
  expect(readdirSync(folder)).toEqual(['a.png']);
  expect(await resizeRaster(red, 31)).toMatchObject({ width: 31, height: 31 });
  expect([...enlargeRaster(raster, 2).data.subarray(0, 12)]).toEqual([
    1, 2, 3, 1, 2, 3, 250, 251, 252, 250, 251, 252,
  ]);
});
