import { kernelModule } from '../src/engines/kernels/index.ts';
import { planProgram } from '../src/engines/onnx/planner.ts';
import { presetOf } from '../src/portrait/presets.ts';
import { phasesOf } from './step-phases.ts';

for (const { label, graph } of phasesOf(presetOf('128-32'), 4))
  for (const b of [undefined, 16]) {
    const p = planProgram(graph, kernelModule(), {}, b);
    const c: Record<string, number> = {};
    for (const s of p.steps) {
      const k = s.kind === 'kernel' ? s.entry : s.kind;
      c[k] = (c[k] ?? 0) + 1;
    }
    console.log(label, b, p.steps.length, JSON.stringify(c), (p.memoryBytes / 2 ** 20).toFixed(0) + 'MB');
  }
