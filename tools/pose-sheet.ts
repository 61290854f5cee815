/**
 * Makes the sheets of poses in the documents, from eight yaws: the body that ships, and a volume that follows it.
 *
 * `npx tsx tools/pose-sheet.ts` writes docs/pictures/poses-body.png and docs/pictures/poses-volume.png. Until a
 * trained model ships, the volume is that of initial weights with the density made strong enough to be seen.
 */

import { poseBody } from '../src/body/index.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { initialNetworks } from '../src/load.ts';
import { maskRaster } from '../src/picture/maps.ts';
import { writePng } from '../src/picture/png.ts';
import { rasterOfMesh, renderMesh } from '../src/picture/shade.ts';
import { tableSheet } from '../src/picture/sheet.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { portraitGenerator } from '../src/portrait/session.ts';
import { type NdArray, ndarray } from '../src/tensor/index.ts';
import { randomState } from '../src/weights/index.ts';

const YAWS = Array.from({ length: 8 }, (_, i) => 45 * i);
const SIDE = 128;

/** Names and angles in degrees: neck nod, turn, tilt, then head. */
const POSES: readonly (readonly [string, readonly number[]])[] = [
  ['rest', [0, 0, 0, 0, 0, 0]],
  ['neck nods', [25, 0, 0, 0, 0, 0]],
  ['head turns', [0, 0, 0, 0, 50, 0]],
  ['head tilts', [0, 0, 0, 0, 0, 25]],
  ['looks up', [-10, 0, 0, -25, 0, 0]],
  ['both', [15, 20, 0, -10, 30, -15]],
];

const radians = (degrees: readonly number[]): number[] => degrees.map((angle) => (angle * Math.PI) / 180);
const labels = YAWS.map((yaw) => cameraLabel(viewCamera(yaw, 0)));
const columns = YAWS.map((yaw) => `${yaw}°`);

const body = defaultBody();
const indices = Uint32Array.from(body.faces);
const bodies = POSES.map(([label, angles]) => {
  const mesh = { positions: poseBody(body, radians(angles)), indices };
  const cells = labels.map((camera) =>
    rasterOfMesh(renderMesh(mesh, {}, camera, { width: SIDE, height: SIDE }), [255, 255, 255]),
  );
  return { label, cells };
});
await writePng(
  'docs/pictures/poses-body.png',
  tableSheet({ title: 'the body that ships', columns, rows: bodies }),
);

/** Initial densities are a faint fog: this much stronger they have a shape. */
const DENSITY_GAIN = 60;
const preset = '128-64';
const seed = 0;
const initial = initialNetworks(preset).generator;
const weight = 'decoder.net.2.weight';
const stronger = Float32Array.from(initial.read(weight).data);
const [, hidden] = initial.read(weight).shape;
for (let i = 0; i < hidden; i++) stronger[i] *= DENSITY_GAIN;
const read = (name: string): NdArray =>
  name === weight ? ndarray(initial.read(name).shape, stronger) : initial.read(name);

const engine = cpuEngine();
const generator = portraitGenerator(engine, { record: initial.record, read }, body);
const { zDim } = generator.config;
const z = ndarray([1, zDim], Float32Array.from(randomState(seed).randn(zDim)));
const ws = await generator.map(z, {
  c: ndarray([1, 25], labels[0]),
  p: ndarray([1, 6], new Float32Array(6)),
});
const parts = { ws, planes: await generator.planes(ws), background: await generator.background(ws) };
const rows = [];
for (const [label, angles] of POSES) {
  const cells = [];
  for (const camera of labels) {
    const pose = ndarray([1, 6], radians(angles));
    const options = { pose, neuralResolution: SIDE, superresolution: false };
    cells.push(maskRaster((await generator.view(parts, ndarray([1, 25], camera), options)).image_mask));
  }
  rows.push({ label, cells });
}
const title = `opacity of preset ${preset}, initial weights, density x ${DENSITY_GAIN}`;
await writePng('docs/pictures/poses-volume.png', tableSheet({ title, columns, rows }));
await engine.dispose();
