/** Which parameters are trained, and how fast each. */

import type { NetworkPlan } from '../portrait/presets.ts';

/** Name of a network in training. */
export type NetworkName = 'G' | 'D';

/** Whether a parameter's name begins so, with or without its network. */
export function scaledBy(prefix: string, network: NetworkName, name: string): boolean {
  return name.startsWith(prefix) || `${network}/${name}`.startsWith(prefix);
}

/** What a parameter's learning rate is multiplied by: the longest beginning counts. */
export function lrScaleOf(
  scales: Readonly<Record<string, number>>,
  network: NetworkName,
  name: string,
): number {
  const [longest] = Object.keys(scales)
    .filter((prefix) => scaledBy(prefix, network, name))
    .sort((a, b) => b.length - a.length);
  return longest === undefined ? 1 : scales[longest];
}

/** The first layers of a discriminator from the picture on, as the beginnings of their parameters' names: `b64.fromrgb.`,
 * `b64.conv0.`, `b64.conv1.`, `b64.skip.`, `b32.conv0.` and so on. Fewer where there are no more. */
export function frozenLayers(discriminator: NetworkPlan, count: number): string[] {
  const layers = new Set<string>();
  for (const name of discriminator.keys()) {
    const [layer] = /^b\d+\.(?:fromrgb|conv0|conv1|skip)\./.exec(name) ?? [];
    if (layer !== undefined) layers.add(layer);
  }
  return [...layers].slice(0, count);
}

/** Names of the parameters that an optimiser owns, in registration order. */
export function trainedParameters(
  plan: NetworkPlan,
  frozen: (name: string) => boolean = () => false,
): string[] {
  return [...plan].filter(([name, { role }]) => role === 'parameter' && !frozen(name)).map(([name]) => name);
}
