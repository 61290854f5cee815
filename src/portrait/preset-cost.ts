/** What the generator of a preset costs, counted on its traced programs. */

import { costOf, expandFused, type Graph, type Node, sizeOf } from '../tensor/index.ts';
import { type GeneratorConfig, generatorConfig } from './config.ts';
import {
  backgroundGraph,
  type GeneratorNetwork,
  mappingGraph,
  picturesGraph,
  planesGraph,
  renderGraph,
} from './generator.ts';
import { discriminatorPlan, generatorPlan, generatorRecord, type NetworkPlan, presetOf } from './presets.ts';

export interface PresetCost {
  readonly name: string;
  readonly resolution: number;
  readonly neuralResolution: number;
  readonly superresolution: string;
  readonly generatorParameters: number;
  readonly discriminatorParameters: number;
  /** Multiply-adds of one picture, by stage. */
  readonly macs: Readonly<Record<Stage | 'total', number>>;
  /** Bytes of the generator's parameters and buffers. */
  readonly weightBytes: number;
  /** Bytes that the most demanding step reads and writes. */
  readonly stepBytes: number;
}

type Stage = 'mapping' | 'backbone' | 'rendering' | 'background' | 'pictures';

/** Counts one picture of a preset. @throws UsageError for an unknown name. */
export function presetCost(name: string): PresetCost {
  const preset = presetOf(name);
  const record = generatorRecord(preset);
  const config = generatorConfig(record);
  const graphs = stagesOf({ config, shapes: record.shapes }, config);
  const counted = Object.entries(graphs).map(([stage, graph]): [string, number] => [
    stage,
    graph.nodes.length === 0 ? 0 : macsOf(graph),
  ]);
  const total = counted.reduce((sum, [, macs]) => sum + macs, 0);
  const [generator, discriminator] = [generatorPlan(preset), discriminatorPlan(preset)];
  const steps = Object.values(graphs).flatMap((graph) => costOf(graph).nodes.map(({ bytes }) => bytes));
  return {
    name,
    resolution: preset.resolution,
    neuralResolution: preset.neuralResolution,
    superresolution: preset.superresolution,
    generatorParameters: parametersIn(generator),
    discriminatorParameters: parametersIn(discriminator),
    macs: Object.fromEntries([...counted, ['total', total]]) as PresetCost['macs'],
    weightBytes: [...generator.values()].reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0),
    stepBytes: steps.reduce((most, bytes) => Math.max(most, bytes), 0),
  };
}

function stagesOf(network: GeneratorNetwork, config: GeneratorConfig): Record<Stage, Graph> {
  const n = config.neuralResolution;
  return {
    mapping: mappingGraph(network, 1),
    backbone: planesGraph(network, 1, 'const'),
    rendering: renderGraph(network, 1, n, config.rendering),
    background: backgroundGraph(network, 1, 'const'),
    pictures: picturesGraph(network, 1, n, true),
  };
}

function parametersIn(plan: NetworkPlan): number {
  let count = 0;
  for (const { role, shape } of plan.values()) if (role === 'parameter') count += sizeOf(shape);
  return count;
}

function macsOf(graph: Graph): number {
  return expandFused(graph).nodes.reduce((sum, node) => sum + macsOfNode(node), 0);
}

/** Convolutions of single channels are FIR filters and are left out; a look-up is one multiply-add a number. */
function macsOfNode({ op, inputs, outputs, attrs }: Node): number {
  switch (op.name) {
    case 'gather':
      return inputs[0].dtype === 'float32' && inputs[0].shape.length === 2 ? sizeOf(outputs[0].shape) : 0;
    case 'conv2d':
    case 'conv2dTranspose':
      return inputs[1].shape[1] === 1 ? 0 : op.flops(inputs, outputs, attrs) / 2;
    case 'matmul':
      return op.flops(inputs, outputs, attrs) / 2;
    default:
      return 0;
  }
}
