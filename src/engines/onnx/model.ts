/** Writing an ONNX model: nodes, initialisers, inputs and outputs of one graph, to the bytes of a ModelProto. */

import { EngineError } from '../../errors.ts';
import type { Aval, DType, Shape } from '../../tensor/index.ts';
import { createMessage, joinMessage, type Message } from './protobuf.ts';

const OPSET = 20;
/** ONNX Runtime's own operators on images whose channels come in blocks; types are written `nchwc:Conv`. */
const BLOCKED_DOMAIN = 'com.microsoft.nchwc';
const BLOCKED_PREFIX = 'nchwc:';
const IR_VERSION = 9;
/** Protobuf's own limit. */
const LARGEST_MODEL = 2 ** 31 - 1;

/** Element types that models hold: ours and those that ONNX wants for shapes and exact integer division. */
export type OnnxType = DType | 'int64' | 'float64';

/** ONNX's numbers of element types. */
export const ELEMENT_TYPE: Readonly<Record<OnnxType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
};

const ATTRIBUTE = { int: 2, string: 3, ints: 7 } as const;

export type OnnxAttributes = Readonly<Record<string, number | string | readonly number[]>>;

/** Graph under construction. Names are the caller's; they must be unique. */
export interface ModelWriter {
  input(name: string, aval: Aval): void;
  output(name: string, aval: Aval): void;
  initializer(name: string, type: OnnxType, shape: Shape, data: ArrayBufferView): void;
  node(
    type: string,
    name: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: OnnxAttributes,
  ): void;
  /** Makes the value that a node writes the output of that name, at no cost. False for what no node writes, or
   * what is an output already. */
  exposes(value: string, name: string, aval: Aval): boolean;
  /** The finished model. @throws EngineError when it does not fit into protobuf's 2 GB. */
  finish(): Uint8Array<ArrayBuffer>;
}

/** Starts a model of one graph. */
export function createModel(graphName: string): ModelWriter {
  const graph = createMessage();
  graph.text(2, graphName);
  const nodes: {
    type: string;
    name: string;
    inputs: readonly string[];
    outputs: readonly string[];
    attributes: OnnxAttributes;
  }[] = [];
  const written = new Set<string>();
  const renamed = new Map<string, string>();
  const current = (value: string): string => renamed.get(value) ?? value;
  return {
    input: (name, aval) => graph.message(11, (info) => writeValueInfo(info, name, aval)),
    output: (name, aval) => graph.message(12, (info) => writeValueInfo(info, name, aval)),
    initializer: (name, type, shape, data) => {
      graph.message(5, (tensor) => {
        for (const extent of shape) tensor.int(1, extent);
        tensor.int(2, ELEMENT_TYPE[type]);
        tensor.text(8, name);
        tensor.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      });
    },
    node: (type, name, inputs, outputs, attributes) => {
      nodes.push({ type, name, inputs, outputs, attributes });
      for (const value of outputs) written.add(value);
    },
    exposes: (value, name, aval) => {
      if (!written.has(value) || renamed.has(value)) return false;
      renamed.set(value, name);
      graph.message(12, (info) => writeValueInfo(info, name, aval));
      return true;
    },
    finish: () => {
      for (const { type, name, inputs, outputs, attributes } of nodes) {
        graph.message(1, (node) => {
          for (const value of inputs) node.text(1, current(value));
          for (const value of outputs) node.text(2, current(value));
          node.text(3, name);
          node.text(4, type.replace(BLOCKED_PREFIX, ''));
          if (type.startsWith(BLOCKED_PREFIX)) node.text(7, BLOCKED_DOMAIN);
          for (const [key, value] of Object.entries(attributes)) {
            node.message(5, (attribute) => writeAttribute(attribute, key, value));
          }
        });
      }
      if (graph.length() > LARGEST_MODEL - 100) {
        throw new EngineError(
          `${graphName}: its weights need ${Math.round(graph.length() / 2 ** 20)} MB but an ONNX model holds at most 2048: declare them as inputs`,
        );
      }
      const model = createMessage();
      model.int(1, IR_VERSION);
      model.text(2, 'portraitgan');
      model.message(8, (opset) => {
        opset.text(1, '');
        opset.int(2, OPSET);
      });
      if (nodes.some(({ type }) => type.startsWith(BLOCKED_PREFIX))) {
        model.message(8, (opset) => {
          opset.text(1, BLOCKED_DOMAIN);
          opset.int(2, 1);
        });
      }
      model.message(7, (nested) => nested.splice(graph));
      return joinMessage(model);
    },
  };
}

function writeValueInfo(info: Message, name: string, aval: Aval): void {
  info.text(1, name);
  info.message(2, (type) => {
    type.message(1, (tensor) => {
      tensor.int(1, ELEMENT_TYPE[aval.dtype]);
      tensor.message(2, (shape) => {
        for (const extent of aval.shape) shape.message(1, (dimension) => dimension.int(1, extent));
      });
    });
  });
}

function writeAttribute(attribute: Message, name: string, value: OnnxAttributes[string]): void {
  attribute.text(1, name);
  if (typeof value === 'string') {
    attribute.text(4, value);
    attribute.int(20, ATTRIBUTE.string);
  } else if (typeof value === 'number') {
    attribute.int(3, value);
    attribute.int(20, ATTRIBUTE.int);
  } else {
    for (const element of value) attribute.int(8, element);
    attribute.int(20, ATTRIBUTE.ints);
  }
}
