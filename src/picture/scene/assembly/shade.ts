/**
 * The light that fragments of one part send to the camera, four at a time.
 *
 * A fragment is a sample and a triangle; everything else is interpolated here. Reflected light is
 *
 *   environment: albedo irradiance(n) occlusion + (specular + fresnel (1 - n.v)^5) radiance(mirror) occlusion
 *   each light:  colour shadow (albedo wrapped(n.l) + lobe)
 *
 * with wrapped = max(0, n.l + w) / (1 + w)^2, whose integral over the sphere is that of Lambert's law for every w, and
 * a Blinn-Phong or, for hair, Kajiya-Kay lobe.
 */

import {
  FLAG_ANISOTROPIC, FLAG_BLEEDS, FLAG_BLEND, FLAG_COLOURS, FLAG_DOUBLE_SIDED, FLAG_GLOSS_OVER_ALPHA, FLAG_SHINES,
  FLAG_TEXTURE, FLAG_WRAPS, FRAME_CENTRE, FRAME_IRRADIANCE, FRAME_LIGHTS, FRAME_LIGHT_COUNT, FRAME_RADIANCE,
  FRAME_RAY_0, FRAME_RAY_X, FRAME_RAY_Y, FRAME_TRIANGLES, LIGHT_BYTES, LIGHT_COLOUR, LIGHT_DIRECTION, LIGHT_MAP,
  PART_BLEED, PART_COLOUR, PART_FLAGS, PART_FRESNEL, PART_GLOSS, PART_OPACITY, PART_PEAK, PART_SPECULAR, PART_TEXTURE,
  PART_WRAP, PART_WRAP_SCALE, TRIANGLE_BYTES,
} from '../layout';
import { dot, inverseRoot, madd, power, storeTransposed, toLinear, unit } from './lanes';
import { shadowAt } from './shadow';
import { sample, TEXELS } from './texture';

const THIN: i32 = FLAG_BLEND | FLAG_ANISOTROPIC;
/** 1 over the cosine to the viewer at which blended hair begins to fade. */
const FADE: f32 = 4;

const CORNERS: usize = memory.data(64, 16);
const SLOPES: usize = memory.data(64, 16);
const NORMAL: usize = memory.data(64, 16);
const PLACE: usize = memory.data(64, 16);
const COLOUR: usize = memory.data(64, 16);
const TANGENT: usize = memory.data(64, 16);

/** Between the corners of one fragment's triangle, 16 bytes of each vertex at `offset`. */
// @ts-ignore: decorator
@inline
function between(record: usize, offset: usize, a: v128, b: v128, c: v128): v128 {
  return f32x4.add(
    f32x4.add(
      f32x4.mul(v128.load(<usize>load<u32>(record, 48) + offset), a),
      f32x4.mul(v128.load(<usize>load<u32>(record, 52) + offset), b),
    ),
    f32x4.mul(v128.load(<usize>load<u32>(record, 56) + offset), c),
  );
}

/** Four fragments' values at `offset`, transposed to `to`. */
// @ts-ignore: decorator
@inline
function interpolate(
  to: usize, offset: usize, t0: usize, t1: usize, t2: usize, t3: usize, a: v128, b: v128, c: v128,
): void {
  storeTransposed(
    to,
    between(t0, offset, v128.shuffle<f32>(a, a, 0, 0, 0, 0), v128.shuffle<f32>(b, b, 0, 0, 0, 0), v128.shuffle<f32>(c, c, 0, 0, 0, 0)),
    between(t1, offset, v128.shuffle<f32>(a, a, 1, 1, 1, 1), v128.shuffle<f32>(b, b, 1, 1, 1, 1), v128.shuffle<f32>(c, c, 1, 1, 1, 1)),
    between(t2, offset, v128.shuffle<f32>(a, a, 2, 2, 2, 2), v128.shuffle<f32>(b, b, 2, 2, 2, 2), v128.shuffle<f32>(c, c, 2, 2, 2, 2)),
    between(t3, offset, v128.shuffle<f32>(a, a, 3, 3, 3, 3), v128.shuffle<f32>(b, b, 3, 3, 3, 3), v128.shuffle<f32>(c, c, 3, 3, 3, 3)),
  );
}

