/** `portraitgan mesh`: the surface of a portrait as a file for other programs. */

import { join } from 'node:path';
import { Command } from 'commander';
import { components } from '../picture/mesh/components.ts';
import { encodeGlb } from '../picture/mesh/glb.ts';
import { marchingCubes } from '../picture/mesh/marching-cubes.ts';
import { flippedMesh, type Mesh, type MeshAttributes, vertexNormals } from '../picture/mesh/mesh.ts';
import { encodeMrc } from '../picture/mesh/mrc.ts';
import { encodeObj } from '../picture/mesh/obj.ts';
import { encodePly } from '../picture/mesh/ply.ts';
import { simplifyMesh } from '../picture/mesh/simplify.ts';
import { sampleVolume, type Volume } from '../picture/mesh/volume.ts';
import { writePng } from '../picture/png.ts';
import { type PortraitGenerator, portraitGenerator } from '../portrait/session.ts';
import type { Resident } from '../tensor/index.ts';
import { writeAside } from '../weights/safe-write.ts';
import { engineOptions, makeEngine } from './engine.ts';
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
import {
  MESH_FORMATS,
  type MeshFlags,
  type MeshFormat,
  type MeshOptions,
  meshOptions,
} from './mesh-options.ts';
import { NETWORK_HELP, openNetworks } from './network.ts';
import { note, prepareFolder, say, sayJson, showSeconds } from './output.ts';
import { numberOption, parseSeeds, wholeOption, wordOption, wordsOption } from './parse.ts';
import { startCount } from './progress.ts';
import { type Subject, subjectsOf } from './subjects.ts';

const HELP = `
Examples:
  portraitgan mesh --network model.pkl --seeds 0-3
  portraitgan mesh --network model.pkl --seeds 4 --resolution 512 --formats glb,ply,obj --simplify 0.2
  portraitgan mesh --network model.pkl --seeds 4 --grid compatible --formats ply,mrc

The surface lies where the density (before softplus) passes --level, in the canonical pose. Metres, y up, the
face towards +z; triangles are counter-clockwise seen from outside. --grid compatible samples where the
original's script does, on a slightly sheared grid, and writes its frame: voxels, axes z, y and reversed x, the
other winding, no colours.
Only blocks near the surface are sampled; --dense samples everything. The two differ only in specks and hollows
less than four samples across that hang together with nothing else.
Files are named seed0000.glb, the picture seed0000_mesh.png.`;

/** What one mesh is, for `--json`. */
interface Written {
  readonly files: readonly string[];
  readonly seed?: number | undefined;
  readonly vertices: number;
  readonly faces: number;
  /** Parts before the largest was chosen. */
  readonly parts: number;
  /** Smallest and largest density that was met. */
  readonly range: readonly [number, number];
  readonly samples: number;
  /** Share of the vertices whose colour comes from a picture. */
  readonly coloured?: number | undefined;
  readonly seconds: number;
}

/** The command. */
export function meshCommand(): Command {
  const command = new Command('mesh')
    .description('make the surface of a portrait: .glb, .ply, .obj with colours, or the density as .mrc')
    .option('--network <file>', `${NETWORK_HELP} (default: the embedded model)`)
    .option('--seeds <list>', 'seeds such as 0-3,7; ranges include both ends (default: 0)', parseSeeds)
    .option('--latents <file.npz>', 'instead of seeds: "z" [N, zDim] or "ws" [N, numWs, wDim]')
    .option('--trunc <psi>', 'truncation psi (default: 1)', numberOption('--trunc'))
    .option(
      '--trunc-cutoff <rows>',
      'rows of ws that are truncated (default: all)',
      wholeOption('--trunc-cutoff', 0),
    )
    .option(
      '--fov-legacy <degrees>',
      "field of view of the conditioning camera by the original's formula",
      numberOption('--fov-legacy'),
    )
    .option('--resolution <samples>', 'samples a side', wholeOption('--resolution', 16, 1024), 256)
    .option('--level <density>', 'density at the surface', numberOption('--level'), 15)
    .option(
      '--grid <kind>',
      'exact, or compatible with the original',
      wordOption('--grid', ['exact', 'compatible']),
      'exact',
    )
    .option(
      '--cube <metres>',
      'side of the sampled cube (default: what is rendered)',
      numberOption('--cube', 0.01, 10),
    )
    .option('--dense', 'samples the whole cube')
    .option('--keep <parts>', 'all, or only the largest part', wordOption('--keep', ['all', 'largest']))
    .option('--simplify <ratio>', 'share of the triangles to keep', numberOption('--simplify', 0.001, 1))
    .option(
      '--formats <list>',
      `what to write: ${MESH_FORMATS.join(', ')} (default: glb)`,
      wordsOption('--formats', MESH_FORMATS),
    )
    .option('--no-colour', 'leaves colours out')
    .option('--no-picture', 'leaves the picture out')
    .option('--outdir <folder>', 'where files go', 'out')
    .option('--json', 'prints what was written as JSON')
    .addHelpText('after', HELP);
  return engineOptions(command).action(async (flags: MeshFlags) => makeMeshes(meshOptions(flags)));
}

