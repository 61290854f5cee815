/**
 * Single operations against values recorded from the original program (`parity/units`), on every engine.
 *
 * All cases of one operation make one program. The recorded files are not part of the repository: without
 * them these tests are skipped, and the composites' own tests remain.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import {
  cameraLabel,
  focalOfLegacyFov,
  intrinsics,
  lookAtCamera,
  orbitCamera,
} from '../src/portrait/camera.ts';
import { type DecoderActivation, decode } from '../src/portrait/decoder.ts';
import { discriminatorBlock, flatten, score } from '../src/portrait/discriminator.ts';
import { mapping, mapToW, truncate, updateWAvg } from '../src/portrait/mapping.ts';
import { march } from '../src/portrait/marcher.ts';
import type { Parameters } from '../src/portrait/parameters.ts';
import { generatorPose, mirrorCamera } from '../src/portrait/pose.ts';
import { cameraRays, rayBoxLimits } from '../src/portrait/rays.ts';
import { evenQuantiles, importanceDepths, smoothWeights, stratifiedDepths } from '../src/portrait/samples.ts';
import { affine, plainBlock, rgbLayer, rgbOf, styleRow, upBlock } from '../src/portrait/synthesis.ts';
import * as t from '../src/tensor/index.ts';
import { toNdArray } from '../src/weights/elements.ts';
import { readNpz } from '../src/weights/npz.ts';
import { parityFile } from './parity-files.ts';

interface Unit {
  readonly op: string;
  readonly args: Record<string, never>;
  readonly arrays: Record<string, { name: string }>;
}

type Inputs = Record<string, t.Tensor>;
type Outputs = Record<string, t.Tensor>;
// biome-ignore lint/suspicious/noExplicitAny: arguments are as the recording program wrote them.
type Args = any;

const npz = parityFile('units/units.npz');
const json = parityFile('units/units.json');
const units: Record<string, Unit> = json === undefined ? {} : JSON.parse(readFileSync(json, 'utf8'));

const tapsOf = (array: t.NdArray): t.Taps => {
  const [rows, columns = 0] = array.shape;
  const data = Array.from(array.data);
  return array.shape.length === 1
    ? data.map((a) => data.map((b) => a * b))
    : Array.from({ length: rows }, (_, i) => data.slice(i * columns, (i + 1) * columns));
};

/** The unit's arrays as the parameters of a module: `conv0_weight` is `conv0.weight`. */
function moduleOf(given: Record<string, t.Tensor>, avals: Record<string, t.Aval>): Parameters {
  const names = new Map<string, string>();
  for (const role of Object.keys(avals)) {
    names.set(
      role
        .replace(
          /^(conv0|conv1|conv|torgb|skip|fromrgb|fc|out|embed|fc0|fc1|net_\d)_/,
          (m) => `${m.slice(0, -1).replace('_', '.')}.`,
        )
        .replace('affine_', 'affine.'),
      role,
    );
  }
  const view = (prefix: string): Parameters => ({
    prefix,
    get: (name) => {
      const role = names.get(prefix + name);
      if (role === undefined) throw new Error(`no array for ${prefix}${name}`);
      return given[role];
    },
    has: (name) => names.has(prefix + name),
    scope: (name) => view(`${prefix}${name}.`),
  });
  return view('');
}

type Rule = (x: Inputs, args: Args, arrays: Record<string, t.NdArray>) => Outputs;

