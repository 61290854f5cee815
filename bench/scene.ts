/**
 * `npx tsx bench/scene.ts [PICTURE.png]`: milliseconds of the scene renderer on one core, for a portrait of balls. With a
 * path it also writes a picture of it, from the front and from the side.
 */

import { writePng } from '../src/picture/png.ts';
import { blankRaster, drawRaster, type Raster } from '../src/picture/raster.ts';
import { createSceneRenderer } from '../src/picture/scene/renderer.ts';
import type { RenderedScene, TextureHandle, TextureLayer } from '../src/picture/scene/types.ts';
import { srgbByte } from '../src/picture/shade.ts';
import { noise, portraitOfBalls, portraitView, STUDIO } from './scene-of-balls.ts';
import { best, machine, table } from './support.ts';

const renderer = await createSceneRenderer();
const parts = portraitOfBalls(renderer);
const triangles = parts.reduce((sum, part) => sum + part.indices.length / 3, 0);

const rows: string[][] = [];
for (const side of [128, 256, 512]) {
  const view = portraitView(side, 0.3);
  const { alpha } = renderer.render(parts, STUDIO, view);
  const covered = alpha.reduce((sum, value) => sum + value, 0) / alpha.length;
  const milliseconds = await best(15, async () => renderer.render(parts, STUDIO, view));
  rows.push([
    `${side} px, 2 x 2 samples`,
    milliseconds.toFixed(1),
    `${(covered * 100).toFixed(0)} % covered`,
  ]);
}
const meshes = parts.map(({ positions, normals, indices, material }) => ({
  ...{ positions, normals, indices },
  density: material.mode === 'blend' ? 0.5 : 1,
}));
for (const directions of [16, 24]) {
  const milliseconds = await best(15, async () => renderer.occlusion(meshes, { directions }));
  rows.push([`occlusion, ${directions} directions`, milliseconds.toFixed(1), '']);
}
const noisy = noise(3);
const [width, height] = [568, 708];
const image = (): TextureHandle =>
  renderer.upload({
    width,
    height,
    data: Uint8Array.from({ length: width * height * 4 }, () => 256 * noisy()),
  });
const sources = [0.4, 0.3, 0.2, 0.1].map((weight) => ({ handle: image(), weight }));
const layer: TextureLayer = {
  mask: image(),
  channel: 0,
  colour: [180, 60, 70],
  strength: 0.5,
  mode: 'luminance',
};
for (const layers of [[], [layer, layer]]) {
  const milliseconds = await best(15, async () =>
    renderer.free(renderer.compose({ width, height, sources, gain: [1.05, 1, 0.95], layers })),
  );
  rows.push([
    `compose ${width} x ${height}, 4 sources, ${layers.length} layers`,
    milliseconds.toFixed(1),
    '',
  ]);
}
const upload = await best(5, async () =>
  renderer.free(renderer.upload({ width: 1136, height: 1416, data: new Uint8Array(1136 * 1416 * 4) })),
);
rows.push(['upload 1136 x 1416', upload.toFixed(1), '']);
console.log(`${triangles} triangles; ${machine(1)}\n`);
console.log(table(['what', 'ms', ''], rows));

/** On grey, without a film curve. */
function rasterOf({ width, height, colour, alpha }: RenderedScene): Raster {
  const data = Uint8Array.from(colour, (value, i) => srgbByte(value + 0.18 * (1 - alpha[Math.floor(i / 3)])));
  return { width, height, data };
}

const path = process.argv[2];
if (path !== undefined) {
  const sheet = blankRaster(1536, 512, [0, 0, 0]);
  for (const [i, yaw] of [0, 0.7, 2.6].entries())
    drawRaster(sheet, rasterOf(renderer.render(parts, STUDIO, portraitView(512, yaw))), i * 512, 0);
  await writePng(path, sheet);
}
