/** The textual forms of pickle protocol 0: numbers, strings with escapes, and integers as bytes. */

import { FormatError } from '../errors.ts';

/** More digits or bytes than any sane integer; conversion to bigint is quadratic, so it needs a bound. */
const MAX_INTEGER_BYTES = 1024;

/** A number when it is exact as one, else a bigint. */
export function integerOf(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}

/** A little-endian two's complement integer of any length. */
export function integerFromBytes(bytes: Uint8Array, offset: number): number | bigint {
  if (bytes.length > MAX_INTEGER_BYTES) {
    throw new FormatError(
      `an integer of ${bytes.length} bytes; at most ${MAX_INTEGER_BYTES} are read`,
      offset,
    );
  }
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  if (bytes.length > 0 && bytes[bytes.length - 1] & 0x80) value -= 1n << BigInt(8 * bytes.length);
  return integerOf(value);
}

/** The argument of INT or LONG: decimal digits, with `01` and `00` for true and false in INT. */
export function integerFromLine(line: string, offset: number, long: boolean): number | bigint | boolean {
  if (!long && line === '01') return true;
  if (!long && line === '00') return false;
  const digits = long && line.endsWith('L') ? line.slice(0, -1) : line;
  if (digits.length > MAX_INTEGER_BYTES || !/^[+-]?[0-9]+$/.test(digits)) {
    throw new FormatError(`${JSON.stringify(clip(line))} is not an integer`, offset);
  }
  return integerOf(digits.startsWith('+') ? BigInt(digits.slice(1)) : BigInt(digits));
}

/** The argument of FLOAT. */
export function floatFromLine(line: string, offset: number): number {
  const named = /^([+-]?)(inf|infinity|nan)$/i.exec(line);
  if (named) {
    const magnitude = named[2].toLowerCase() === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY;
    return named[1] === '-' ? -magnitude : magnitude;
  }
  if (line.length > 1024 || !/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(line)) {
    throw new FormatError(`${JSON.stringify(clip(line))} is not a number`, offset);
  }
  return Number(line);
}

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  '\\': 92,
  "'": 39,
  '"': 34,
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

/** The bytes that a quoted Python 2 string literal stands for (argument of STRING). */
export function bytesFromQuoted(line: Uint8Array, offset: number): Uint8Array {
  const quote = line[0];
  if (line.length < 2 || (quote !== 39 && quote !== 34) || line[line.length - 1] !== quote) {
    throw new FormatError('STRING is not in quotes', offset);
  }
  const out = new Uint8Array(line.length - 2);
  let length = 0;
  for (let i = 1; i < line.length - 1; i++) {
    if (line[i] !== 92) {
      out[length++] = line[i];
      continue;
    }
    const letter = String.fromCharCode(line[++i]);
    if (i >= line.length - 1) throw new FormatError('STRING ends in the middle of an escape', offset + i);
    const simple = SIMPLE_ESCAPES[letter];
    if (simple !== undefined) out[length++] = simple;
    else if (letter === 'x') {
      const hex = latin1(line.subarray(i + 1, Math.min(i + 3, line.length - 1)));
      if (!/^[0-9a-f]{2}$/i.test(hex)) throw new FormatError('STRING has a broken \\x escape', offset + i);
      out[length++] = Number.parseInt(hex, 16);
      i += 2;
    } else if (letter >= '0' && letter <= '7') {
      let value = 0;
      let digits = 0;
      while (digits < 3 && i + digits < line.length - 1 && line[i + digits] >= 48 && line[i + digits] <= 55) {
        value = value * 8 + line[i + digits++] - 48;
      }
      out[length++] = value;
      i += digits - 1;
    } else {
      out[length++] = 92;
      out[length++] = line[i];
    }
  }
  return out.slice(0, length);
}

/** The text of a UNICODE argument: latin-1 with `\uXXXX` and `\UXXXXXXXX` escapes.
 *
 * An escape counts when an odd number of backslashes ends before its letter.
 */
export function textFromRawUnicode(line: Uint8Array, offset: number): string {
  const raw = latin1(line);
  let text = '';
  let copied = 0;
  let start = raw.indexOf('\\');
  while (start >= 0) {
    let end = start;
    while (raw[end] === '\\') end++;
    const digits = (end - start) % 2 === 0 ? 0 : raw[end] === 'u' ? 4 : raw[end] === 'U' ? 8 : 0;
    if (digits > 0) {
      const hex = raw.slice(end + 1, end + 1 + digits);
      const code =
        hex.length === digits && /^[0-9a-fA-F]+$/.test(hex) ? Number.parseInt(hex, 16) : Number.NaN;
      if (!(code <= 0x10ffff)) throw new FormatError('UNICODE has a broken escape', offset);
      text += raw.slice(copied, end - 1) + String.fromCodePoint(code);
      copied = end + 1 + digits;
      end = copied;
    }
    start = raw.indexOf('\\', end);
  }
  return text + raw.slice(copied);
}

/** One character a byte. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode.apply(null, bytes.subarray(i, i + 4096) as unknown as number[]);
  }
  return text;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; broken text is an error, never a replacement character. */
export function utf8Text(bytes: Uint8Array, offset: number): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FormatError('text is not valid UTF-8', offset);
  }
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
