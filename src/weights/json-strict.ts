/** JSON as files of weights use it: no duplicate keys, bounded nesting. */

import { FormatError } from '../errors.ts';
import type { Json } from './plain.ts';

const MAX_DEPTH = 64;

/** Parses JSON text; refuses what two readers could understand differently.
 *
 * @param at  offset of the text in its file, for errors.
 * @throws FormatError on broken JSON, a key that occurs twice in one object, or deep nesting.
 */
export function parseStrictJson(text: string, at = 0): Json {
  refuseDuplicates(text, at);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new FormatError(`broken JSON: ${error instanceof Error ? error.message : error}`, at);
  }
}

/** One pass over the characters: strings that a colon follows are keys of the innermost object. */
function refuseDuplicates(text: string, at: number): void {
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null);
      if (open.length > MAX_DEPTH) throw new FormatError(`JSON nests more than ${MAX_DEPTH} deep`, at + i);
    } else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const start = i++;
      while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      const keys = open[open.length - 1];
      if (!keys || !colonFollows(text, i + 1)) continue;
      const key = keyText(text.slice(start, i + 1), at + start);
      if (keys.has(key)) {
        throw new FormatError(`the key ${JSON.stringify(key.slice(0, 80))} occurs twice`, at + start);
      }
      keys.add(key);
    }
  }
}

function colonFollows(text: string, index: number): boolean {
  let i = index;
  while (i < text.length && ' \t\r\n'.includes(text[i])) i++;
  return text[i] === ':';
}

function keyText(piece: string, at: number): string {
  try {
    return JSON.parse(piece) as string;
  } catch {
    throw new FormatError('broken JSON: a key with a bad escape', at);
  }
}
