/** All parts that no file of the asset package holds, by name. */

import type { Assets } from '../assets.ts';
import { beanie } from './beanie.ts';
import { madeBeards } from './beards.ts';
import { cap } from './cap.ts';
import { casterOf } from './cast.ts';
import { fedoraBand } from './fedora-band.ts';
import { madeGlasses } from './glasses.ts';
import { madeHair } from './hair.ts';
import { neutralOf } from './neutral.ts';
import type { MadePart } from './part.ts';

/** Makes them: `buzz`, `curls`, `afro`; `moustache`, `goatee`, `full`; `round`, `square` and `round lenses`,
 * `square lenses`; `beanie`, `cap`, and `fedora band` round the crown of the package's fedora. */
export function madeParts(assets: Assets): ReadonlyMap<string, MadePart> {
  const neutral = neutralOf(assets);
  const cast = casterOf(neutral);
  const fedora = assets.proxies.get('fedora');
  const parts = [
    ...(fedora === undefined ? [] : [fedoraBand(neutral, fedora)]),
    ...madeHair(neutral, cast),
    ...madeBeards(neutral),
    ...madeGlasses(neutral),
    beanie(neutral, cast),
    cap(neutral, cast),
  ];
  return new Map(parts.map((part) => [part.name, part]));
}
