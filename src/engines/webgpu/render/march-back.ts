/** Rays backwards: from cotangents of features, depth and opacity to those of every sample's density, and its share of
 * the colours. */

import type { Bound, Dispatch, Operand } from '../kernel.ts';
import { CROPPED } from './decode.ts';
import { BACK_LINES, marchThreads, raysTogether, SORT, sorting, type TileBuffers } from './march.ts';
import { entry, groupsFor, literal } from './shader.ts';
import { type RayCall, rayAt, type Tiles, turnOf } from './tiles.ts';

/** To `weighed` [sample, ray]: the share of the colour, and the density's cotangent. */
export function marchBackDispatch(
  call: RayCall,
  tiles: Tiles,
  at: TileBuffers & { readonly dots: Operand; readonly weighed: Operand },
): Dispatch {
  const count = raysTogether(call.planning, call.coarse + call.fine, BACK_LINES);
  const turn = turnOf(tiles, 'middle', at.tile);
  const [ofFeatures, ofDepth, ofOpacity] = ['features', 'depth', 'opacity'].map((name) =>
    call.has(`d:${name}`),
  );
  const white = call.whiteBack && ofFeatures;
  const cotangent = (name: string, lanes: 1 | 4): Bound => ({
    ...call.input(`d:${name}`, lanes),
    name: `of_${name}`,
  });
  const code = /* wgsl */ `
${turn.code}
${rayAt(call, tiles)}
${sorting(call, count)}
var<workgroup> light: array<f32, ${(call.coarse + call.fine) * count}>;
var<workgroup> dotted: array<f32, ${(call.coarse + call.fine) * count}>;
fn write(place: u32, begin: u32, share: f32, density: f32, real: bool) {
  let at = (order[place] / TOGETHER) * RAYS + begin + place % TOGETHER;
  if (begin + place % TOGETHER < RAYS) {
    let kept = select(density, 0.0, sigma[at] == ${literal(CROPPED)});
    weighed[at] = select(vec2<f32>(0.0), vec2<f32>(share, kept), real);
  }
}
// Opacities are in \`keys\`, their slopes by the middle density in \`values\`; \`sorted\` becomes weights.
fn marchBack(r: u32, begin: u32) {
  let last = (SAMPLES - 1u) * TOGETHER + r;
  var passed = 1.0;
  var total = 0.0;
  var along = 0.0;
  for (var i = r; i < last; i += TOGETHER) {
    let weight = keys[i] * passed;
    light[i] = passed;
    passed *= 1.0 - keys[i] + 1e-10;
    sorted[i] = weight;
    total += weight;
    along += weight * ((depths[i + TOGETHER] + depths[i]) * 0.5);
  }
  sorted[last] = 0.0;
  let ray = rayAt(min(begin + r, RAYS - 1u));
  // Every weight adds to the opacity, and pulls the mean depth towards it.
  var all = ${ofOpacity ? 'f32(of_opacity[ray.y])' : '0.0'};
${
  white
    ? /* wgsl */ `
  for (var c = 0u; c < 8u; c++) {
    all -= dot(vec4<f32>(of_features[ray.y * 8u + c]), vec4<f32>(1.0));
  }`
    : ''
}
  var pull = 0.0;
  var mean = 0.0;
${
  ofDepth
    ? /* wgsl */ `
  if (total != 0.0) {
    pull = f32(of_depth[ray.y]) / total;
    mean = along / total;
  }`
    : ''
}
  var behind = 0.0;
  var after = 0.0;
  for (var i = last; i > r; i -= TOGETHER) {
    let front = i - TOGETHER;
    let between = (depths[front] + depths[i]) * 0.5;
    let g = (dotted[front] + dotted[i]) * 0.5 + all + pull * (between - mean);
    let ofOpacity = g * light[front] - behind / (1.0 - keys[front] + 1e-10);
    let ofMiddle = ofOpacity * values[front];
    behind += g * sorted[front];
    write(i, begin, (sorted[front] + sorted[i]) * 0.5, (after + ofMiddle) * 0.5, ray.z == 1u);
    after = ofMiddle;
  }
  write(r, begin, sorted[r] * 0.5, after * 0.5, ray.z == 1u);
}
${entry(
  marchThreads(call.planning),
  /* wgsl */ `${SORT}
  for (var i = local; i < SAMPLES * TOGETHER; i += THREADS) {
    dotted[i] = ${ofFeatures ? 'dots[(order[i] / TOGETHER) * RAYS + min(begin + i % TOGETHER, RAYS - 1u)]' : '0.0'};
    let next = i + TOGETHER;
    if (next < SAMPLES * TOGETHER) {
      let x = (sorted[i] + sorted[next]) * 0.5 - 1.0;
      let step = depths[next] - depths[i];
      let y = softplusExact(x) * step;
      let u = exp(-abs(x));
      keys[i] = opacityOf(y);
      values[i] = step * exp(-y) * select(u, 1.0, x >= 0.0) / (1.0 + u);
    }
  }
  workgroupBarrier();
  if (local < TOGETHER) {
    marchBack(local, begin);
  }`,
)}`;
  return {
    label: 'renderer: rays backwards',
    code,
    bound: [
      call.input('coarse'),
      ...(call.fine > 0 ? [{ name: 'fineDepths', at: at.fineDepths, type: 'f32' }] : []),
      { name: 'sigma', at: at.sigma, type: 'f32' },
      ...(ofFeatures ? [{ name: 'dots', at: at.dots, type: 'f32' }] : []),
      ...(white ? [cotangent('features', 4)] : []),
      ...(ofDepth ? [cotangent('depth', 1)] : []),
      ...(ofOpacity ? [cotangent('opacity', 1)] : []),
      ...turn.bound,
      { name: 'weighed', at: at.weighed, type: 'vec2<f32>', write: true },
    ],
    groups: groupsFor(call.planning, tiles.rays, count),
  };
}
