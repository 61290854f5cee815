/** From a graph to a plan: ONNX segments, kernel calls, and where every value between them lives. */

import { EngineError } from '../../errors.ts';
import type { Arrays } from '../../tensor/engine.ts';
import { type Graph, type NdArray, sizeOf, type Tensor } from '../../tensor/index.ts';
import type { KernelModule } from '../kernels/kernel.ts';
import { type DraftStep, placeOperands } from './placement.ts';
import type { Binding, Plan, ProgramOutput, Step } from './plan.ts';
import { type Prepared, prepare } from './prepare.ts';
import { allRules } from './rules/all.ts';
import { draftSegment, findHandover, isGiven } from './segments.ts';
import { createSlots, type Slots } from './slots.ts';
import { assignStages, rootOf, type Stages } from './stages.ts';

/** WebAssembly's 32-bit addresses end here. */
const LARGEST_MEMORY = 2 ** 32;

/** Plans a program.
 *
 * Where all kernels' operands at once are more than WebAssembly can address, definitions take the place of those kernels
 * that can be done without.
 *
 * @param parameters values of the weights; they become part of the models.
 * @param block      channels in a block of the runtime's blocked convolutions, where it has them.
 * @throws EngineError for an operation that ONNX and the kernels lack, and for more memory than there can be.
 */
export function planProgram(
  graph: Graph,
  module: KernelModule | undefined,
  parameters: Arrays,
  block?: number,
): Plan {
  const whole = planWith(graph, module, parameters, module === undefined ? undefined : block);
  if (whole.memoryBytes <= LARGEST_MEMORY) return whole;
  const needed = module!.kernels.filter(({ dispensable }) => dispensable !== true);
  const plan = planWith(graph, { ...module!, kernels: needed }, parameters, undefined);
  if (plan.memoryBytes <= LARGEST_MEMORY) return plan;
  throw new EngineError(
    `${graph.name}: its kernels need ${Math.ceil(plan.memoryBytes / 2 ** 20)} MB at once but WebAssembly addresses 4096: use a smaller batch or picture`,
  );
}

function planWith(
  graph: Graph,
  module: KernelModule | undefined,
  parameters: Arrays,
  block: number | undefined,
): Plan {
  const prepared = prepare(graph, module?.kernels ?? [], allRules, block);
  const stages = assignStages(prepared.graph, prepared.calls);
  const slots = createSlots();
  const { fixed, running } = findHandover(prepared, stages);
  const draft = (isFixed: boolean, last: number, outputs: typeof fixed): DraftStep[] => {
    const steps: DraftStep[] = [];
    for (let stage = 0; stage <= last; stage++) {
      const segment = draftSegment(
        graph.name,
        prepared,
        stages,
        outputs.get(stage),
        (node) => stages.stageOf(node) < stage,
        slots,
        parameters,
      );
      if (segment !== undefined) steps.push(segment);
      steps.push(...callsOf(prepared, stages, isFixed, stage));
    }
    return steps;
  };
  const prologue = draft(true, stages.lastFixed, fixed);
  const steps = draft(false, stages.last, running);
  const outputs = prepared.graph.outputs.map(({ name, tensor }): ProgramOutput => {
    const { dtype, shape } = tensor;
    return { name, dtype, shape, slot: sizeOf(shape) === 0 ? -1 : slots.of(rootOf(tensor)) };
  });
  const outputSlots = new Set(outputs.map(({ slot }) => slot));
  const reserved = module?.reservedBytes ?? 0;
  const placement = placeOperands(prologue, steps, stages, slots, outputSlots, reserved);
  const finish = (step: DraftStep): Step => (step.kind === 'call' ? placement.resolve(step) : step);
  return {
    name: graph.name,
    inputs: graph.inputs.flatMap(({ name }): Binding[] => {
      const slot = slots.ofInput(name);
      return slot === undefined ? [] : [{ name, slot }];
    }),
    outputs,
    prologue: prologue.map(finish),
    steps: steps.map(finish),
    slots: slots.list().map(({ dtype, shape }, i) => ({ dtype, shape, offset: placement.offsets[i] ?? -1 })),
    resident: residents(slots, placement.permanent, placement.offsets, parameters),
    memoryBytes: placement.bytes,
  };
}

function callsOf({ graph, calls }: Prepared, stages: Stages, isFixed: boolean, stage: number): DraftStep[] {
  return graph.nodes.flatMap((node): DraftStep[] => {
    const call = calls.get(node);
    const isNow = stages.fixed.has(node) === isFixed && stages.stageOf(node) === stage;
    return call !== undefined && isNow ? [{ kind: 'call', node, call }] : [];
  });
}

/** Weights and constants that kernels read as they are. */
function residents(
  slots: Slots,
  permanent: ReadonlySet<number>,
  offsets: readonly number[],
  parameters: Arrays,
): Plan['resident'] {
  const tensors = slots.list();
  return [...permanent]
    .filter((slot) => isGiven(tensors[slot]))
    .map((slot) => ({ offset: offsets[slot], data: bytesOfGiven(tensors[slot], parameters) }));
}

function bytesOfGiven({ node }: Tensor, parameters: Arrays): Uint8Array {
  const array =
    node.op.name === 'constant' ? (node.attrs.value as NdArray) : parameters[node.attrs.name as string];
  const { data } = array;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
