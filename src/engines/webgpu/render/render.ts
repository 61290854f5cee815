/** The volume renderer forward: the fused operation `renderRays` (`src/portrait/renderer.ts`). */

import type { Node } from '../../../tensor/index.ts';
import type { Bound, Kernel, KernelCall, Planning } from '../kernel.ts';
import { decodeDispatch } from './decode.ts';
import { DECODER_BYTES, packDispatch, texelBytes } from './field.ts';
import { drawDispatch, LINES, marchDispatch, raysTogether } from './march.ts';
import { passesOf, placeDispatch, placedPoints, rayCallOf, TILE_WORDS_BYTES, tilesOf } from './tiles.ts';

/** Scratch buffers, in order. */
const AT = {
  texels: { scratch: 0 },
  decoder: { scratch: 1 },
  points: { scratch: 2 },
  sigma: { scratch: 3 },
  colours: { scratch: 4 },
  fineDepths: { scratch: 5 },
  tile: { scratch: 6 },
} as const;

export const renderRaysKernel: Kernel = {
  name: 'renderRays',
  plan(node: Node, planning: Planning): KernelCall | undefined {
    const call = rayCallOf(node, planning);
    if (call === undefined) return undefined;
    const { coarse, fine, field } = call;
    const samples = coarse + fine;
    if (raysTogether(planning, samples, LINES) === 0) return undefined;
    const colourBytes = field.texel === 'vec4<f16>' ? 64 : 128;
    const tiles = tilesOf(call, samples * (colourBytes + 20) + fine * 4);
    const colours: Bound = { name: 'rgbs', at: AT.colours, type: field.texel };
    const names = (node.attrs.options as unknown as { inputs: string[] }).inputs;
    const tile = passesOf(call).flatMap((pass) => [
      ...(pass.name === 'fine' ? [drawDispatch(call, tiles, AT)] : []),
      placeDispatch(call, tiles, pass, AT),
      decodeDispatch(
        planning,
        field,
        placedPoints(call, tiles, pass, AT),
        {
          sigma: { name: 'sigma', at: AT.sigma, type: 'f32', write: true },
          rgb: { ...colours, write: true },
          start: pass.start * tiles.rays,
        },
        AT.texels,
        AT.decoder,
      ),
    ]);
    tile.push(marchDispatch(call, tiles, { ...AT, colours }));
    const pack = packDispatch(node, names, planning, field, AT.texels, AT.decoder);
    return {
      dispatches: [
        tiles.count > 1 ? { ...pack, cleared: [AT.tile] } : pack,
        ...Array.from({ length: tiles.count }, () => tile).flat(),
      ],
      scratch: [
        texelBytes(field),
        DECODER_BYTES,
        samples * tiles.rays * 16,
        samples * tiles.rays * 4,
        samples * tiles.rays * colourBytes,
        fine * tiles.rays * 4,
        TILE_WORDS_BYTES,
      ],
    };
  },
};
