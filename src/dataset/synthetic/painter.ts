/** Paints people: a latent to a person with everything that stays the same, and a person to pictures. */

import { pinholeOf } from '../../picture/pinhole.ts';
import { createSceneRenderer, type SceneRenderer } from '../../picture/scene/renderer.ts';
import type { ScenePart, TextureHandle } from '../../picture/scene/types.ts';
import type { Stream } from '../../random.ts';
import type { Assets } from './assets.ts';
import { type BackdropKind, backdropOf } from './backdrop.ts';
import { backgroundOf } from './background.ts';
import { type Fabric, fabricOf } from './fabric.ts';
import { develop, STEADY_FILM, variedFilm } from './film.ts';
import { detailFor } from './images.ts';
import { lightingForCamera, lightingOf } from './light.ts';
import { isPatterned, materialOf } from './materials.ts';
import type { MeshTemplate } from './mesh-template.ts';
import { type Person, type PersonMesh, personOf } from './person.ts';
import { poseCorners, poseMotions } from './rig.ts';
import { paintSkin } from './skin.ts';
import { loadTextures, type Textures } from './textures.ts';
import { type Traits, traitsOf } from './traits.ts';
import { type Wardrobe, type Worn, wardrobeOf } from './wardrobe.ts';

/** A person ready to be painted. */
export interface Sitter {
  readonly person: Person;
  readonly latent: ArrayLike<number>;
  /** One for each mesh of the person: what no pose changes. */
  readonly parts: readonly Pick<
    ScenePart,
    'uvs' | 'indices' | 'material' | 'occlusion' | 'colours' | 'castsShadow'
  >[];
  readonly skin: TextureHandle;
}

export interface Painted {
  /** [size, size, 3] sRGB bytes */
  readonly picture: Uint8Array;
  /** [size, size] 0 background to 255 person */
  readonly mask: Uint8Array;
  /** [size, size] metres along the ray; infinite where nobody is */
  readonly depth: Float32Array;
}

export interface Painter {
  readonly size: number;
  /** The person of a latent; dismiss it when its pictures are done. */
  seat(latent: ArrayLike<number>): Sitter;
  /** One picture. @param label 25 camera and 6 pose numbers */
  paint(sitter: Sitter, label: ArrayLike<number>, own: Stream, options?: PaintOptions): Painted;
  dismiss(sitter: Sitter): void;
}

export interface PaintOptions {
  /** The light comes along with the camera. */
  readonly cameraLight?: boolean;
  /** `varied` when left out. */
  readonly backdrops?: BackdropKind;
}

/** How much of a direction a mesh shuts out: hair lets some light through. */
const DENSITY: Readonly<Record<string, number>> = {
  hair: 0.7,
  beard: 0.3,
  brow: 0,
  lash: 0,
  cornea: 0,
  lens: 0,
};

const OCCLUSION_DIRECTIONS = 20;

/** Prepares to paint square pictures of one size. */
export async function createPainter(assets: Assets, size: number): Promise<Painter> {
  const renderer = await createSceneRenderer();
  const wardrobe = wardrobeOf(assets);
  const textures = await loadTextures(wardrobe, renderer, detailFor(size));
  const fabrics = new Map<string, Fabric>();
  return {
    size,
    seat: (latent) => seated({ renderer, wardrobe, textures, fabrics }, latent),
    paint: (sitter, label, own, options) => painted(renderer, sitter, label, size, own, options ?? {}),
    dismiss: ({ skin }) => renderer.free(skin),
  };
}

interface Workshop {
  readonly renderer: SceneRenderer;
  readonly wardrobe: Wardrobe;
  readonly textures: Textures;
  /** Patterned garments that were worn before. */
  readonly fabrics: Map<string, Fabric>;
}

function seated(workshop: Workshop, latent: ArrayLike<number>): Sitter {
  const { renderer, wardrobe, textures } = workshop;
  const traits = traitsOf(latent);
  const person = personOf(wardrobe, traits);
  const skin = paintSkin(renderer, textures, traits);
  const shade = renderer.occlusion(
    person.meshes.map(({ positions, normals, template, worn }) => ({
      positions,
      normals,
      indices: template.triangles,
      density: DENSITY[worn.role] ?? 1,
    })),
    { directions: OCCLUSION_DIRECTIONS },
  );
  const parts = person.meshes.map(({ template, worn }, i) => ({
    uvs: template.uvs,
    indices: template.indices,
    material: materialOf(worn, traits, skin, textures.texture),
    occlusion: Float32Array.from(template.cornerVertex, (vertex) => shade[i][vertex]),
    castsShadow: DENSITY[worn.role] !== 0,
    ...corners(workshop, worn, traits),
  }));
  return { person, latent, parts, skin };
}

/** What corners of some meshes have besides: the colours of made parts, and the places of a pattern. */
function corners(
  { wardrobe, textures, fabrics }: Workshop,
  { role, name, proxy, made, template }: Worn,
  traits: Traits,
): Partial<Pick<ScenePart, 'uvs' | 'colours'>> {
  if (made?.colours !== undefined) return { colours: cornerColours(made.colours, template) };
  if (role !== 'garment' || proxy === undefined || !isPatterned(name, traits)) return {};
  const fabric = fabrics.get(name) ?? fabricOf(wardrobe.assets, proxy, template, textures.shading(name));
  fabrics.set(name, fabric);
  return fabric;
}

/** [S, 4] from [V, 4] */
function cornerColours(colours: Float32Array, { cornerVertex }: MeshTemplate): Float32Array {
  const out = new Float32Array(4 * cornerVertex.length);
  cornerVertex.forEach((vertex, s) => {
    out.set(colours.subarray(4 * vertex, 4 * vertex + 4), 4 * s);
  });
  return out;
}

function painted(
  renderer: SceneRenderer,
  { person, latent, parts }: Sitter,
  label: ArrayLike<number>,
  size: number,
  own: Stream,
  { cameraLight = false, backdrops = 'varied' }: PaintOptions,
): Painted {
  const numbers = Array.from(label);
  const camera = numbers.slice(0, 25);
  const motions = poseMotions(numbers.slice(25), person.neck, person.head);
  const scene = person.meshes.map(
    ({ template, positions, normals }: PersonMesh, i): ScenePart => ({
      ...parts[i],
      ...poseCorners(template, positions, normals, motions),
    }),
  );
  const { light } = person.traits;
  const lighting = cameraLight ? lightingForCamera(light, pinholeOf(camera)) : lightingOf(light);
  const { colour, alpha, depth } = renderer.render(scene, lighting, {
    label: camera,
    width: size,
    height: size,
    supersampling: 2,
  });
  const developed =
    backdrops === 'identity'
      ? develop(colour, alpha, backdropOf(latent, size), size, STEADY_FILM)
      : develop(colour, alpha, backgroundOf(own, size), size, variedFilm(own));
  return {
    picture: developed,
    mask: Uint8Array.from(alpha, (value) => Math.round(255 * Math.min(1, value))),
    depth,
  };
}
