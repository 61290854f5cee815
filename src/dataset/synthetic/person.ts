/**
 * A person at rest: traits to meshes in our world (metres, neck joint at the origin, facing +z, arms hanging).
 *
 * The crown of every person is .23 above the neck joint, as the crown of the body model is: pictures of people are
 * cropped by the size of the head, so all heads come out alike.
 */

import { rodrigues } from '../../body/index.ts';
import type { Assets } from './assets.ts';
import { addExpression } from './expression.ts';
import { addMacro } from './macro.ts';
import type { MeshTemplate } from './mesh-template.ts';
import { fitted, jointAt, morph } from './morph.ts';
import { armMotions, moveArms, moved, restNormals, turnAbout } from './rig.ts';
import { addSliders } from './sliders.ts';
import type { Traits } from './traits.ts';
import { layHair, tuckSkin } from './tuck.ts';
import type { Wardrobe, Worn } from './wardrobe.ts';

type Vec3 = readonly [number, number, number];

/** A mesh of a person at rest. */
export interface PersonMesh {
  readonly worn: Worn;
  readonly template: MeshTemplate;
  /** [V, 3] metres */
  readonly positions: Float32Array;
  /** [V, 3] unit */
  readonly normals: Float32Array;
}

export interface Person {
  readonly traits: Traits;
  readonly meshes: readonly PersonMesh[];
  /** [V, 3] all base vertices at rest, metres: what keypoints and accessories hold on to */
  readonly base: Float32Array;
  readonly neck: Vec3;
  readonly head: Vec3;
  readonly joints: Readonly<
    Record<'leftEye' | 'rightEye' | 'leftShoulder' | 'rightShoulder' | 'middleNeck', Vec3>
  >;
}

/** Height of the crown over the neck joint, metres. */
const CROWN = 0.23;
/** Radians by which the arms sink from the 45 degrees of the base mesh. */
const ARMS_LOWERED = (38 * Math.PI) / 180;

/** Builds the person of these traits. */
export function personOf(wardrobe: Wardrobe, traits: Traits): Person {
  const { assets } = wardrobe;
  const raw = morph(assets, targetWeights(assets, traits));
  const joint = (name: string): [number, number, number] => {
    const bone = assets.bones.find((entry) => entry.name === name);
    if (bone === undefined) throw new Error(`internal: there is no bone "${name}"`);
    return jointAt(raw, bone.joint);
  };
  const armBones = ['clavicle', 'shoulder01', 'upperarm01'];
  const arms = {
    left: armBones.map((name) => joint(`${name}.L`)),
    right: armBones.map((name) => joint(`${name}.R`)),
  };
  const motions = armMotions(arms, ARMS_LOWERED, traits.shoulders);
  const eyes = [joint('eye.L'), joint('eye.R')];
  const neck = joint('neck01');
  const scale = CROWN / (highest(raw, wardrobe.skinVertices) - neck[1]);
  const place = (positions: Float32Array): void => {
    for (let i = 0; i < positions.length; i++) positions[i] = (positions[i] - neck[i % 3]) * scale;
  };
  const placed = (point: Vec3): Vec3 => [0, 1, 2].map((k) => (point[k] - neck[k]) * scale) as unknown as Vec3;

  const settle = (positions: Float32Array, template: MeshTemplate): void => {
    moveArms(positions, template, motions);
    place(positions);
  };
  const base = raw.slice();
  settle(base, wardrobe.base);
  const meshes = wardrobe.wear(traits).map((worn): PersonMesh => {
    const { template, proxy } = worn;
    let positions: Float32Array = base.slice();
    if (proxy !== undefined) {
      positions = fitted(proxy, raw);
      if (worn.role === 'eye' || worn.role === 'cornea') turnEyes(positions, eyes, traits.gaze);
      settle(positions, template);
    }
    return { worn, template, positions, normals: restNormals(positions, template.triangles) };
  });
  settleOn(wardrobe, meshes);
  return {
    traits,
    meshes,
    base,
    neck: [0, 0, 0],
    head: placed(joint('head')),
    joints: {
      leftEye: placed(eyes[0]),
      rightEye: placed(eyes[1]),
      // The upper arm hangs on the shoulder bone.
      leftShoulder: placed(moved(motions[1], arms.left[2])),
      rightShoulder: placed(moved(motions[4], arms.right[2])),
      middleNeck: placed(joint('neck02')),
    },
  };
}

/** Skin goes under the garment, long hair onto it. */
function settleOn(wardrobe: Wardrobe, meshes: readonly PersonMesh[]): void {
  const find = (role: string): PersonMesh | undefined => meshes.find(({ worn }) => worn.role === role);
  const [skin, garment, hair] = ['skin', 'garment', 'hair'].map(find);
  if (skin === undefined || garment === undefined)
    throw new Error('internal: everybody has skin and wears something');
  tuckSkin(wardrobe.near(skin.worn, garment.worn), skin, garment);
  if (hair !== undefined) layHair(wardrobe.near(hair.worn, garment.worn), hair, garment);
}

function targetWeights(assets: Assets, traits: Traits): Map<string, number> {
  const weights = new Map<string, number>();
  const add = (target: string, weight: number): void => {
    if (weight !== 0) weights.set(target, (weights.get(target) ?? 0) + weight);
  };
  addMacro(traits, add);
  addSliders(assets, traits.face, traits.asymmetry, add);
  addExpression(traits.expression, traits.ancestry, add);
  return weights;
}

function highest(positions: Float32Array, vertices: ArrayLike<number>): number {
  let top = -Infinity;
  for (let i = 0; i < vertices.length; i++) top = Math.max(top, positions[3 * vertices[i] + 1]);
  return top;
}

/** The left eye is at positive x. */
function turnEyes(
  positions: Float32Array,
  [left, right]: readonly Vec3[],
  [side, up]: readonly [number, number],
): void {
  const rotation = rodrigues(-up, side, 0);
  const motions = [turnAbout(rotation, left), turnAbout(rotation, right)];
  for (let i = 0; i < positions.length; i += 3) {
    const point = positions.subarray(i, i + 3);
    point.set(moved(motions[point[0] > 0 ? 0 : 1], point));
  }
}