/** Spherical harmonics of order 2 with the constants already in the nine coefficients, not below 0. */
// @ts-ignore: decorator
@inline
function harmonics(at: usize, x: v128, y: v128, z: v128, xy: v128, yz: v128, zz: v128, xz: v128, dd: v128): v128 {
  let sum = madd(v128.load32_splat(at, 4), y, v128.load32_splat(at));
  sum = madd(v128.load32_splat(at, 8), z, sum);
  sum = madd(v128.load32_splat(at, 12), x, sum);
  sum = madd(v128.load32_splat(at, 16), xy, sum);
  sum = madd(v128.load32_splat(at, 20), yz, sum);
  sum = madd(v128.load32_splat(at, 24), zz, sum);
  sum = madd(v128.load32_splat(at, 28), xz, sum);
  return f32x4.pmax(madd(v128.load32_splat(at, 32), dd, sum), f32x4.splat(0));
}

/** One channel of a light: shadow, with red that bleeds into it, times the wrapped cosine, less where occluded. */
// @ts-ignore: decorator
@inline
function diffuse(part: usize, flags: i32, channel: usize, cosine: v128, shadow: v128, root: v128, open: v128): v128 {
  const zero = f32x4.splat(0);
  let through = shadow;
  if (flags & FLAG_BLEEDS) through = madd(f32x4.sub(root, shadow), v128.load32_splat(part + channel, PART_BLEED), shadow);
  if (!(flags & FLAG_WRAPS)) return f32x4.mul(f32x4.pmax(cosine, zero), through);
  const wrap = v128.load32_splat(part + channel, PART_WRAP);
  const wrapped = f32x4.mul(
    f32x4.pmax(f32x4.add(cosine, wrap), zero), v128.load32_splat(part + channel, PART_WRAP_SCALE),
  );
  const kept = f32x4.sub(f32x4.splat(1), f32x4.mul(wrap, f32x4.sub(f32x4.splat(1), open)));
  return f32x4.mul(f32x4.mul(wrapped, kept), through);
}

/** How bright a strand is: sin(tangent, half)^gloss, its tangent shifted along the normal. */
// @ts-ignore: decorator
@inline
function strand(th: v128, nh: v128, shift: f32, gloss: v128): v128 {
  const shifted = madd(nh, f32x4.splat(shift), th);
  const across = f32x4.sub(f32x4.splat(1 + shift * shift), f32x4.mul(shifted, shifted));
  const sine = f32x4.sqrt(f32x4.pmax(f32x4.mul(across, f32x4.splat(1 / (1 + shift * shift))), f32x4.splat(0)));
  return power(sine, gloss);
}

/**
 * Shades `count` fragments (a multiple of four) of one part.
 *
 * @param list  x | y << 16 and triangle, 8 bytes each
 * @param out   red, green, blue times alpha, and -alpha, 16 bytes each
 * @param depth 1 / depth, 4 bytes each
 */
