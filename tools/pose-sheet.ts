/**
 * Makes the sheets of poses in the documents: the body, and portraits of the embedded model, from eight yaws.
 *
 * `npx tsx tools/pose-sheet.ts` writes docs/pictures/poses-body.png and docs/pictures/poses-portraits.png.
 */

import { poseBody } from '../src/body/index.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { initialNetworks } from '../src/load.ts';
import { writePng } from '../src/picture/png.ts';
import { rasterOf } from '../src/picture/quantise.ts';
import { rasterOfMesh, renderMesh } from '../src/picture/shade.ts';
import { tableSheet } from '../src/picture/sheet.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { portraitGenerator } from '../src/portrait/session.ts';
import { ndarray } from '../src/tensor/index.ts';
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

const engine = cpuEngine();
const generator = portraitGenerator(engine, initialNetworks('64-32').generator, body);
const { zDim } = generator.config;
const z = ndarray([1, zDim], Float32Array.from(randomState(3).randn(zDim)));
const ws = await generator.map(z, {
  c: ndarray([1, 25], labels[0]),
  p: ndarray([1, 6], new Float32Array(6)),
});
const parts = { ws, planes: await generator.planes(ws), background: await generator.background(ws) };
const rows = [];
for (const [label, angles] of POSES) {
  const cells = [];
  for (const camera of labels) {
    const view = await generator.view(parts, ndarray([1, 25], camera), {
      pose: ndarray([1, 6], radians(angles)),
    });
    cells.push(rasterOf(view.image!));
  }
  rows.push({ label, cells });
}
await writePng(
  'docs/pictures/poses-portraits.png',
  tableSheet({ title: 'preset 64-32, initial weights', columns, rows }),
);
await engine.dispose();
