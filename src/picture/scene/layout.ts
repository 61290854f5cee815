/**
 * Where the fields of the renderer's records lie, in bytes: the host writes them, the WebAssembly module reads them.
 *
 * Plain numbers, so that TypeScript and AssemblyScript read this same file.
 */

/** A vertex on the picture: x, y, 1 / depth, depth | normal, occlusion | u, v, clip x, clip y | colour | tangent. */
export const VERTEX_BYTES = 80;

/** A triangle that may be seen: x0, y0, a1, b1 | a2, b2, 1 / depth of the corners | ..., mip level, part, mean depth
 * | three addresses of vertices. Weights of the second and third corner: a (x - x0) + b (y - y0). */
export const TRIANGLE_BYTES = 64;

/** What is drawn, and where to. */
export const FRAME_BYTES = 544;
export const FRAME_WIDTH = 0;
export const FRAME_HEIGHT = 4;
/** Samples from one row of the sample buffers to the next. */
export const FRAME_STRIDE = 8;
export const FRAME_SUPERSAMPLING = 12;
/** [height, stride] f32: 1 / depth of the nearest opaque surface, 0 where there is none. */
export const FRAME_DEPTH = 16;
/** [height, stride] u32: part << 24 | triangle + 1 of it, 0 where there is none. */
export const FRAME_IDS = 20;
/** [height, stride, 4] f32: light collected so far, and the share that still comes through. */
export const FRAME_LIGHT = 24;
/** [height, stride, 2]: 1 / depth and part of the nearest blended surface with alpha > .5. */
export const FRAME_FRONT = 28;
export const FRAME_VERTICES = 32;
export const FRAME_TRIANGLES = 36;
/** Triangles written so far. */
export const FRAME_TRIANGLE_COUNT = 40;
/** Where the next vertex that clipping makes goes. */
export const FRAME_NEXT_VERTEX = 44;
/** Blended triangles: depth and number, then room to sort them. */
export const FRAME_SORT = 48;
export const FRAME_SORT_ROOM = 52;
export const FRAME_SORT_COUNT = 56;
export const FRAME_PARTS = 60;
export const FRAME_LIGHTS = 64;
export const FRAME_LIGHT_COUNT = 68;
export const FRAME_OUT_COLOUR = 72;
export const FRAME_OUT_ALPHA = 76;
export const FRAME_OUT_DEPTH = 80;
export const FRAME_OUT_PART = 84;
/** Room for QUEUE fragments: see `assembly/queue.ts`. */
export const FRAME_QUEUE = 88;
/** Four columns of four: world to (x, y, 1, 0) times depth, in samples. */
export const FRAME_PROJECTION = 96;
export const FRAME_CENTRE = 160;
/** World direction of a sample's ray, of unit depth: by x, by y, and at 0. */
export const FRAME_RAY_X = 176;
export const FRAME_RAY_Y = 192;
export const FRAME_RAY_0 = 208;
/** [3, 9] spherical harmonics of the light that a white Lambert surface reflects. */
export const FRAME_IRRADIANCE = 224;
/** [3, 9] spherical harmonics of the light that arrives. */
export const FRAME_RADIANCE = 336;

/** Geometry of one material. */
export const PART_BYTES = 144;
export const PART_POSITIONS = 0;
export const PART_NORMALS = 4;
export const PART_UVS = 8;
/** 0 where the part has none. */
export const PART_OCCLUSION = 12;
export const PART_COLOURS = 16;
export const PART_INDICES = 20;
export const PART_VERTEX_COUNT = 24;
export const PART_TRIANGLE_COUNT = 28;
/** Address of its first vertex record. */
export const PART_VERTICES = 32;
export const PART_INDEX = 36;
export const PART_FLAGS = 40;
/** Address of a texture header, or 0. */
export const PART_TEXTURE = 44;
export const PART_OPACITY = 48;
export const PART_GLOSS = 52;
export const PART_SPECULAR = 56;
export const PART_FRESNEL = 60;
export const PART_COLOUR = 64;
/** By channel; then the furthest that any light reaches round. */
export const PART_WRAP = 80;
/** 1 / (1 + wrap)^2 */
export const PART_WRAP_SCALE = 96;
/** How far sqrt(shadow) replaces shadow, by channel. */
export const PART_BLEED = 112;
/** (gloss + 8) / 8 */
export const PART_PEAK = 128;

