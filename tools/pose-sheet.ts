/**
 * Makes the sheet of poses in the documents: the body that ships, from eight yaws.
 *
 * `npx tsx tools/pose-sheet.ts` writes docs/pictures/poses-body.png.
 */

import { poseBody } from '../src/body/index.ts';
import { defaultBody } from '../src/default-body.ts';
import { writePng } from '../src/picture/png.ts';
import { rasterOfMesh, renderMesh } from '../src/picture/shade.ts';
import { tableSheet } from '../src/picture/sheet.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';

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