const RULES: Record<string, Rule> = {
  resize_bilinear: ({ x }, a) => ({ y: t.resizeBilinear(x, a.out_h, a.out_w, a.antialias) }),
  filtered_resizing: ({ x }, a) => ({ y: t.filteredResize(x, a.size, a.filter_mode) }),
  gaussian_blur: ({ x }, a) => ({ y: t.gaussianBlur(x, a.sigma) }),
  upfirdn2d: ({ x }, a, { f }) => ({
    y: t.upfirdn2d(x, f === undefined ? [[1]] : tapsOf(f), { ...a, flip: a.flip_filter ?? false }),
  }),
  filter2d: ({ x }, a, { f }) => ({ y: t.filter2d(x, tapsOf(f), { ...a, flip: a.flip_filter ?? false }) }),
  upsample2d: ({ x }, a, { f }) => ({
    y: t.upsample2d(x, tapsOf(f), { ...a, flip: a.flip_filter ?? false, padding: xy(a.padding) }),
  }),
  downsample2d: ({ x }, a, { f }) => ({
    y: t.downsample2d(x, tapsOf(f), { ...a, flip: a.flip_filter ?? false, padding: xy(a.padding) }),
  }),
  conv2d_resample: ({ x, w }, a, { f }) => ({
    y: t.conv2dResample(x, w, f && tapsOf(f), { ...a, flipWeight: a.flip_weight ?? true }),
  }),
  modulated_conv2d: ({ x, weight, styles, noise }, a, { resample_filter }) => ({
    y: t.modulatedConv2d(x, weight, styles, {
      ...a,
      noise,
      form: a.fused_modconv ? 'weights' : 'activations',
      flipWeight: a.flip_weight ?? true,
      taps: tapsOf(resample_filter),
    }),
  }),
  bias_act: ({ x, b }, a) => ({
    y: t.biasAct(x, b, { ...a, activation: a.act, slope: a.alpha, axis: a.dim ?? 1 }),
  }),
  minibatch_std: ({ x }, a) => ({ y: t.minibatchStd(x, a.group_size ?? x.shape[0], a.num_channels) }),
  fully_connected: ({ x, weight, bias }, a) => ({
    y: t.fullyConnected(x, weight, bias, { activation: a.activation, lrMultiplier: a.lr_multiplier }),
  }),
  normalize_2nd_moment: ({ x }) => ({ y: t.normalizeSecondMoment(x) }),
  sample_from_planes: ({ planes, xyz }, a) => {
    const [batch, , rows, height, width] = planes.shape;
    return {
      y: t.sampleTrigrid(
        t.reshape(planes, [batch, 3 * rows, height, width]),
        xyz,
        a.triplane_depth,
        a.box_warp,
      ),
    };
  },
  ray_sampler: ({ cam2world, intrinsics: k }, a) => {
    const c = t.concat([t.reshape(cam2world, [-1, 16]), t.reshape(k, [-1, 9])], 1);
    return { ...(t.mul(c, 1) && cameraRays(c, a.resolution)) };
  },
  ray_box_limits: ({ origins, directions }, a) => ({
    ...rayBoxLimits({ origins, directions }, a.box_side_length),
  }),
  ray_marcher: ({ colors, densities, depths }, a) => {
    const [n, m, s, ch] = colors.shape;
    const z = t.reshape(depths, [n * m, s]);
    const out = march(t.reshape(colors, [n * m, s, ch]), t.reshape(densities, [n * m, s]), z, {
      whiteBack: a.white_back,
    });
    const depth = t.minimum(t.maximum(out.depth, t.reduceMin(z)), t.reduceMax(z));
    return {
      rgb: t.reshape(out.features, [n, m, ch]),
      depth: t.reshape(depth, [n, m, 1]),
      weights: t.reshape(out.weights, [n, m, s - 1, 1]),
    };
  },
  sample_importance: ({ z_vals, weights }, a) => {
    const [n, m, s] = z_vals.shape;
    const w = t.reshape(weights, [n * m, s - 1]);
    const depths = importanceDepths(t.reshape(z_vals, [n * m, s]), w, evenQuantiles(a.n_importance));
    // The recorded smoothed weights are before the constant is added.
    return {
      depths: t.reshape(depths, [n, m, a.n_importance, 1]),
      smoothed_weights: t.sub(smoothWeights(w), 1e-5),
    };
  },
  sample_stratified: ({ ray_start, ray_end }, a) => {
    const near = ray_start ?? a.ray_start;
    const far = ray_end ?? a.ray_end;
    const shape = ray_start === undefined ? [a.n] : [...ray_start.shape.slice(0, -1), a.n];
    const depths = stratifiedDepths(near, far, t.broadcastTo(t.constant(0.5), shape), {
      count: a.n,
      disparity: a.disparity,
    });
    return { depths: t.reshape(depths, [...shape, 1]) };
  },
  decoder: (x, a) => {
    const { sigma, rgb } = decode(moduleOf(x, x), x.features, {
      activation: a.decoder_activation as DecoderActivation,
      lrMultiplier: a.decoder_lr_mul,
    });
    return { sigma, rgb };
  },
  mapping: (x, a) => {
    const ws = mapping(moduleOf(x, x), x.z, x.c, { layers: a.num_layers, numWs: a.num_ws });
    const cutoff = a.truncation_psi === 1 ? 0 : (a.truncation_cutoff ?? a.num_ws);
    return { ws: truncate(ws, x.w_avg, t.constant(a.truncation_psi), t.constant(cutoff, 'int32')) };
  },
  mapping_w_avg_update: (x, a) => ({
    w_avg_after: updateWAvg(x.w_avg_before, mapToW(moduleOf(x, x), x.z, x.c, { layers: 2 }), a.beta),
  }),
  synthesis_block: (x, a) => {
    const p = moduleOf(x, x);
    const batch = x.ws.shape[0];
    const options = { noise: 'const' } as const;
    const styled = (input: t.Tensor, layer: string, row: number): t.Tensor =>
      t.modulate(input, affine(p.scope(layer), styleRow(x.ws, row)));
    const { value: y } =
      x.const === undefined
        ? upBlock(p, styled(x.x, 'conv0', 0), styleRow(x.ws, 0), styleRow(x.ws, 1), options)
        : plainBlock(
            p,
            styled(t.broadcastTo(x.const, [batch, ...x.const.shape]), 'conv1', 0),
            undefined,
            styleRow(x.ws, 0),
            options,
          );
    const torgb = p.scope('torgb');
    const w = styleRow(x.ws, a.in_channels === 0 ? 1 : 2);
    return {
      x_out: y,
      img_out: x.img ? t.skipUp(x.img, rgbOf(torgb, y, w), torgb.get('bias')) : rgbLayer(torgb, y, w),
    };
  },
  discriminator_block: (x, a) => ({ y: discriminatorBlock(moduleOf(x, x), x.x ?? x.img, a.conv_clamp) }),
  discriminator_epilogue: (x, a) => {
    const p = moduleOf(x, x);
    const flat = flatten(p, x.x, { groupSize: a.mbstd_group_size, clamp: undefined });
    return { flat, y: score(p, flat, x.cmap) };
  },
  flip_yaw: ({ c }) => ({ y: mirrorCamera(c) }),
  G_pose_branch_symmetric: (x) => ({ pose: generatorPose(moduleOf(x, x), x.z, x.c) }),
};

