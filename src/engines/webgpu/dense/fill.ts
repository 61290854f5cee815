/**
 * Fills a tile of an operand in workgroup memory: [depth][lines], four lines a vector.
 *
 * A thread brings the same elements of each tile: where its lines and depths lie is known before the loop.
 */

import { each } from './arithmetic.ts';
import type { Source } from './source.ts';

/** An operand's tile. */
export interface Fill {
  /** `a` or `b`: names begin with it. */
  readonly name: 'a' | 'b';
  readonly source: Source;
  readonly lines: number;
  readonly depth: number;
  readonly threads: number;
  /** WGSL of the tile's first line. */
  readonly first: string;
  /** Type in workgroup memory. */
  readonly element: 'f32' | 'f16';
  /** Four neighbouring lines lie in a vector; otherwise every fourth part of the tile gives one, so that lanes load
   * neighbours one at a time. */
  readonly quads: boolean;
  /** Unused vectors after each depth, against conflicts of memory banks. */
  readonly gap: number;
}

interface FillCode {
  readonly memory: string;
  readonly before: string;
  /** Loads from `at` into registers. */
  readonly load: string;
  /** Registers to workgroup memory. */
  readonly store: string;
}

/** Vectors between depths of a tile. */
export function pitchOf({ lines, gap }: Pick<Fill, 'lines' | 'gap'>): number {
  return lines / 4 + gap;
}

/** WGSL of the line at a component of a vector of the tile. */
export function lineAt({ lines, quads }: Pick<Fill, 'lines' | 'quads'>, quad: string, part: string): string {
  return quads ? `(${quad}) * 4u + ${part}` : `${part} * ${lines / 4}u + ${quad}`;
}

export function fillCode(fill: Fill): FillCode {
  const { name, source, lines, depth, threads, first, element, gap } = fill;
  const across = lines / 4;
  const vectors = across * depth;
  const rounds = Math.ceil(vectors / threads);
  const deep = source.along === 'depth';
  // What is the same in all rounds is declared for the first alone.
  const sameQuad = !deep && threads % across === 0;
  const sameDepth = deep && threads % depth === 0;
  const lineRound = (round: number): number => (sameQuad ? 0 : round);
  const depthRound = (round: number): number => (sameDepth ? 0 : round);
  const whole = (round: number): boolean => (round + 1) * threads <= vectors;
  const parts = source.wide ? [0] : [0, 1, 2, 3];
  const before = each(rounds, (round) => {
    const [quad, inner] = deep
      ? [`${name}U${round} / ${depth}u`, `${name}U${round} % ${depth}u`]
      : [`${name}U${round} % ${across}u`, `${name}U${round} / ${across}u`];
    const places = `let ${name}U${round} = index + ${round * threads}u;
let ${name}Q${round} = ${quad};
let ${name}D${round} = ${inner};
var ${name}R${round} = vec4<${element}>();`;
    if (lineRound(round) !== round) return places;
    const declared = parts.map((part) => {
      const line = `${first} + ${lineAt(fill, `${name}Q${round}`, `${part}u`)}`;
      return source.line(line, `${name}L${round}_${part}`);
    });
    return [places, ...declared].join('\n');
  });
  const load = each(rounds, (round) => {
    const depthId = `${name}K${depthRound(round)}`;
    const declared =
      depthRound(round) === round ? source.depth({ at: 'at', inner: `${name}D${round}` }, depthId) : '';
    const loaded = parts.map((part) => `${name}V${round}_${part}`);
    const loads = parts.map((part, i) =>
      source.load(`${name}L${lineRound(round)}_${part}`, depthId, loaded[i]),
    );
    const same = source.storage === element;
    const values = loaded.map((value) => (source.wide || same ? value : `${element}(${value})`));
    const loading = [...loads, `${name}R${round} = vec4<${element}>(${values.join(', ')});`].join('\n');
    return `${declared}\n${whole(round) ? loading : `if (${name}U${round} < ${vectors}u) {\n${loading}\n}`}`;
  });
  const store = each(rounds, (round) => {
    const put = `${name}Tile[${name}D${round} * ${across + gap}u + ${name}Q${round}] = ${name}R${round};`;
    return whole(round) ? put : `if (${name}U${round} < ${vectors}u) { ${put} }`;
  });
  const memory = `var<workgroup> ${name}Tile: array<vec4<${element}>, ${depth * (across + gap)}>;`;
  return { memory, before, load, store };
}
