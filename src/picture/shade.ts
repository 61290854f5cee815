/** Pictures of meshes: what the rasteriser found, lit, smoothed and put on a backdrop. */

import { ShapeError } from '../errors.ts';
import type { Mesh, MeshAttributes } from './mesh/mesh.ts';
import { crossOfTriangle, vertexNormals } from './mesh/mesh.ts';
import { pinholeOf, rayStretch } from './pinhole.ts';
import { blankRaster, type Colour, type Raster } from './raster.ts';
import { type Fragments, interpolate, rasterise } from './rasterise.ts';

export interface RenderOptions {
  readonly width: number;
  readonly height: number;
  /** Samples a side of each pixel; 2 when left out. */
  readonly supersampling?: number;
  /** One normal a triangle instead of one that varies over it. */
  readonly flat?: boolean;
  /** How much the light decides: 0 leaves colours as they are; 1 when left out. */
  readonly shading?: number;
  /** Colour of a mesh without colours, sRGB. */
  readonly material?: Colour;
}

/** A rendered mesh; all row by row from the top. */
export interface RenderedMesh {
  readonly width: number;
  readonly height: number;
  /** [H, W, 3] linear light, multiplied by `mask` */
  readonly colour: Float32Array;
  /** [H, W] share of the pixel that is covered */
  readonly mask: Float32Array;
  /** [H, W] distance along the ray of the nearest point; infinite where nothing is */
  readonly depth: Float32Array;
  /** [H, W, 3] unit normals of the world turned into the camera: x right, y up, z to the viewer; 0 where nothing is */
  readonly normals: Float32Array;
}

const CLAY: Colour = [188, 184, 178];

/** Directions towards the lights in the camera's frame (x right, y up, z to the viewer), and their strengths. */
const LIGHTS: readonly (readonly [number, number, number, number])[] = [
  [-0.42, 0.57, 0.71, 0.72],
  [0.69, 0.1, 0.72, 0.2],
];
const AMBIENT = 0.16;

/** Renders a mesh under a camera label of 25 numbers. */
export function renderMesh(
  mesh: Mesh,
  attributes: MeshAttributes,
  label: ArrayLike<number>,
  options: RenderOptions,
): RenderedMesh {
  const { supersampling: s = 2, shading = 1, material = CLAY, flat = false } = options;
  const camera = pinholeOf(label);
  const fragments = rasterise(mesh, camera, { width: options.width * s, height: options.height * s });
  const normals = flat
    ? faceNormals(fragments, mesh)
    : interpolate(fragments, mesh, attributes.normals ?? vertexNormals(mesh), 3);
  turn(normals, camera.rotation);
  const linear =
    attributes.colours === undefined
      ? undefined
      : Float32Array.from(attributes.colours, (byte) => LINEAR[byte]);
  const albedo = linear === undefined ? undefined : interpolate(fragments, mesh, linear, 3);
  const plain = material.map((byte) => LINEAR[byte]);

  const { width, height } = options;
  const out: RenderedMesh = {
    width,
    height,
    colour: new Float32Array(width * height * 3),
    mask: new Float32Array(width * height),
    depth: new Float32Array(width * height).fill(Infinity),
    normals: new Float32Array(width * height * 3),
  };
  const share = 1 / (s * s);
  for (let i = 0; i < fragments.face.length; i++) {
    if (fragments.face[i] < 0) continue;
    const [x, y] = [i % fragments.width, Math.floor(i / fragments.width)];
    const pixel = Math.floor(y / s) * width + Math.floor(x / s);
    const light = 1 - shading + shading * lightOn(normals, i * 3);
    out.mask[pixel] += share;
    for (let k = 0; k < 3; k++) {
      out.colour[pixel * 3 + k] += share * light * (albedo === undefined ? plain[k] : albedo[i * 3 + k]);
      out.normals[pixel * 3 + k] += normals[i * 3 + k];
    }
    const stretch = rayStretch(camera, (x + 0.5) / fragments.width, (y + 0.5) / fragments.height);
    out.depth[pixel] = Math.min(out.depth[pixel], fragments.depth[i] * stretch);
  }
  for (let i = 0; i < out.normals.length; i += 3) normalise(out.normals, i);
  return out;
}

/** Puts a rendered mesh on a backdrop of one colour. */
export function rasterOfMesh(mesh: RenderedMesh, backdrop: Colour): Raster {
  return meshOver(mesh, blankRaster(mesh.width, mesh.height, backdrop));
}

/** Draws a rendered mesh over a picture of its size.
 *
 * @param opacity 0 to 1: how much of the picture the mesh hides
 * @throws ShapeError for a picture of another size.
 */
export function meshOver(mesh: RenderedMesh, picture: Raster, opacity = 1): Raster {
  const { width, height, colour, mask } = mesh;
  if (picture.width !== width || picture.height !== height)
    throw new ShapeError(
      `the mesh was rendered at ${width} x ${height} pixels, the picture has ${picture.width} x ${picture.height}`,
    );
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const behind = LINEAR[picture.data[i]] * (1 - opacity * mask[Math.floor(i / 3)]);
    data[i] = srgbByte(opacity * colour[i] + behind);
  }
  return { width, height, data };
}

/** Linear light of each sRGB byte. */
export const LINEAR: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => {
  const v = byte / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

/** The sRGB byte of linear light. */
export function srgbByte(linear: number): number {
  const v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, v)));
}

function faceNormals({ face }: Fragments, { positions, indices }: Mesh): Float32Array {
  const out = new Float32Array(face.length * 3);
  face.forEach((f, i) => {
    if (f >= 0)
      out.set(
        crossOfTriangle(positions, indices[f * 3] * 3, indices[f * 3 + 1] * 3, indices[f * 3 + 2] * 3),
        i * 3,
      );
  });
  return out;
}

/** World to the frame x right, y up, z to the viewer, at unit length. */
function turn(normals: Float32Array, r: Float64Array): void {
  for (let i = 0; i < normals.length; i += 3) {
    const [x, y, z] = [normals[i], normals[i + 1], normals[i + 2]];
    normals[i] = r[0] * x + r[1] * y + r[2] * z;
    normals[i + 1] = -(r[3] * x + r[4] * y + r[5] * z);
    normals[i + 2] = -(r[6] * x + r[7] * y + r[8] * z);
    normalise(normals, i);
  }
}

function normalise(v: Float32Array, i: number): void {
  const length = Math.sqrt(v[i] * v[i] + v[i + 1] * v[i + 1] + v[i + 2] * v[i + 2]);
  if (length > 0) for (let k = 0; k < 3; k++) v[i + k] /= length;
}

/** Both sides of a surface are lit: a hole shows what is behind it, not black. */
function lightOn(normals: Float32Array, i: number): number {
  const side = normals[i + 2] < 0 ? -1 : 1;
  let light = AMBIENT;
  for (const [x, y, z, strength] of LIGHTS) {
    const facing = side * (normals[i] * x + normals[i + 1] * y + normals[i + 2] * z);
    if (facing > 0) light += strength * facing;
  }
  return light;
}
