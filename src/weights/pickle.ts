/**
 * Reads Python pickles, protocols 0 to 5, without running anything.
 *
 * The machine is a loop over opcodes with a stack and a memo. It builds inert records (`pickle-types.ts`);
 * names are never looked up and calls are never made. Memory is bounded by the file: an opcode makes at most
 * one record, their number is limited, lengths are checked against the bytes that remain, byte strings stay
 * in the file, and what the memo shares is shared here as well.
 *
 * Not a general unpickler: out-of-band buffers and extension codes are refused. Stricter than Python where
 * files and Python's own readers can disagree (frames that lie, bytes after the end).
 */

import { FormatError } from '../errors.ts';
import { createCursor } from './cursor.ts';
import { combine } from './pickle-build.ts';
import { readLiteral } from './pickle-literals.ts';
import { createStack } from './pickle-stack.ts';
import { latin1 } from './pickle-text.ts';
import type { PickleValue } from './pickle-types.ts';
import type { ByteSource } from './source.ts';

/** Opcodes run before a file is given up. The recorded checkpoint, which has all the modules, takes 63,449. */
export const MAX_OPERATIONS = 1_000_000;

/** Options of {@link readPickle}. */
export interface PickleOptions {
  /** Where the pickle starts; 0 by default. */
  readonly start?: number;
  /** Allows bytes after the end of the pickle (streams of several); false by default. */
  readonly allowTrailing?: boolean;
  /** Opcodes to run at most. */
  readonly maxOperations?: number;
}

/** A value and where its pickle ended. */
export interface PickleResult {
  readonly value: PickleValue;
  /** Offset of the first byte after the pickle. */
  readonly end: number;
}

/** Reads one pickle from a source.
 *
 * @throws FormatError with the byte offset when the bytes are not a whole, sane pickle.
 */
export function readPickle(source: ByteSource, options: PickleOptions = {}): PickleResult {
  const start = options.start ?? 0;
  const maxOperations = options.maxOperations ?? MAX_OPERATIONS;
  const cursor = createCursor(source, start);
  const stack = createStack(cursor.position);
  const memo = new Map<number, PickleValue>();
  let frameEnd = 0;

  function remember(index: number): void {
    memo.set(index, stack.top('memo'));
  }
  function recall(index: number): void {
    const value = memo.get(index);
    if (value === undefined)
      throw new FormatError(`memo entry ${index} is read before it is written`, opStart);
    stack.push(value);
  }
  function memoLine(): number {
    const digits = latin1(cursor.line(32, 'memo index')).trim();
    if (!/^[0-9]{1,15}$/.test(digits)) throw new FormatError('a memo index is not a number', opStart);
    return Number(digits);
  }

  let opStart = start;
  for (let operations = 0; ; operations++) {
    opStart = cursor.position();
    if (operations >= maxOperations) {
      throw new FormatError(`more than ${maxOperations} operations; this is no checkpoint`, opStart);
    }
    if (cursor.remaining() === 0)
      throw new FormatError('the file ends early: the pickle has no end', opStart);
    const op = cursor.u8('opcode');
    const literal = readLiteral(op, cursor);
    if (literal !== undefined) stack.push(literal);
    else if (!combine(op, stack, cursor)) {
      switch (op) {
        case 0x80: {
          // PROTO
          const version = cursor.u8('PROTO');
          if (opStart !== start) throw new FormatError('PROTO in the middle of a pickle', opStart);
          if (version > 5) throw new FormatError(`pickle protocol ${version}; 0 to 5 are known`, opStart);
          break;
        }
        case 0x95: {
          // FRAME
          const length = cursor.u64('FRAME');
          if (frameEnd > 0) throw new FormatError('a frame begins before the last one ended', opStart);
          cursor.need(length, 'a frame');
          frameEnd = cursor.position() + length;
          break;
        }
        case 0x2e: {
          // STOP
          const value = stack.pop('STOP');
          const end = cursor.position();
          if (stack.depth() > 0 || stack.marks() > 0) {
            throw new FormatError('the pickle ends with values left on its stack', opStart);
          }
          if (frameEnd > 0 && frameEnd !== end) {
            throw new FormatError(
              `the pickle ends ${Math.abs(frameEnd - end)} bytes away from its frame's end`,
              opStart,
            );
          }
          if (end !== source.size && !options.allowTrailing) {
            throw new FormatError(`${source.size - end} bytes follow the end of the pickle`, end);
          }
          return { value, end };
        }
        case 0x28: // ( MARK
          stack.mark();
          break;
        case 0x30: // 0 POP
          stack.discard();
          break;
        case 0x31: // 1 POP_MARK
          stack.popToMark('POP_MARK');
          break;
        case 0x32: // 2 DUP
          stack.push(stack.top('DUP'));
          break;
        case 0x94: // MEMOIZE
          remember(memo.size);
          break;
        case 0x71: // q BINPUT
          remember(cursor.u8('BINPUT'));
          break;
        case 0x72: // r LONG_BINPUT
          remember(cursor.u32('LONG_BINPUT'));
          break;
        case 0x70: // p PUT
          remember(memoLine());
          break;
        case 0x68: // h BINGET
          recall(cursor.u8('BINGET'));
          break;
        case 0x6a: // j LONG_BINGET
          recall(cursor.u32('LONG_BINGET'));
          break;
        case 0x67: // g GET
          recall(memoLine());
          break;
        case 0x82: // EXT1
        case 0x83: // EXT2
        case 0x84: // EXT4
          throw new FormatError(
            'the pickle uses extension codes, which mean nothing outside the writer',
            opStart,
          );
        case 0x97: // NEXT_BUFFER
        case 0x98: // READONLY_BUFFER
          throw new FormatError(
            'the pickle keeps data in out-of-band buffers, which are not in the file',
            opStart,
          );
        default:
          throw new FormatError(`0x${op.toString(16).padStart(2, '0')} is not a pickle opcode`, opStart);
      }
    }
    if (frameEnd > 0) {
      if (cursor.position() > frameEnd)
        throw new FormatError('an opcode reaches over the end of its frame', opStart);
      if (cursor.position() === frameEnd) frameEnd = 0;
    }
  }
}
