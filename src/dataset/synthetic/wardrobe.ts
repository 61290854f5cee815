/** What a person can wear, prepared once: templates of all meshes, and which of them some traits ask for. */

import type { Assets, ProxyMesh } from './assets.ts';
import { baseFollow, baseTemplate, type MeshTemplate, proxyTemplate } from './mesh-template.ts';
import type { Traits } from './traits.ts';
import { type Tuck, tuckOf } from './tuck.ts';

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
  | 'hat';

export interface Worn {
  readonly role: Role;
  readonly name: string;
  readonly template: MeshTemplate;
  /** Absent for the skin itself. */
  readonly proxy: ProxyMesh | undefined;
}

export interface Wardrobe {
  readonly assets: Assets;
  /** All vertices of the base mesh, the helpers' too. */
  readonly base: MeshTemplate;
  /** Vertices of the body's surface. */
  readonly skinVertices: Uint32Array;
  wear(traits: Traits): Worn[];
  /** How skin gets out of the way of a garment. */
  tuck(garment: string): Tuck;
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
  const wornProxy = (role: Role, name: string): Worn & { readonly proxy: ProxyMesh } => {
    const proxy = assets.proxies.get(name);
    if (proxy === undefined) throw new Error(`internal: there is no part "${name}"`);
    const keep = role === 'eye' || role === 'cornea' ? eyeQuads(proxy, role) : undefined;
    return { role, name, proxy, template: kept(`${role} ${name}`, () => proxyTemplate(proxy, follow, keep)) };
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
  const tucks = new Map<string, Tuck>();
  return {
    assets,
    base: whole,
    skinVertices: Uint32Array.from(new Set(whole.triangles)),
    tuck(name) {
      const garment = wornProxy('garment', name);
      const found = tucks.get(name) ?? tuckOf(assets, garment.proxy, garment.template, skinUnder(name));
      tucks.set(name, found);
      return found;
    },
    wear({ garment, brow, hair, headwear, gender, expression }) {
      const worn: Worn[] = [
        { role: 'skin', name: 'skin', template: skinUnder(garment), proxy: undefined },
        wornProxy('garment', garment),
        wornProxy('eye', 'high-poly'),
        wornProxy('cornea', 'high-poly'),
        wornProxy('brow', brow),
        wornProxy('lash', gender > 0.5 ? 'eyelashes04' : 'eyelashes01'),
      ];
      if (expression.mouthOpen > OPEN || expression.smile > WIDE_SMILE)
        worn.push(wornProxy('teeth', 'teeth_base'), wornProxy('tongue', 'tongue01'));
      if (assets.proxies.get(hair)?.category === 'hair') worn.push(wornProxy('hair', hair));
      if (headwear === 'fedora') worn.push(wornProxy('hat', 'fedora'));
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
