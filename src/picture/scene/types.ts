/** What a scene is made of, and what comes back as its picture. */

/** An image as bytes: sRGB and alpha, rows from the top, v down. */
export interface TextureData {
  readonly width: number;
  readonly height: number;
  /** [H, W, 4] red, green, blue, alpha */
  readonly data: Uint8Array;
  /** Goes on from the other side beyond its edges; held at the edge when left out. */
  readonly repeat?: boolean;
}

/** A texture that a renderer holds. */
export interface TextureHandle {
  readonly id: number;
  readonly width: number;
  readonly height: number;
}

export type Vector3 = readonly [number, number, number];

export interface SceneMaterial {
  /** White when left out. */
  readonly texture?: TextureHandle;
  /** Multiplies the texture, linear light. */
  readonly colour: Vector3;
  /** `cutout`: there where alpha is a half or more. `blend`: triangles sorted by depth, each over what is behind. */
  readonly mode: 'opaque' | 'cutout' | 'blend';
  /** Multiplies alpha; 1 when left out. */
  readonly opacity?: number;
  /** Both sides are drawn, normals of an inner side turned round; otherwise inner sides are left out. */
  readonly doubleSided: boolean;
  /** How far light reaches round, per channel: max(0, n.l + w) / (1 + w)^2. 0 is Lambert's law. Shadows on what wraps
   * bleed: the channels that wrap further see lighter edges. */
  readonly wrap: Vector3;
  /** Share of light that is mirrored straight on. */
  readonly specular: number;
  /** Exponent of the highlight. */
  readonly gloss: number;
  /** Share of light that is mirrored besides at grazing angles. */
  readonly fresnel: number;
  /** Hair: highlights across the direction in which v grows; one white, one in the colour of the hair. Where it is
   * blended, it fades where its normals turn from the viewer (below a cosine of a quarter). */
  readonly anisotropic: boolean;
  /** Highlights show where alpha is 0 too, and cover nothing. */
  readonly glossOverAlpha?: boolean;
}

/** Triangles of one material; a vertex for each pair of place and texture place. */
export interface ScenePart {
  /** [V, 3] */
  readonly positions: Float32Array;
  /** [V, 3] of any length but 0 */
  readonly normals: Float32Array;
  /** [V, 2], v down */
  readonly uvs: Float32Array;
  /** [V]: 1 open to the environment, 0 closed; 1 when left out */
  readonly occlusion?: Float32Array;
  /** [V, 4]: multiplies colour (linear light) and alpha */
  readonly colours?: Float32Array;
  /** [T, 3], counter-clockwise seen from outside */
  readonly indices: Uint32Array;
  readonly material: SceneMaterial;
  /** True when left out. */
  readonly castsShadow?: boolean;
}

export interface DirectionalLight {
  /** Unit vector towards the light, in the world. */
  readonly direction: Vector3;
  /** What a white surface that faces it sends on. */
  readonly colour: Vector3;
  readonly shadow: boolean;
  /** Angle that the light subtends, radians: how soft its shadows are; .08 when left out. */
  readonly softness?: number;
}

export interface Lighting {
  /** [9, 3]: light that arrives, as real spherical harmonics of order 2 in the order (l, m) = (0, 0), (1, -1), (1, 0),
   * (1, 1), (2, -2) ... (2, 2), orthonormal, in the world's axes. */
  readonly environment: Float32Array;
  /** Up to 4, of which up to 2 cast shadows. */
  readonly lights: readonly DirectionalLight[];
}

export interface SceneView {
  /** 25 numbers: see `picture/pinhole.ts`. */
  readonly label: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  /** Samples a side of each pixel, 1 to 4. */
  readonly supersampling: number;
}

/** A picture; rows from the top. */
export interface RenderedScene {
  readonly width: number;
  readonly height: number;
  /** [H, W, 3] linear light, multiplied by alpha */
  readonly colour: Float32Array;
  /** [H, W] share of the pixel that is covered */
  readonly alpha: Float32Array;
  /** [H, W] distance along the ray of the nearest sample's nearest surface with alpha > .5; infinite where none is */
  readonly depth: Float32Array;
  /** [H, W] number of the part which that surface belongs to; -1 where none is */
  readonly part: Int16Array;
}

/** How colours of a layer are put on: towards the colour, times the colour, or the colour with the lightness that
 * was there. */
export type LayerMode = 'mix' | 'multiply' | 'luminance';

export interface TextureLayer {
  /** Where; of any size. */
  readonly mask: TextureHandle;
  readonly channel: 0 | 1 | 2 | 3;
  /** sRGB, 0 to 255 */
  readonly colour: Vector3;
  /** 0 to 1 */
  readonly strength: number;
  readonly mode: LayerMode;
}

/** A texture made of others. All arithmetic is on sRGB bytes as they are. */
export interface Composition {
  readonly width: number;
  readonly height: number;
  /** 1 to 8, of this size. */
  readonly sources: readonly { readonly handle: TextureHandle; readonly weight: number }[];
  /** Multiplies the weighted sum. */
  readonly gain: Vector3;
  /** Up to 8, put on in this order. */
  readonly layers: readonly TextureLayer[];
}

export interface OcclusionMesh {
  readonly positions: Float32Array;
  /** [V, 3]; worked out from the triangles when left out. */
  readonly normals?: Float32Array;
  readonly indices: Uint32Array;
  /** How much light it stops: 0 to 1; 1 when left out. */
  readonly density?: number;
}

export interface OcclusionOptions {
  /** Directions from which the scene is looked at; 24 when left out. */
  readonly directions?: number;
  /** Texels a side of the depth maps; 128 when left out. */
  readonly side?: number;
  /** How much more the sky counts than the ground: weight of a direction = 1 + upward * y; 0 when left out. */
  readonly upward?: number;
}

/** Draws scenes, one at a time, on the thread that made it. */
export interface SceneRenderer {
  /** Takes an image over, with smaller levels of it. */
  upload(texture: TextureData): TextureHandle;
  /** Forgets a texture. */
  free(texture: TextureHandle): void;
  compose(composition: Composition): TextureHandle;
  render(parts: readonly ScenePart[], lighting: Lighting, view: SceneView): RenderedScene;
  /** [V] of each mesh: the share of the light from all round that reaches a vertex, weighted by the cosine. */
  occlusion(meshes: readonly OcclusionMesh[], options?: OcclusionOptions): Float32Array[];
}