async function makeMeshes(options: MeshOptions): Promise<void> {
  prepareFolder(options.outdir);
  const networks = await openNetworks(options.network);
  if (networks.untrained)
    note(
      `${networks.label}: it was never trained, so its surfaces are no people, and no --level is right for it`,
    );
  const engine = await makeEngine(options);
  try {
    const generator = portraitGenerator(engine, networks.generator);
    const written: Written[] = [];
    for (const subject of await subjectsOf(generator, options.whom)) {
      const planes = await generator.planes(subject.ws);
      try {
        written.push(await makeMesh(generator, planes, subject, options));
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

function report({ files, vertices, faces, parts, seconds }: Written): void {
  const of = parts > 1 ? `; the surface had ${parts} parts` : '';
  say(`${files.join(', ')}`);
  say(`  ${vertices} vertices, ${faces} triangles${of}, ${showSeconds(seconds)}`);
}

async function makeMesh(
  generator: PortraitGenerator,
  planes: Resident,
  subject: Subject,
  options: MeshOptions,
): Promise<Written> {
  const started = performance.now();
  const grid = gridOf(generator, options);
  const volume = await sampled(generator, planes, grid, options);
  const whole = marchingCubes(volume, options.level);
  const { largest, parts } = components(whole);
  const kept = options.keep === 'largest' ? largest() : whole;
  const inIndices = options.simplify === undefined ? kept : await simplifyMesh(kept, options.simplify);
  const mesh = meshInMetres(inIndices, grid);
  const normals = vertexNormals(mesh);
  const coloured = options.colour
    ? await coloursOf(generator, planes, subject, mesh, normals, grid)
    : undefined;
  const attributes = { normals, ...(coloured === undefined ? {} : { colours: coloured.colours }) };

  const path = (end: string): string => join(options.outdir, `${subject.name}${end}`);
  const files = options.formats.map((format) => {
    const file = path(`.${format}`);
    const parts = encoded(format, options.grid, { grid, volume, inIndices, mesh, attributes });
    writeAside(file, (write) => {
      for (const part of parts) write(part);
    });
    return file;
  });
  if (options.picture) {
    files.push(path('_mesh.png'));
    await writePng(
      path('_mesh.png'),
      meshSheet(mesh, attributes, `${subject.label}, level ${options.level}`),
    );
  }
  const [vertices, faces] = [mesh.positions.length / 3, mesh.indices.length / 3];
  const { range, computed } = volume;
  const seconds = (performance.now() - started) / 1000;
  return {
    files,
    seed: subject.seed,
    vertices,
    faces,
    parts,
    range,
    samples: computed,
    coloured: coloured?.seen,
    seconds,
  };
}

/** By default the cube that is rendered: the box less what rendering crops, at most what cameras can see. */
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
  { level, stride }: MeshOptions,
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

/** Everything that files are made of. */
interface Made {
  readonly grid: MeshGrid;
  readonly volume: Volume;
  readonly inIndices: Mesh;
  readonly mesh: Mesh;
  readonly attributes: MeshAttributes;
}

function encoded(format: MeshFormat, kind: MeshOptions['grid'], made: Made): Iterable<Uint8Array> {
  const { grid, volume, mesh, attributes } = made;
  switch (format) {
    case 'glb':
      return [encodeGlb(mesh, attributes)];
    case 'obj':
      return encodeObj(mesh, attributes);
    case 'ply':
      return [
        kind === 'compatible'
          ? encodePly(flippedMesh(meshInOriginalFrame(made.inIndices, grid)))
          : encodePly(mesh, attributes),
      ];
    case 'mrc':
      return encodeMrc(volume.shape, reversedVolume(volume.values, grid.side));
  }
}