function xy(padding: number | [number, number] | undefined): number | [number, number, number, number] {
  if (padding === undefined) return 0;
  return typeof padding === 'number' ? padding : [padding[0], padding[0], padding[1], padding[1]];
}

describe.skipIf(npz === undefined)('recorded single operations', () => {
  let arrays: Map<string, t.NdArray>;
  const engines: Record<string, t.Engine> = { reference: referenceEngine(), cpu: cpuEngine() };
  beforeAll(async () => {
    arrays = new Map([...(await readNpz(npz!))].map(([name, array]) => [name, toNdArray(array)]));
  });
  afterAll(async () => {
    for (const engine of Object.values(engines)) await engine.dispose();
  });

  const arrayOf = (name: string): t.NdArray => {
    const array = arrays.get(name);
    if (array === undefined) throw new Error(`units.npz has no ${name}`);
    return array;
  };

  for (const [op, rule] of Object.entries(RULES)) {
    for (const engineName of Object.keys(engines)) {
      it(`${op} on ${engineName}`, async () => {
        const cases = Object.entries(units).filter(([, unit]) => unit.op === op);
        expect(cases.length).toBeGreaterThan(0);
        const inputs: Record<string, t.NdArray> = {};
        const expected: Record<string, t.NdArray> = {};
        const build: ((given: Inputs) => Outputs)[] = [];
        for (const [name, unit] of cases) {
          const own = Object.fromEntries(
            Object.entries(unit.arrays).map(([role, entry]) => [role, arrayOf(entry.name)]),
          );
          const outputsOf = (given: Inputs): Outputs => {
            const local = Object.fromEntries(
              Object.keys(own).map((role) => [role, given[`${name}.${role}`]]),
            );
            return Object.fromEntries(
              Object.entries(rule(local, unit.args, own)).map(([role, y]) => [`${name}.${role}`, y]),
            );
          };
          for (const [role, array] of Object.entries(own)) {
            inputs[`${name}.${role}`] = array;
            expected[`${name}.${role}`] = array;
          }
          build.push(outputsOf);
        }
        const graph = t.trace(op, inputs, (given) =>
          Object.assign({}, ...build.map((outputsOf) => outputsOf(given))),
        );
        const program = await engines[engineName].compile(graph);
        const outputs = await program.run(inputs);
        await program.dispose();
        for (const [name, { data, shape }] of Object.entries(outputs)) {
          const want = expected[name];
          if (want === undefined) continue;
          expect(shape, name).toEqual(want.shape);
          const scale = Array.from(want.data).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          let worst = 0;
          data.forEach((value, i) => {
            const gap = Math.abs(value - want.data[i]);
            worst = value === want.data[i] ? worst : Math.max(worst, Number.isNaN(gap) ? 1 : gap);
          });
          expect(worst / scale, name).toBeLessThan(1e-5);
        }
      });
    }
  }

  it('filter taps, cameras and intrinsics', () => {
    let seen = 0;
    for (const [name, { op, args, arrays: roles }] of Object.entries(units) as [
      string,
      Unit & { args: Args },
    ][]) {
      if (!['setup_filter', 'look_at_camera', 'origin_camera', 'FOV_to_intrinsics'].includes(op)) continue;
      seen++;
      const y = arrayOf(roles.y.name);
      let got: number[];
      if (op === 'setup_filter') {
        got = t
          .makeTaps(args.taps ?? [1], {
            normalize: args.normalize ?? true,
            gain: args.gain ?? 1,
            flip: args.flip_filter ?? false,
          })
          .flat();
        compare(got, tapsOf(y).flat(), name);
        continue;
      }
      if (op === 'FOV_to_intrinsics') {
        const camera = lookAtCamera([0, 0, 2.7], [0, 0, 0], intrinsics(focalOfLegacyFov(args.fov_degrees)));
        got = Array.from(cameraLabel(camera)).slice(16);
      } else {
        const lookAt = op === 'origin_camera' ? ([0, 0, 0] as const) : args.lookat;
        got = [...orbitCamera(args.horizontal, args.vertical, { radius: args.radius, lookAt }).cam2world];
      }
      compare(got, Array.from(y.data), name);
    }
    expect(seen).toBeGreaterThan(20);
  });

  function compare(got: readonly number[], want: readonly number[], name: string): void {
    expect(got.length, name).toBe(want.length);
    const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // Near the poles float32 loses digits of the original's own matrix.
    const bound = name.includes('pole') ? 1e-3 : 1e-5;
    got.forEach((value, i) => {
      expect(Math.abs(value - want[i]) / scale, `${name}[${i}]`).toBeLessThan(bound);
    });
  }
});
