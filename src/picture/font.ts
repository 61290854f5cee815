/**
 * A small bitmap font, drawn for this project: labels look the same on machines without any font.
 *
 * A glyph is up to nine rows of five bits in hexadecimal, top row first; rows eight and nine hang below the
 * line. Columns left empty are cut off, so letters are as wide as they look.
 */

import type { Colour, Raster } from './raster.ts';

const GLYPHS = `
0 0e 11 11 11 11 11 0e|1 04 0c 04 04 04 04 0e|2 0e 11 01 02 04 08 1f|3 0e 11 01 06 01 11 0e|4 02 06 0a 12 1f 02 02
5 1f 10 1e 01 01 11 0e|6 06 08 10 1e 11 11 0e|7 1f 01 02 04 04 08 08|8 0e 11 11 0e 11 11 0e|9 0e 11 11 0f 01 02 0c
A 0e 11 11 1f 11 11 11|B 1e 11 11 1e 11 11 1e|C 0e 11 10 10 10 11 0e|D 1c 12 11 11 11 12 1c|E 1f 10 10 1e 10 10 1f
F 1f 10 10 1e 10 10 10|G 0e 11 10 17 11 11 0f|H 11 11 11 1f 11 11 11|I 0e 04 04 04 04 04 0e|J 07 02 02 02 02 12 0c
K 11 12 14 18 14 12 11|L 10 10 10 10 10 10 1f|M 11 1b 15 15 11 11 11|N 11 11 19 15 13 11 11|O 0e 11 11 11 11 11 0e
P 1e 11 11 1e 10 10 10|Q 0e 11 11 11 15 12 0d|R 1e 11 11 1e 14 12 11|S 0f 10 10 0e 01 01 1e|T 1f 04 04 04 04 04 04
U 11 11 11 11 11 11 0e|V 11 11 11 11 11 0a 04|W 11 11 11 15 15 15 0a|X 11 11 0a 04 0a 11 11|Y 11 11 11 0a 04 04 04
Z 1f 01 02 04 08 10 1f|a 00 00 0e 01 0f 11 0f|b 10 10 16 19 11 11 1e|c 00 00 0e 10 10 10 0e|d 01 01 0d 13 11 11 0f
e 00 00 0e 11 1f 10 0e|f 06 08 08 1c 08 08 08|g 00 00 0f 11 11 11 0f 01 0e|h 10 10 16 19 11 11 11|i 08 00 08 08 08 08 08
j 04 00 04 04 04 04 04 04 18|k 10 10 12 14 18 14 12|l 08 08 08 08 08 08 0c|m 00 00 1a 15 15 15 15|n 00 00 16 19 11 11 11
o 00 00 0e 11 11 11 0e|p 00 00 1e 11 11 11 1e 10 10|q 00 00 0f 11 11 11 0f 01 01|r 00 00 16 18 10 10 10|s 00 00 0e 10 0e 01 1e
t 08 08 1c 08 08 08 06|u 00 00 11 11 11 13 0d|v 00 00 11 11 11 0a 04|w 00 00 11 15 15 15 0a|x 00 00 11 0a 04 0a 11
y 00 00 11 11 11 11 0f 01 0e|z 00 00 1f 02 04 08 1f|. 00 00 00 00 00 18 18|, 00 00 00 00 00 18 18 08 10|- 00 00 00 1c 00 00 00
+ 00 04 04 1f 04 04 00|= 00 00 1f 00 1f 00 00|_ 00 00 00 00 00 00 1f|: 00 18 18 00 18 18 00|/ 01 01 02 04 08 10 10
% 18 19 02 04 08 13 03|( 04 08 10 10 10 08 04|) 10 08 04 04 04 08 10|[ 1c 10 10 10 10 10 1c|] 1c 04 04 04 04 04 1c
? 0e 11 01 02 04 00 04|! 10 10 10 10 10 00 10|' 10 10 00 00 00 00 00|* 00 0a 04 1f 04 0a 00|# 0a 0a 1f 0a 1f 0a 0a
° 0c 12 12 0c 00 00 00|> 10 08 04 02 04 08 10|< 02 04 08 10 08 04 02`;

interface Glyph {
  /** Five bits a row, the leftmost column in bit 4. */
  readonly rows: readonly number[];
  readonly width: number;
}

const WIDTH_OF_SPACE = 3;

const glyphs: ReadonlyMap<string, Glyph> = new Map(
  GLYPHS.trim()
    .split(/[|\n]/)
    .map((entry): [string, Glyph] => {
      const [char, ...rows] = entry.split(' ');
      return [char, trimmed(rows.map((row) => Number.parseInt(row, 16) & 0x1f))];
    }),
);

function trimmed(rows: readonly number[]): Glyph {
  const used = rows.reduce((all, row) => all | row, 0);
  const left = Math.clz32(used) - 27;
  const right = 31 - Math.clz32(used & -used);
  return { rows: rows.map((row) => row << left), width: 5 - left - right };
}

/** Rows from a capital's top to the line, before scaling. */
export const CAPITAL_ROWS = 7;

function glyphOf(char: string): Glyph | undefined {
  return char === ' ' ? undefined : (glyphs.get(char) ?? glyphs.get('?'));
}

/** Width of a text in pixels. */
export function textWidth(text: string, scale: number): number {
  const widths = [...text].map((char) => (glyphOf(char)?.width ?? WIDTH_OF_SPACE) + 1);
  return Math.max(0, widths.reduce((a, b) => a + b, 0) - 1) * scale;
}

/** Writes a text with the top left of its capitals at (x, y). Characters the font lacks are shown as "?". */
export function drawText(
  target: Raster,
  text: string,
  x: number,
  y: number,
  scale: number,
  colour: Colour,
): void {
  let at = x;
  for (const char of text) {
    const glyph = glyphOf(char);
    glyph?.rows.forEach((row, r) => {
      for (let c = 0; c < glyph.width; c++) {
        if ((row >> (4 - c)) & 1) fillSquare(target, at + c * scale, y + r * scale, scale, colour);
      }
    });
    at += ((glyph?.width ?? WIDTH_OF_SPACE) + 1) * scale;
  }
}

function fillSquare(
  { width, height, data }: Raster,
  x: number,
  y: number,
  side: number,
  colour: Colour,
): void {
  for (let row = Math.max(0, y); row < Math.min(height, y + side); row++) {
    for (let column = Math.max(0, x); column < Math.min(width, x + side); column++) {
      data.set(colour, (row * width + column) * 3);
    }
  }
}
