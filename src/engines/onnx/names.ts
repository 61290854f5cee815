/** Names that ONNX nodes carry, so that an error of the runtime leads back to our operation and its source line. */

/** The operation and site in a message of onnxruntime, or undefined when it names none of our nodes. */
export function nodeInMessage(message: string): { op: string; site: string } | undefined {
  const quoted = /[Nn]ame:?\s*'([^']+)'/.exec(message) ?? /[Nn]ode(?: name)?:?\s*\(([^)]+)\)/.exec(message);
  const label = /^([A-Za-z0-9_.-]+)(?:@([^#]+))?#\d+/.exec(quoted?.[1] ?? '');
  return label === null ? undefined : { op: label[1], site: label[2] ?? '' };
}

/** A runtime's message as ours: graph, operation and site first, then what the runtime said. */
export function explainFailure(graphName: string, message: string): string {
  const said = message.replace(/\s+/g, ' ').trim();
  const node = nodeInMessage(message);
  if (node === undefined) return `${graphName}: onnxruntime: ${said}`;
  const site = node.site ? ` (traced at ${node.site})` : '';
  return `${graphName}: ${node.op} failed${site}: ${said}`;
}