export function shadeRun(frame: usize, part: usize, list: usize, count: i32, out: usize, depth: usize): void {
  const triangles = <usize>load<u32>(frame, FRAME_TRIANGLES);
  const flags = load<i32>(part, PART_FLAGS);
  const texture = <usize>load<u32>(part, PART_TEXTURE);
  const lights = <usize>load<u32>(frame, FRAME_LIGHTS);
  const lightEnd = lights + <usize>load<i32>(frame, FRAME_LIGHT_COUNT) * LIGHT_BYTES;
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const half = f32x4.splat(0.5);
  const invisible = f32x4.splat(<f32>(0.5 / 255.0));
  const end = list + (<usize>count << 3);
  for (; list < end; list += 32) {
    const e01 = v128.load(list);
    const e23 = v128.load(list, 16);
    const places = v128.shuffle<i32>(e01, e23, 0, 2, 4, 6);
    const x = f32x4.add(f32x4.convert_i32x4_s(v128.and(places, i32x4.splat(0xffff))), half);
    const y = f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_u(places, 16)), half);
    const t0 = triangles + <usize>i32x4.extract_lane(e01, 1) * TRIANGLE_BYTES;
    const t1 = triangles + <usize>i32x4.extract_lane(e01, 3) * TRIANGLE_BYTES;
    const t2 = triangles + <usize>i32x4.extract_lane(e23, 1) * TRIANGLE_BYTES;
    const t3 = triangles + <usize>i32x4.extract_lane(e23, 3) * TRIANGLE_BYTES;

    // Where on the triangles, perspective-correct.
    storeTransposed(CORNERS, v128.load(t0), v128.load(t1), v128.load(t2), v128.load(t3));
    storeTransposed(SLOPES, v128.load(t0, 16), v128.load(t1, 16), v128.load(t2, 16), v128.load(t3, 16));
    const dx = f32x4.sub(x, v128.load(CORNERS));
    const dy = f32x4.sub(y, v128.load(CORNERS, 16));
    const l1 = f32x4.add(f32x4.mul(v128.load(CORNERS, 32), dx), f32x4.mul(v128.load(CORNERS, 48), dy));
    const l2 = f32x4.add(f32x4.mul(v128.load(SLOPES), dx), f32x4.mul(v128.load(SLOPES, 16), dy));
    const ic = v128.load32_lane(t3 + 32, v128.load32_lane(t2 + 32, v128.load32_lane(t1 + 32, v128.load32_zero(t0 + 32), 1), 2), 3);
    const p = f32x4.mul(f32x4.sub(f32x4.sub(one, l1), l2), v128.load(SLOPES, 32));
    const q = f32x4.mul(l1, v128.load(SLOPES, 48));
    const r = f32x4.mul(l2, ic);
    const inverse = f32x4.add(f32x4.add(p, q), r);
    const z = f32x4.div(one, inverse);
    const a = f32x4.mul(p, z);
    const b = f32x4.mul(q, z);
    const c = f32x4.mul(r, z);
    v128.store(depth, inverse);
    depth += 16;

    // Colour and alpha.
    let red = v128.load32_splat(part, PART_COLOUR);
    let green = v128.load32_splat(part, PART_COLOUR + 4);
    let blue = v128.load32_splat(part, PART_COLOUR + 8);
    let alpha = one;
    if (flags & FLAG_TEXTURE) {
      interpolate(PLACE, 32, t0, t1, t2, t3, a, b, c);
      sample(
        texture, v128.load(PLACE), v128.load(PLACE, 16), load<i32>(t0, 36), load<i32>(t1, 36), load<i32>(t2, 36),
        load<i32>(t3, 36),
      );
      red = f32x4.mul(red, toLinear(v128.load(TEXELS)));
      green = f32x4.mul(green, toLinear(v128.load(TEXELS, 16)));
      blue = f32x4.mul(blue, toLinear(v128.load(TEXELS, 32)));
      if (flags & FLAG_BLEND) alpha = v128.load(TEXELS, 48);
    }
    if (flags & FLAG_COLOURS) {
      interpolate(COLOUR, 48, t0, t1, t2, t3, a, b, c);
      red = f32x4.mul(red, v128.load(COLOUR));
      green = f32x4.mul(green, v128.load(COLOUR, 16));
      blue = f32x4.mul(blue, v128.load(COLOUR, 32));
      if (flags & FLAG_BLEND) alpha = f32x4.mul(alpha, v128.load(COLOUR, 48));
    }
    if (flags & FLAG_BLEND) {
      alpha = unit(f32x4.mul(alpha, v128.load32_splat(part, PART_OPACITY)));
      if (!(flags & FLAG_GLOSS_OVER_ALPHA) && !v128.any_true(f32x4.gt(alpha, invisible))) {
        v128.store(out, zero);
        v128.store(out, zero, 16);
        v128.store(out, zero, 32);
        v128.store(out, zero, 48);
        out += 64;
        continue;
      }
    }

    // Normal, of the side that is seen where both count; the way to the viewer; the point in the world.
    interpolate(NORMAL, 16, t0, t1, t2, t3, a, b, c);
    let nx = v128.load(NORMAL);
    let ny = v128.load(NORMAL, 16);
    let nz = v128.load(NORMAL, 32);
    const open = v128.load(NORMAL, 48);
    let scale = inverseRoot(dot(nx, ny, nz, nx, ny, nz));
    const rx = madd(x, v128.load32_splat(frame, FRAME_RAY_X), madd(y, v128.load32_splat(frame, FRAME_RAY_Y), v128.load32_splat(frame, FRAME_RAY_0)));
    const ry = madd(x, v128.load32_splat(frame, FRAME_RAY_X + 4), madd(y, v128.load32_splat(frame, FRAME_RAY_Y + 4), v128.load32_splat(frame, FRAME_RAY_0 + 4)));
    const rz = madd(x, v128.load32_splat(frame, FRAME_RAY_X + 8), madd(y, v128.load32_splat(frame, FRAME_RAY_Y + 8), v128.load32_splat(frame, FRAME_RAY_0 + 8)));
    const toViewer = f32x4.neg(inverseRoot(dot(rx, ry, rz, rx, ry, rz)));
    const vx = f32x4.mul(rx, toViewer);
    const vy = f32x4.mul(ry, toViewer);
    const vz = f32x4.mul(rz, toViewer);
    if (flags & FLAG_DOUBLE_SIDED) {
      // By the triangle's side, not by the normal's: at an outline a normal turns away a little before the surface does.
      const turned = f32x4.sub(
        f32x4.mul(v128.load(CORNERS, 32), v128.load(SLOPES, 16)), f32x4.mul(v128.load(CORNERS, 48), v128.load(SLOPES)),
      );
      scale = v128.xor(scale, v128.and(f32x4.gt(turned, zero), f32x4.splat(-0.0)));
    }
    nx = f32x4.mul(nx, scale);
    ny = f32x4.mul(ny, scale);
    nz = f32x4.mul(nz, scale);
    // A sheet of hair has no edge of its own: seen from its side it fades.
    if ((flags & THIN) == THIN)
      alpha = f32x4.mul(alpha, unit(f32x4.mul(f32x4.abs(dot(nx, ny, nz, vx, vy, vz)), f32x4.splat(FADE))));
    const px = madd(rx, z, v128.load32_splat(frame, FRAME_CENTRE));
    const py = madd(ry, z, v128.load32_splat(frame, FRAME_CENTRE + 4));
    const pz = madd(rz, z, v128.load32_splat(frame, FRAME_CENTRE + 8));

    // The environment.
    const xy = f32x4.mul(nx, ny);
    const yz = f32x4.mul(ny, nz);
    const zz = f32x4.mul(nz, nz);
    const xz = f32x4.mul(nx, nz);
    const dd = f32x4.sub(f32x4.mul(nx, nx), f32x4.mul(ny, ny));
    const irradiance = frame + FRAME_IRRADIANCE;
    let lightRed = f32x4.mul(harmonics(irradiance, nx, ny, nz, xy, yz, zz, xz, dd), open);
    let lightGreen = f32x4.mul(harmonics(irradiance + 36, nx, ny, nz, xy, yz, zz, xz, dd), open);
    let lightBlue = f32x4.mul(harmonics(irradiance + 72, nx, ny, nz, xy, yz, zz, xz, dd), open);
    let shineRed = zero;
    let shineGreen = zero;
    let shineBlue = zero;
    let tx = zero;
    let ty = zero;
    let tz = zero;
    if (flags & FLAG_SHINES) {
      const nv = dot(nx, ny, nz, vx, vy, vz);
      const twice = f32x4.add(nv, nv);
      const mx = f32x4.sub(f32x4.mul(nx, twice), vx);
      const my = f32x4.sub(f32x4.mul(ny, twice), vy);
      const mz = f32x4.sub(f32x4.mul(nz, twice), vz);
      const g = f32x4.sub(one, unit(nv));
      const g2 = f32x4.mul(g, g);
      const grazing = f32x4.mul(f32x4.mul(g2, g2), g);
      const strength = f32x4.mul(
        madd(v128.load32_splat(part, PART_FRESNEL), grazing, v128.load32_splat(part, PART_SPECULAR)), open,
      );
      const radiance = frame + FRAME_RADIANCE;
      const mxy = f32x4.mul(mx, my);
      const myz = f32x4.mul(my, mz);
      const mzz = f32x4.mul(mz, mz);
      const mxz = f32x4.mul(mx, mz);
      const mdd = f32x4.sub(f32x4.mul(mx, mx), f32x4.mul(my, my));
      shineRed = f32x4.mul(strength, harmonics(radiance, mx, my, mz, mxy, myz, mzz, mxz, mdd));
      shineGreen = f32x4.mul(strength, harmonics(radiance + 36, mx, my, mz, mxy, myz, mzz, mxz, mdd));
      shineBlue = f32x4.mul(strength, harmonics(radiance + 72, mx, my, mz, mxy, myz, mzz, mxz, mdd));
      if (flags & FLAG_ANISOTROPIC) {
        interpolate(TANGENT, 64, t0, t1, t2, t3, a, b, c);
        tx = v128.load(TANGENT);
        ty = v128.load(TANGENT, 16);
        tz = v128.load(TANGENT, 32);
        const length = inverseRoot(dot(tx, ty, tz, tx, ty, tz));
        tx = f32x4.mul(tx, length);
        ty = f32x4.mul(ty, length);
        tz = f32x4.mul(tz, length);
      }
    }

    for (let light = lights; light < lightEnd; light += LIGHT_BYTES) {
      const lx = v128.load32_splat(light, LIGHT_DIRECTION);
      const ly = v128.load32_splat(light, LIGHT_DIRECTION + 4);
      const lz = v128.load32_splat(light, LIGHT_DIRECTION + 8);
      const cosine = dot(nx, ny, nz, lx, ly, lz);
      const reach = f32x4.add(cosine, v128.load32_splat(part, PART_WRAP + 12));
      if (!v128.any_true(f32x4.gt(reach, zero))) continue;
      const shadow = load<i32>(light, LIGHT_MAP) ? shadowAt(light, px, py, pz, nx, ny, nz) : one;
      const root = flags & FLAG_BLEEDS ? f32x4.sqrt(shadow) : shadow;
      const cr = v128.load32_splat(light, LIGHT_COLOUR);
      const cg = v128.load32_splat(light, LIGHT_COLOUR + 4);
      const cb = v128.load32_splat(light, LIGHT_COLOUR + 8);
      lightRed = madd(cr, diffuse(part, flags, 0, cosine, shadow, root, open), lightRed);
      lightGreen = madd(cg, diffuse(part, flags, 4, cosine, shadow, root, open), lightGreen);
      lightBlue = madd(cb, diffuse(part, flags, 8, cosine, shadow, root, open), lightBlue);
      if (!(flags & FLAG_SHINES)) continue;
      let hx = f32x4.add(lx, vx);
      let hy = f32x4.add(ly, vy);
      let hz = f32x4.add(lz, vz);
      const length = inverseRoot(dot(hx, hy, hz, hx, hy, hz));
      hx = f32x4.mul(hx, length);
      hy = f32x4.mul(hy, length);
      hz = f32x4.mul(hz, length);
      const nh = unit(dot(nx, ny, nz, hx, hy, hz));
      const gloss = v128.load32_splat(part, PART_GLOSS);
      const strength = v128.load32_splat(part, PART_SPECULAR);
      if (flags & FLAG_ANISOTROPIC) {
        // Strands shine a little beyond where their surface turns from the light.
        const facing = f32x4.mul(unit(f32x4.mul(f32x4.add(cosine, f32x4.splat(0.25)), f32x4.splat(0.8))), shadow);
        const th = dot(tx, ty, tz, hx, hy, hz);
        const white = f32x4.mul(f32x4.mul(strand(th, nh, 0.08, gloss), strength), facing);
        const tinted = f32x4.mul(
          f32x4.mul(strand(th, nh, -0.12, f32x4.mul(gloss, f32x4.splat(0.25))), f32x4.splat(0.35)), facing,
        );
        shineRed = madd(cr, madd(tinted, red, white), shineRed);
        shineGreen = madd(cg, madd(tinted, green, white), shineGreen);
        shineBlue = madd(cb, madd(tinted, blue, white), shineBlue);
      } else {
        const g = f32x4.sub(one, unit(dot(vx, vy, vz, hx, hy, hz)));
        const g2 = f32x4.mul(g, g);
        const grazing = f32x4.mul(f32x4.mul(g2, g2), g);
        const fresnel = madd(v128.load32_splat(part, PART_FRESNEL), grazing, strength);
        const lobe = f32x4.mul(power(nh, gloss), v128.load32_splat(part, PART_PEAK));
        const sent = f32x4.mul(f32x4.mul(fresnel, lobe), f32x4.mul(f32x4.pmax(cosine, zero), shadow));
        shineRed = madd(cr, sent, shineRed);
        shineGreen = madd(cg, sent, shineGreen);
        shineBlue = madd(cb, sent, shineBlue);
      }
    }

    red = f32x4.mul(red, lightRed);
    green = f32x4.mul(green, lightGreen);
    blue = f32x4.mul(blue, lightBlue);
    if (flags & FLAG_GLOSS_OVER_ALPHA) {
      red = madd(red, alpha, shineRed);
      green = madd(green, alpha, shineGreen);
      blue = madd(blue, alpha, shineBlue);
    } else {
      red = f32x4.mul(f32x4.add(red, shineRed), alpha);
      green = f32x4.mul(f32x4.add(green, shineGreen), alpha);
      blue = f32x4.mul(f32x4.add(blue, shineBlue), alpha);
    }
    storeTransposed(out, red, green, blue, f32x4.neg(alpha));
    out += 64;
  }
}
