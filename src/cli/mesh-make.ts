/** From planes to files: density, surface, colours, pose, picture. */

import { join } from 'node:path';
import { components } from '../picture/mesh/components.ts';
import { encodeGlb } from '../picture/mesh/glb.ts';
import { marchingCubes } from '../picture/mesh/marching-cubes.ts';
import { flippedMesh, type Mesh, type MeshAttributes, vertexNormals } from '../picture/mesh/mesh.ts';
import { encodeMrc } from '../picture/mesh/mrc.ts';
import { encodeObj } from '../picture/mesh/obj.ts';
import { encodePly } from '../picture/mesh/ply.ts';
import { simplifyMesh } from '../picture/mesh/simplify.ts';
import { checkLevel, sampleVolume, type Volume } from '../picture/mesh/volume.ts';
import { writePng } from '../picture/png.ts';
import { type PortraitGenerator, portraitGenerator } from '../portrait/session.ts';
import type { Engine, Resident } from '../tensor/index.ts';
import { writeAside } from '../weights/safe-write.ts';
import { openBody, poseOf } from './body-options.ts';
import { makeEngine } from './engine.ts';
import { COLOUR_VIEW_COUNT, colourMesh, meshSheet } from './mesh-colours.ts';
import {
  compatibleGrid,
  densitySampler,
  exactGrid,
  GRID_BATCH,
  type MeshGrid,
  meshInMetres,
  meshInOriginalFrame,
  reversedVolume,
} from './mesh-grid.ts';
import type { MeshFormat, MeshOptions } from './mesh-options.ts';
import { type CarryMesh, carryToPose } from './mesh-pose.ts';
import { type OpenNetworks, openNetworks } from './network.ts';
import { note, prepareFolder, say, sayJson, showSeconds } from './output.ts';
import { startCount } from './progress.ts';
import { type Subject, subjectsOf } from './subjects.ts';

/** What one mesh is, for `--json`. */
interface Written {
  readonly files: readonly string[];
  readonly seed?: number | undefined;
  /** Vertices, faces and parts: missing where only the density was written. */
  readonly vertices?: number;
  readonly faces?: number;
  /** Parts before the largest was chosen. */
  readonly parts?: number;
  /** Smallest and largest density that was met. */
  readonly range: readonly [number, number];
  readonly samples: number;
  /** Share of the vertices whose colour comes from a picture. */
  readonly coloured?: number | undefined;
  readonly seconds: number;
}

/** Makes the meshes of a command. */
export async function makeMeshes(options: MeshOptions): Promise<void> {
  prepareFolder(options.outdir);
  const networks = await openNetworks(options.network);
  if (networks.untrained)
    note(
      `${networks.label}: it was never trained, so its surfaces are no people, and no --level is right for it`,
    );
  const engine = await makeEngine(options);
  try {
    const generator = portraitGenerator(engine, networks.generator);
    const carry = await carryOf(engine, generator, networks, options);
    const written: Written[] = [];
    for (const subject of await subjectsOf(generator, options.whom)) {
      const planes = await generator.planes(subject.ws);
      try {
        written.push(await makeMesh(generator, planes, subject, carry, options));
      } finally {
        await generator.release(planes);
      }
      if (!options.json) report(written[written.length - 1]);
    }
    if (options.json) sayJson({ meshes: written, engine: engine.name, network: networks.label });
  } finally {
    await engine.dispose();
    networks.close();
  }
}

/** The way to the pose; undefined without one. */
async function carryOf(
  engine: Engine,
  { config }: PortraitGenerator,
  networks: OpenNetworks,
  options: MeshOptions,
): Promise<CarryMesh | undefined> {
  const pose = poseOf(options);
  return pose && carryToPose(engine, config, await openBody(options, networks), pose);
}

function report({ files, vertices, faces, parts = 0, samples, seconds }: Written): void {
  const of = parts > 1 ? `; the surface had ${parts} parts` : '';
  const what = faces === undefined ? `${samples} samples` : `${vertices} vertices, ${faces} triangles${of}`;
  say(files.join(', '));
  say(`  ${what}, ${showSeconds(seconds)}`);
}

