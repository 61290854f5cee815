/** Opcodes that push a value of their own: numbers, texts, byte strings, empty containers, names. */

import { FormatError } from '../errors.ts';
import type { Cursor } from './cursor.ts';
import {
  bytesFromQuoted,
  floatFromLine,
  integerFromBytes,
  integerFromLine,
  latin1,
  textFromRawUnicode,
  utf8Text,
} from './pickle-text.ts';
import type { PickleValue, PyBytes } from './pickle-types.ts';
import { bytesSource } from './source.ts';

/** Longest text that is decoded. Source files of networks, the longest texts met, take some 100 kB. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** Longest line of the protocol 0 opcodes that hold a number or a name. */
const MAX_LINE_BYTES = 4096;

/** The value that opcode `op` pushes, or `undefined` when it is not an opcode of this kind. */
export function readLiteral(op: number, cursor: Cursor): PickleValue | undefined {
  switch (op) {
    case 0x4e: // N NONE
      return null;
    case 0x88: // NEWTRUE
      return true;
    case 0x89: // NEWFALSE
      return false;
    case 0x4a: // J BININT
      return cursor.i32('BININT');
    case 0x4b: // K BININT1
      return cursor.u8('BININT1');
    case 0x4d: // M BININT2
      return cursor.u16('BININT2');
    case 0x8a: // LONG1
      return longInteger(cursor, cursor.u8('LONG1'));
    case 0x8b: // LONG4
      return longInteger(cursor, cursor.i32('LONG4'));
    case 0x49: // I INT
      return integerFromLine(line(cursor, 'INT'), cursor.position(), false);
    case 0x4c: // L LONG
      return integerFromLine(line(cursor, 'LONG'), cursor.position(), true);
    case 0x46: // F FLOAT
      return floatFromLine(line(cursor, 'FLOAT'), cursor.position());
    case 0x47: // G BINFLOAT
      return cursor.f64BigEndian('BINFLOAT');
    case 0x8c: // SHORT_BINUNICODE
      return text(cursor, cursor.u8('SHORT_BINUNICODE'), 'SHORT_BINUNICODE');
    case 0x58: // X BINUNICODE
      return text(cursor, cursor.u32('BINUNICODE'), 'BINUNICODE');
    case 0x8d: // BINUNICODE8
      return text(cursor, cursor.u64('BINUNICODE8'), 'BINUNICODE8');
    case 0x56: // V UNICODE
      return textFromRawUnicode(cursor.line(MAX_TEXT_BYTES, 'UNICODE'), cursor.position());
    case 0x43: // C SHORT_BINBYTES
      return byteString(cursor, cursor.u8('SHORT_BINBYTES'), 'SHORT_BINBYTES', false);
    case 0x42: // B BINBYTES
      return byteString(cursor, cursor.u32('BINBYTES'), 'BINBYTES', false);
    case 0x8e: // BINBYTES8
      return byteString(cursor, cursor.u64('BINBYTES8'), 'BINBYTES8', false);
    case 0x96: // BYTEARRAY8
      return byteString(cursor, cursor.u64('BYTEARRAY8'), 'BYTEARRAY8', false);
    case 0x55: // U SHORT_BINSTRING
      return byteString(cursor, cursor.u8('SHORT_BINSTRING'), 'SHORT_BINSTRING', true);
    case 0x54: // T BINSTRING
      return byteString(cursor, cursor.i32('BINSTRING'), 'BINSTRING', true);
    case 0x53: // S STRING
      return quotedString(cursor);
    case 0x5d: // ] EMPTY_LIST
      return { kind: 'list', items: [] };
    case 0x29: // ) EMPTY_TUPLE
      return { kind: 'tuple', items: [] };
    case 0x7d: // } EMPTY_DICT
      return { kind: 'dict', entries: new Map() };
    case 0x8f: // EMPTY_SET
      return { kind: 'set', items: [] };
    case 0x63: // c GLOBAL
      return globalFromLines(cursor);
    case 0x50: // P PERSID
      return { kind: 'persistent', id: line(cursor, 'PERSID'), offset: cursor.position() };
    default:
      return undefined;
  }
}

/** The name that the two lines after GLOBAL or INST give. */
export function globalFromLines(cursor: Cursor) {
  const offset = cursor.position();
  const module = line(cursor, 'module name');
  return { kind: 'global', module, name: line(cursor, 'class name'), offset } as const;
}

/** A byte string of `length` bytes that is left in the file. */
function byteString(cursor: Cursor, length: number, what: string, legacy: boolean): PyBytes {
  const offset = cursor.position();
  if (length < 0) throw new FormatError(`${what} has the negative length ${length}`, offset);
  cursor.skip(length, what);
  return { kind: 'bytes', source: cursor.source, offset, length, legacy };
}

function quotedString(cursor: Cursor): PyBytes {
  const offset = cursor.position();
  const raw = cursor.line(Number.MAX_SAFE_INTEGER, 'STRING');
  const bytes = bytesFromQuoted(raw[raw.length - 1] === 13 ? raw.subarray(0, -1) : raw, offset);
  return { kind: 'bytes', source: bytesSource(bytes), offset: 0, length: bytes.length, legacy: true };
}

function longInteger(cursor: Cursor, length: number): number | bigint {
  const offset = cursor.position();
  if (length < 0) throw new FormatError(`LONG4 has the negative length ${length}`, offset);
  return integerFromBytes(cursor.bytes(length, 'integer'), offset);
}

function text(cursor: Cursor, length: number, what: string): string {
  const offset = cursor.position();
  cursor.need(length, what);
  if (length > MAX_TEXT_BYTES) {
    throw new FormatError(`${what} of ${length} bytes; at most ${MAX_TEXT_BYTES} are read as text`, offset);
  }
  return utf8Text(cursor.bytes(length, what), offset);
}

function line(cursor: Cursor, what: string): string {
  return latin1(cursor.line(MAX_LINE_BYTES, what)).replace(/\r$/, '');
}