export const FLAG_TEXTURE = 1;
export const FLAG_COLOURS = 2;
export const FLAG_DOUBLE_SIDED = 4;
export const FLAG_SHINES = 8;
export const FLAG_ANISOTROPIC = 16;
export const FLAG_GLOSS_OVER_ALPHA = 32;
export const FLAG_BLEND = 64;
export const FLAG_CUTOUT = 128;
export const FLAG_WRAPS = 256;
export const FLAG_BLEEDS = 512;

/** A directional light and its shadow map. */
export const LIGHT_BYTES = 96;
export const LIGHT_DIRECTION = 0;
/** Address of [side, side] f32: how far towards the light the nearest surface lies; 0: casts no shadow. */
export const LIGHT_MAP = 12;
export const LIGHT_COLOUR = 16;
export const LIGHT_SIDE = 28;
/** World to texel x, texel y and how far towards the light: rows of four. */
export const LIGHT_ROW_X = 32;
export const LIGHT_ROW_Y = 48;
export const LIGHT_ROW_DEPTH = 64;
/** A point is looked up this far along its normal, and this far towards the light. */
export const LIGHT_NORMAL_OFFSET = 80;
export const LIGHT_BIAS = 84;

/** Head of a texture: how many levels, repeat or not; then per level where it is, bytes a row, width, height (f32).
 * A row has one texel more than the level is wide, and there is one row more: the wrapped or repeated edge. */
export const TEXTURE_LEVELS = 0;
export const TEXTURE_REPEATS = 4;
export const TEXTURE_FIRST_LEVEL = 16;
export const LEVEL_BYTES = 16;
export const MOST_LEVELS = 15;

/** A bump of the picture's edges: samples a row may be written beyond its end. */
export const ROW_SLACK = 4;

/** Fragments shaded at once. */
export const QUEUE = 4096;
/** Entries, the same by part (each part's from a multiple of four), places, light and alpha, 1 / depth. */
export const QUEUE_BYTES = 8 * QUEUE + 8 * (QUEUE + 1024) + 4 * QUEUE + 20 * (QUEUE + 1024);

/** Most parts a scene may have: the part's number shares a word with the triangle's. */
export const MOST_PARTS = 255;
/** Most triangles a scene may have: each may be cut in two, and the other 24 bits hold its number. */
export const MOST_TRIANGLES = 8388606;

/** Nearer than this nothing is drawn; the same as in `picture/rasterise.ts`. */
export const NEAR = 1e-3;

/** A texture to be made of others: its head, how many sources and layers, then the gain. */
export const COMPOSE_TEXTURE = 0;
export const COMPOSE_SOURCE_COUNT = 4;
export const COMPOSE_LAYER_COUNT = 8;
/** Room for a row: 16 bytes a texel. */
export const COMPOSE_ROOM = 12;
export const COMPOSE_GAIN = 16;
/** Head and weight of each. */
export const COMPOSE_SOURCES = 32;
export const SOURCE_BYTES = 16;
export const MOST_SOURCES = 8;
export const COMPOSE_LAYERS = 160;
/** Head, channel, mode, strength; colour. */
export const LAYER_BYTES = 32;
export const MOST_LAYERS = 8;
export const COMPOSE_BYTES = 416;
export const LAYER_MIX = 0;
export const LAYER_MULTIPLY = 1;
export const LAYER_LUMINANCE = 2;

/** A mesh whose vertices' occlusion is asked for. */
export const OCCLUDER_BYTES = 48;
export const OCCLUDER_POSITIONS = 0;
export const OCCLUDER_NORMALS = 4;
export const OCCLUDER_INDICES = 8;
export const OCCLUDER_VERTEX_COUNT = 12;
export const OCCLUDER_TRIANGLE_COUNT = 16;
/** 0 to 255 */
export const OCCLUDER_DENSITY = 20;
/** Points on its triangles, four at a time: x, y, z. */
export const OCCLUDER_POINTS = 24;
export const OCCLUDER_POINT_COUNT = 28;
/** Its vertices, four at a time: x, y, z, normal, open so far, all so far. */
export const OCCLUDER_LANES = 32;
export const OCCLUDER_OUT = 36;
export const LANES_BYTES = 128;

/** A direction to look from: its unit vector and weight, then right and down in texels, each with its offset. */
export const LOOK_BYTES = 64;
export const LOOK_DIRECTION = 0;
export const LOOK_WEIGHT = 12;
export const LOOK_RIGHT = 16;
export const LOOK_DOWN = 32;
/** How far vertices are moved along their normals and towards the viewer, units of the mesh. */
export const LOOK_OFFSET = 48;
export const LOOK_BIAS = 52;
