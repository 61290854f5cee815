/** Where weights and portraits meet: a network of a checkpoint, or a preset's initial one, ready for an engine. */

import { NameError } from './errors.ts';
import type { NetworkRecord } from './portrait/config.ts';
import { initialise, type Normals } from './portrait/initialise.ts';
import {
  discriminatorPlan,
  discriminatorRecord,
  generatorPlan,
  generatorRecord,
  type NetworkPlan,
  type Preset,
  presetOf,
} from './portrait/presets.ts';
import type { LoadedNetwork } from './portrait/session.ts';
import type { Aval, NdArray } from './tensor/index.ts';
import { toFloat32 } from './weights/elements.ts';
import { materialize } from './weights/lazy-tensor.ts';
import type { Network } from './weights/network.ts';
import type { JsonObject } from './weights/plain.ts';
import type { NetworkOptions } from './weights/portrait-safetensors.ts';
import { randomState } from './weights/random-state.ts';

/** A network of a checkpoint. Its tensors are read as float32 when a program needs them, so the file must stay
 * open until then. An array lives as long as somebody holds it: engines keep weights in a form of their own, and
 * two copies of a large network are hundreds of megabytes. */
export function loadNetwork(network: Network): LoadedNetwork {
  const arrays = new Map<string, WeakRef<NdArray>>();
  const shapes = new Map<string, Aval>();
  for (const [name, { shape }] of network.tensors) shapes.set(name, { dtype: 'float32', shape });
  const { initKwargs, attributes, moduleAttributes } = network;
  return {
    record: { shapes, initKwargs, attributes, moduleAttributes },
    read(name) {
      let array = arrays.get(name)?.deref();
      if (array === undefined) {
        const tensor = network.tensors.get(name);
        if (tensor === undefined) throw new NameError(`the network has no tensor "${name}"`);
        array = { dtype: 'float32', shape: tensor.shape, data: toFloat32(materialize(tensor)) };
        arrays.set(name, new WeakRef(array));
      }
      return array;
    },
  };
}

/** A preset's generator and discriminator with initial weights: the same for the same seed. */
export function initialNetworks(
  named: string | Preset,
  seed = 0,
): { readonly generator: LoadedNetwork; readonly discriminator: () => LoadedNetwork } {
  const preset = typeof named === 'string' ? presetOf(named) : named;
  const source = randomState(seed);
  const normals: Normals = (count) => source.randn(count);
  const withValues = (record: LoadedNetwork['record'], plan: NetworkPlan): LoadedNetwork => {
    const arrays = initialise(plan, normals);
    return {
      record,
      read(name) {
        const array = arrays.get(name);
        if (array === undefined) throw new NameError(`the network has no tensor "${name}"`);
        return array;
      },
    };
  };
  const generator = withValues(generatorRecord(preset), generatorPlan(preset));
  return {
    generator,
    discriminator: () => withValues(discriminatorRecord(preset), discriminatorPlan(preset)),
  };
}

/** What a checkpoint stores of a preset's networks besides tensors: the `networks` of a training run's record. */
export function presetNetworkOptions(preset: Preset): Readonly<Record<'G' | 'D', NetworkOptions>> {
  return {
    G: optionsOf('TriPlaneGenerator', generatorRecord(preset), generatorPlan(preset)),
    D: optionsOf('PoseShapeAwareDualDiscriminator', discriminatorRecord(preset), discriminatorPlan(preset)),
  };
}

function optionsOf(className: string, record: NetworkRecord, plan: NetworkPlan): NetworkOptions {
  return {
    className,
    // Copies, as mutable as files read them.
    initKwargs: structuredClone(record.initKwargs) as JsonObject,
    attributes: structuredClone(record.attributes) as JsonObject,
    moduleAttributes: {},
    moduleClasses: { '': className },
    buffers: [...plan].filter(([, { role }]) => role === 'buffer').map(([name]) => name),
  };
}
