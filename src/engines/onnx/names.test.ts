import { expect, test } from 'vitest';
import { explainFailure } from './names.ts';

test.each([
  [
    "Non-zero status code returned while running Gather node. Name:'gather@mapping.ts:12#7' Status Message: idx=9",
    /^net: gather failed \(traced at mapping.ts:12\): Non-zero/,
  ],
  [
    "Could not find an implementation for Where(16) node with name 'where#12'",
    /^net: where failed: Could not/,
  ],
  [
    'Node (conv2d@synthesis.ts:48#3) Op (Conv) [ShapeInferenceError] bad',
    /^net: conv2d failed \(traced at synthesis.ts:48\): Node/,
  ],
  ['Protobuf parsing failed.', /^net: onnxruntime: Protobuf parsing failed\.$/],
])('%s', (said, expected) => {
  expect(explainFailure('net', said)).toMatch(expected);
});
