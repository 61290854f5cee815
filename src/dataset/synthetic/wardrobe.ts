/** What a person can wear, prepared once: templates of all meshes, and which of them some traits ask for. */

import type { Assets, ProxyMesh } from './assets.ts';
import { baseFollow, baseTemplate, type MeshTemplate, proxyTemplate } from './mesh-template.ts';
import { fitted } from './morph.ts';
import { casterOf } from './procedural/cast.ts';
import { madeParts } from './procedural/made.ts';
import { neutralOf } from './procedural/neutral.ts';
import type { MadePart } from './procedural/part.ts';
import { tucked } from './procedural/under-hat.ts';
import type { Traits } from './traits.ts';
import { type Neighbours, neighboursOf } from './tuck.ts';

/** How a mesh looks and when it is drawn. */
export type Role =
  | 'skin'
  | 'garment'
  | 'teeth'
  | 'tongue'
  | 'eye'
  | 'cornea'
  | 'brow'
  | 'lash'
  | 'hair'
  | 'beard'
  | 'hat'
  | 'band'
  | 'frame'
  | 'lens';

export interface Worn {
  readonly role: Role;
  readonly name: string;
  readonly template: MeshTemplate;
  /** Absent for the skin itself. */
  readonly proxy: ProxyMesh | undefined;
  /** What no file of the assets holds. */
  readonly made?: MadePart;
}

export interface Wardrobe {
  readonly assets: Assets;
  /** All vertices of the base mesh, the helpers' too. */
  readonly base: MeshTemplate;
  /** Vertices of the body's surface. */
  readonly skinVertices: Uint32Array;
  wear(traits: Traits): Worn[];
  readonly made: ReadonlyMap<string, MadePart>;
  /** What of a worn mesh, the skin or hair, can come near a garment. */
  near(worn: Worn, garment: Worn): Neighbours;
}

/** The mouth shows teeth from this strength on. */
const OPEN = 0.02;
const WIDE_SMILE = 0.45;

/** Prepares a folder of assets. */
export function wardrobeOf(assets: Assets): Wardrobe {
  const follow = baseFollow(assets);
  const { base } = assets;
  const isSkin = (quad: number): boolean => base.groups[base.quadGroup[quad]] === 'body';
  const whole = baseTemplate(assets, follow, isSkin);
  const templates = new Map<string, MeshTemplate>();
  const kept = (name: string, make: () => MeshTemplate): MeshTemplate => {
    const template = templates.get(name) ?? make();
    templates.set(name, template);
    return template;
  };
  const made = madeParts(assets);
  const neutral = neutralOf(assets);
  const scalp = casterOf(neutral);
  const found = (name: string): { proxy: ProxyMesh; made?: MadePart } => {
    const part = made.get(name);
    if (part !== undefined) return { proxy: part.proxy, made: part };
    const proxy = assets.proxies.get(name);
    if (proxy === undefined) throw new Error(`internal: there is no part "${name}"`);
    return { proxy };
  };
  const put = (role: Role, name: string): Worn & { readonly proxy: ProxyMesh } => {
    const part = found(name);
    const keep = role === 'eye' || role === 'cornea' ? eyeQuads(part.proxy, role) : undefined;
    const template = kept(`${role} ${name}`, () => proxyTemplate(part.proxy, follow, keep));
    return { role, name, template, ...part };
  };
  const pressed = new Map<string, Worn>();
  const hairUnder = (hat: string, name: string): Worn => {
    const key = `${name} under ${hat}`;
    const hair = put('hair', name);
    const proxy = pressed.get(key)?.proxy ?? tucked(neutral, scalp, hair.proxy, found(hat).proxy);
    const worn = { ...hair, proxy, template: kept(key, () => proxyTemplate(proxy, follow)) };
    pressed.set(key, worn);
    return worn;
  };
  const skinUnder = (garment: string): MeshTemplate =>
    kept(`skin under ${garment}`, () => {
      const hidden = new Set(assets.proxies.get(garment)?.deleteVertices);
      return baseTemplate(
        assets,
        follow,
        (quad) => isSkin(quad) && ![0, 1, 2, 3].every((k) => hidden.has(base.quads[4 * quad + k])),
      );
    });
  const neighbours = new Map<string, Neighbours>();
  const undeformed = base.positions;
  return {
    assets,
    base: whole,
    skinVertices: Uint32Array.from(new Set(whole.triangles)),
    made,
    near(worn, garment) {
      const key = `${worn.name} under ${garment.name}`;
      let found = neighbours.get(key);
      if (found === undefined) {
        const positions = worn.proxy === undefined ? undeformed : fitted(worn.proxy, undeformed);
        const cloth = garment.proxy === undefined ? undeformed : fitted(garment.proxy, undeformed);
        found = neighboursOf(new Set(worn.template.triangles), positions, cloth, garment.template);
        neighbours.set(key, found);
      }
      return found;
    },
    wear({ garment, brow, hair, beard, headwear, glasses, gender, expression }) {
      const worn: Worn[] = [
        { role: 'skin', name: 'skin', template: skinUnder(garment), proxy: undefined },
        put('garment', garment),
        put('eye', 'high-poly'),
        put('cornea', 'high-poly'),
        put('brow', brow),
        put('lash', gender > 0.5 ? 'eyelashes04' : 'eyelashes01'),
      ];
      if (expression.mouthOpen > OPEN || expression.smile > WIDE_SMILE)
        worn.push(put('teeth', 'teeth_base'), put('tongue', 'tongue01'));
      if (hair !== 'shaved') worn.push(headwear === 'none' ? put('hair', hair) : hairUnder(headwear, hair));
      if (made.has(beard)) worn.push(put('beard', beard));
      if (headwear !== 'none') worn.push(put('hat', headwear));
      if (headwear === 'fedora') worn.push(put('band', 'fedora band'));
      if (glasses !== 'none') worn.push(put('frame', glasses), put('lens', `${glasses} lenses`));
      return worn;
    },
  };
}

/** The clear shell over the iris is one mesh with the eyeball; its texture coordinates lie in a corner of their own. */
function eyeQuads({ quadUvs, uvs }: ProxyMesh, role: 'eye' | 'cornea'): (quad: number) => boolean {
  return (quad) => {
    const at = 2 * quadUvs[4 * quad];
    return (uvs[at] > 0.85 && uvs[at + 1] > 0.85) === (role === 'cornea');
  };
}
