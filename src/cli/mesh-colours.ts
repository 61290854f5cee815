/** Colours of a mesh from the model's own pictures of it, and a picture of the mesh. */

import { colourCollector } from '../picture/mesh/colour.ts';
import { boundsOf, type Mesh, type MeshAttributes } from '../picture/mesh/mesh.ts';
import type { Raster } from '../picture/raster.ts';
import { rasterOfMesh, renderMesh } from '../picture/shade.ts';
import { tableSheet } from '../picture/sheet.ts';
import {
  cameraLabel,
  intrinsics,
  NAMED_VIEWS,
  STANDARD_FOCAL,
  STANDARD_RADIUS,
  viewCamera,
} from '../portrait/camera.ts';
import type { Parts, PortraitGenerator } from '../portrait/session.ts';
import { labelOf } from './views.ts';

/** Yaw and pitch of the cameras that colours come from: all round, from above, and a little from below. */
const COLOUR_VIEWS: readonly (readonly [number, number])[] = [
  ...[0, 45, 90, 135, 180, 225, 270, 315].map((yaw) => [yaw, 0] as const),
  ...[0, 90, 180, 270].map((yaw) => [yaw, 35] as const),
  ...[45, -45].map((yaw) => [yaw, -25] as const),
];

/** Spacings that a vertex may lie behind the visible surface. */
const VISIBLE_BEHIND = 1.5;
/** Spacings to a pixel up to which pixels are fine enough. */
const COARSER = 1.25;

/** How many views {@link colourMesh} renders. */
export const COLOUR_VIEW_COUNT = COLOUR_VIEWS.length;

/** Metres that a picture's side spans at the distance of the body. */
const PICTURE_SPAN = STANDARD_RADIUS / STANDARD_FOCAL;

/** Colours the vertices of a mesh in metres.
 *
 * The raw pictures serve when they are about as fine as the mesh, which could hold no more; else the final ones.
 *
 * @param spacing   distance between neighbouring vertices, metres.
 * @param step      runs each rendering, to show progress.
 */
export async function colourMesh(
  generator: PortraitGenerator,
  parts: Parts,
  mesh: Mesh,
  normals: Float32Array,
  spacing: number,
  step: (work: () => Promise<void>) => Promise<void>,
): Promise<{ colours: Uint8Array; seen: number }> {
  const collector = colourCollector(mesh, normals, VISIBLE_BEHIND * spacing);
  const superresolution = PICTURE_SPAN / generator.config.neuralResolution > COARSER * spacing;
  for (const [yaw, pitch] of COLOUR_VIEWS) {
    await step(async () => {
      const label = labelOf(viewCamera(yaw, pitch));
      const view = await generator.view(parts, label, { superresolution });
      collector.add({ label: label.data, picture: view.image ?? view.image_raw });
    });
  }
  return collector.finish();
}

/** Side of one view in the picture of a mesh. */
const SIDE = 384;

/** Degrees that the picture of a mesh looks down by. */
const PITCH = 8;

/** The focal length with which a mesh round the origin fills most of the picture in the four views. */
function fittingFocal(positions: Float32Array): number {
  const tilt = (PITCH * Math.PI) / 180;
  let slope = 1e-3;
  for (let v = 0; v < positions.length; v += 3) {
    const [x, y, z] = positions.subarray(v, v + 3).map(Math.abs);
    for (const [across, along] of [
      [x, z],
      [z, x],
    ]) {
      const rise = y * Math.cos(tilt) + along * Math.sin(tilt);
      slope = Math.max(slope, Math.max(across, rise) / (STANDARD_RADIUS - along));
    }
  }
  return 0.48 / slope;
}

/** Four views of a mesh in metres; with colours a second row shows the shape alone. */
export function meshSheet(mesh: Mesh, attributes: MeshAttributes, title: string): Raster {
  const { min, max } = boundsOf(mesh.positions);
  // Cameras go round the origin.
  const centred = mesh.positions.map((value, i) => value - (min[i % 3] + max[i % 3]) / 2);
  const k = intrinsics(fittingFocal(centred));
  const views = Object.keys(NAMED_VIEWS);
  const row = (label: string, shown: MeshAttributes, shading: number) => ({
    label,
    cells: views.map((name) => {
      const camera = viewCamera(NAMED_VIEWS[name], PITCH, { lookAt: [0, 0, 0], intrinsics: k });
      const centredMesh = { positions: centred, indices: mesh.indices };
      const rendered = renderMesh(centredMesh, shown, cameraLabel(camera), {
        width: SIDE,
        height: SIDE,
        shading,
      });
      return rasterOfMesh(rendered, [238, 240, 243]);
    }),
  });
  const { colours: _, ...shape } = attributes;
  return tableSheet({
    title,
    columns: views,
    rows: [
      ...(attributes.colours === undefined ? [] : [row('colour', attributes, 0.35)]),
      row('shape', shape, 1),
    ],
  });
}
