/** `portraitgan mesh`: the surface of a portrait as a file for other programs. */

import { Command } from 'commander';
import { bodyOptions, poseOptions } from './body-options.ts';
import { engineOptions } from './engine.ts';
import { makeMeshes } from './mesh-make.ts';
import { MESH_FORMATS, type MeshFlags, meshOptions } from './mesh-options.ts';
import { numberOption, wholeOption, wordOption, wordsOption } from './parse.ts';
import { personOptions } from './person-options.ts';

const HELP = `
Examples:
  portraitgan mesh --network model.pkl --seeds 0-3
  portraitgan mesh --network model.pkl --seeds 4 --resolution 512 --formats glb,ply,obj --simplify 0.2
  portraitgan mesh --network model.pkl --seeds 4 --neck 10,0,0 --head 0,30,0
  portraitgan mesh --network model.pkl --seeds 4 --grid compatible --formats ply,mrc

The surface lies where the density (before softplus) passes --level. Metres, y up, the face
towards +z; triangles are counter-clockwise seen from outside. --grid compatible samples where the
original's script does, on a slightly sheared grid, and writes its frame: voxels, axes z, y and reversed x, the
other winding, no colours.
By default the surface is canonical. With --neck or --head each of its vertices moves with the nearest face of
the canonical body; those that are the network's thickness or more away stay. The density of .mrc is canonical.
Only blocks near the surface are sampled; --dense samples everything. The two differ only in specks and hollows
less than four samples across that hang together with nothing else.
Files are named seed0000.glb, the picture seed0000_mesh.png.`;

/** The command. */
export function meshCommand(): Command {
  const command = personOptions(
    new Command('mesh').description(
      'make the surface of a portrait: .glb, .ply, .obj with colours, or the density as .mrc',
    ),
    { sweeps: false },
  )
    .option(
      '--fov-legacy <degrees>',
      "field of view of the conditioning camera by the original's formula",
      numberOption('--fov-legacy'),
    )
    .option('--resolution <samples>', 'samples a side', wholeOption('--resolution', 16, 512), 256)
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
    .option(
      '--keep <parts>',
      'all, or only the largest part (default: largest; all with --grid compatible)',
      wordOption('--keep', ['all', 'largest']),
    )
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
  return engineOptions(bodyOptions(poseOptions(command))).action(async (flags: MeshFlags) =>
    makeMeshes(meshOptions(flags)),
  );
}