async function makeMesh(
  generator: PortraitGenerator,
  planes: Resident,
  subject: Subject,
  carry: CarryMesh | undefined,
  options: MeshOptions,
): Promise<Written> {
  const started = performance.now();
  const { formats, grid: kind, outdir, level, stride } = options;
  const grid = gridOf(generator, options);
  const volume = await sampled(generator, planes, grid, level, stride);
  const surface = formats.every((format) => format === 'mrc')
    ? undefined
    : await surfaceOf(generator, planes, subject, grid, volume, carry, options);

  const path = (end: string): string => join(outdir, `${subject.name}${end}`);
  const files = formats.map((format) => {
    const bytes =
      format === 'mrc'
        ? encodeMrc(volume.shape, reversedVolume(volume.values, grid.side))
        : encodedSurface(format, kind, grid, surface!);
    const file = path(`.${format}`);
    writeAside(file, (write) => {
      for (const part of bytes) write(part);
    });
    return file;
  });
  if (options.picture && surface !== undefined) {
    const picture = meshSheet(surface.mesh, surface.attributes, `${subject.label}, level ${level}`);
    files.push(path('_mesh.png'));
    await writePng(path('_mesh.png'), picture);
  }
  return {
    files,
    seed: subject.seed,
    ...(surface === undefined
      ? {}
      : {
          vertices: surface.mesh.positions.length / 3,
          faces: surface.mesh.indices.length / 3,
          parts: surface.parts,
          coloured: surface.coloured,
        }),
    range: volume.range,
    samples: volume.computed,
    seconds: (performance.now() - started) / 1000,
  };
}

/** Everything that files of the surface are made of. */
interface Surface {
  /** In grid indices, canonical. */
  readonly inIndices: Mesh;
  /** In metres, posed where there is a pose. */
  readonly mesh: Mesh;
  readonly attributes: MeshAttributes;
  readonly parts: number;
  readonly coloured: number | undefined;
}

async function surfaceOf(
  generator: PortraitGenerator,
  planes: Resident,
  subject: Subject,
  grid: MeshGrid,
  volume: Volume,
  carry: CarryMesh | undefined,
  { level, stride, keep, simplify, colour }: MeshOptions,
): Promise<Surface> {
  checkLevel(volume, level, stride);
  const whole = marchingCubes(volume, level);
  const { largest, parts } = components(whole);
  const kept = keep === 'largest' ? largest() : whole;
  const inIndices = simplify === undefined ? kept : await simplifyMesh(kept, simplify);
  const canonical = meshInMetres(inIndices, grid);
  const normals = vertexNormals(canonical);
  // Colours come from canonical views, so they are collected before vertices move.
  const painted = colour ? await coloursOf(generator, planes, subject, canonical, normals, grid) : undefined;
  const mesh = carry === undefined ? canonical : await carry(canonical);
  const attributes: MeshAttributes = {
    normals: carry === undefined ? normals : vertexNormals(mesh),
    ...(painted && { colours: painted.colours }),
  };
  return { inIndices, mesh, attributes, parts, coloured: painted?.seen };
}

/** By default the cube that is rendered: the box less what rendering crops. */
function gridOf({ config }: PortraitGenerator, { grid, resolution, cube }: MeshOptions): MeshGrid {
  const { boxWarp, cropMargin } = config.rendering;
  return grid === 'compatible'
    ? compatibleGrid(resolution, boxWarp)
    : exactGrid(resolution, cube ?? boxWarp - 2 * cropMargin);
}

async function sampled(
  generator: PortraitGenerator,
  planes: Resident,
  grid: MeshGrid,
  level: number,
  stride: number,
): Promise<Volume> {
  const progress = startCount('density');
  try {
    return await sampleVolume(densitySampler(generator, planes, grid), {
      side: grid.side,
      pad: grid.pad,
      level,
      stride,
      batch: GRID_BATCH,
      progress: ({ done, known }) => progress.at({ done, total: known }),
    });
  } finally {
    progress.end();
  }
}

async function coloursOf(
  generator: PortraitGenerator,
  planes: Resident,
  { ws }: Subject,
  mesh: Mesh,
  normals: Float32Array,
  { cube, side }: MeshGrid,
): Promise<{ colours: Uint8Array; seen: number }> {
  const background = await generator.background(ws);
  const progress = startCount('views for colours');
  let done = 0;
  try {
    const spacing = cube / (side - 1);
    return await colourMesh(generator, { ws, planes, background }, mesh, normals, spacing, async (work) => {
      progress.at({ done: done++, total: COLOUR_VIEW_COUNT });
      await work();
    });
  } finally {
    progress.end();
    await generator.release(background);
  }
}

function encodedSurface(
  format: Exclude<MeshFormat, 'mrc'>,
  kind: MeshOptions['grid'],
  grid: MeshGrid,
  { inIndices, mesh, attributes }: Surface,
): Iterable<Uint8Array> {
  switch (format) {
    case 'glb':
      return [encodeGlb(mesh, attributes)];
    case 'obj':
      return encodeObj(mesh, attributes);
    case 'ply':
      return [
        kind === 'compatible'
          ? encodePly(flippedMesh(meshInOriginalFrame(inIndices, grid)))
          : encodePly(mesh, attributes),
      ];
  }
}
