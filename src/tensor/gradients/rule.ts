/** How gradient rules are written down. */

import type { GradientRule, Node, Tensor } from '../graph.ts';

export type Gradients = Readonly<Record<string, GradientRule>>;

/** An input's cotangent from the only output's. */
export type Slope = (cotangent: Tensor, node: Node) => Tensor;

/** The rule of an operation with one output, input by input; undefined where it does not follow the input. */
export function slopes(...each: readonly (Slope | undefined)[]): GradientRule {
  return (node, [cotangent], wanted) =>
    each.map((slope, i) =>
      slope === undefined || cotangent === undefined || !wanted(i) ? undefined : slope(cotangent, node),
    );
}

/** The rule of operations that are constant almost everywhere, and of those without inputs. */
export const flat: GradientRule = ({ inputs }) => inputs.map(() => undefined);
