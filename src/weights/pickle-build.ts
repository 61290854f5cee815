/** Opcodes that make a value of what lies on the stack, or add to one: containers, calls, state. */

import { FormatError } from '../errors.ts';
import type { Cursor } from './cursor.ts';
import { globalFromLines } from './pickle-literals.ts';
import type { PickleStack } from './pickle-stack.ts';
import { latin1 } from './pickle-text.ts';
import { describeValue, type PickleValue, type PyGlobal, type PyObject } from './pickle-types.ts';

/** Longest Python 2 byte string that is taken as text when it is a dict key. */
const MAX_KEY_BYTES = 4096;

/** Longest name of a module or class. */
const MAX_NAME = 4096;

/** Runs opcode `op` on the stack; false when it is not an opcode of this kind. */
export function combine(op: number, stack: PickleStack, cursor: Cursor): boolean {
  const at = cursor.position();
  switch (op) {
    case 0x74: // t TUPLE
      stack.push({ kind: 'tuple', items: stack.popToMark('TUPLE') });
      return true;
    case 0x85: // TUPLE1
    case 0x86: // TUPLE2
    case 0x87: // TUPLE3
      stack.push({ kind: 'tuple', items: take(stack, op - 0x84, `TUPLE${op - 0x84}`) });
      return true;
    case 0x6c: // l LIST
      stack.push({ kind: 'list', items: stack.popToMark('LIST') });
      return true;
    case 0x64: {
      // d DICT
      const entries = new Map<PickleValue, PickleValue>();
      setPairs(entries, stack.popToMark('DICT'), at);
      stack.push({ kind: 'dict', entries });
      return true;
    }
    case 0x91: // FROZENSET
      stack.push({ kind: 'set', items: stack.popToMark('FROZENSET') });
      return true;
    case 0x61: // a APPEND
      appendItems(stack, take(stack, 1, 'APPEND'), 'APPEND', at);
      return true;
    case 0x65: // e APPENDS
      appendItems(stack, stack.popToMark('APPENDS'), 'APPENDS', at);
      return true;
    case 0x90: // ADDITEMS
      appendItems(stack, stack.popToMark('ADDITEMS'), 'ADDITEMS', at);
      return true;
    case 0x73: // s SETITEM
      setItems(stack, take(stack, 2, 'SETITEM'), 'SETITEM', at);
      return true;
    case 0x75: // u SETITEMS
      setItems(stack, stack.popToMark('SETITEMS'), 'SETITEMS', at);
      return true;
    case 0x93: {
      // STACK_GLOBAL
      const [module, name] = take(stack, 2, 'STACK_GLOBAL');
      if (typeof module !== 'string' || typeof name !== 'string') {
        throw new FormatError('STACK_GLOBAL needs two texts', at);
      }
      if (module.length > MAX_NAME || name.length > MAX_NAME) {
        throw new FormatError(`STACK_GLOBAL has a name of more than ${MAX_NAME} characters`, at);
      }
      stack.push({ kind: 'global', module, name, offset: at });
      return true;
    }
    case 0x52: {
      // R REDUCE
      const [callee, args] = take(stack, 2, 'REDUCE');
      stack.push(objectOf(callee, args, null, 'REDUCE', at));
      return true;
    }
    case 0x81: {
      // NEWOBJ
      const [callee, args] = take(stack, 2, 'NEWOBJ');
      stack.push(objectOf(callee, args, null, 'NEWOBJ', at));
      return true;
    }
    case 0x92: {
      // NEWOBJ_EX
      const [callee, args, kwargs] = take(stack, 3, 'NEWOBJ_EX');
      stack.push(objectOf(callee, args, kwargs, 'NEWOBJ_EX', at));
      return true;
    }
    case 0x69: {
      // i INST
      const callee: PyGlobal = globalFromLines(cursor);
      stack.push(objectOf(callee, { kind: 'tuple', items: stack.popToMark('INST') }, null, 'INST', at));
      return true;
    }
    case 0x6f: {
      // o OBJ
      const values = stack.popToMark('OBJ');
      if (values.length === 0) throw new FormatError('OBJ finds no class', at);
      stack.push(objectOf(values[0], { kind: 'tuple', items: values.slice(1) }, null, 'OBJ', at));
      return true;
    }
    case 0x62: {
      // b BUILD
      const state = stack.pop('BUILD');
      const target = stack.top('BUILD');
      if (target === null || typeof target !== 'object' || target.kind !== 'object') {
        throw new FormatError(`BUILD gives a state to ${describeValue(target)}`, at);
      }
      target.state = state;
      return true;
    }
    case 0x51: // Q BINPERSID
      stack.push({ kind: 'persistent', id: stack.pop('BINPERSID'), offset: at });
      return true;
    default:
      return false;
  }
}

function take(stack: PickleStack, count: number, what: string): PickleValue[] {
  const values = new Array<PickleValue>(count);
  for (let i = count - 1; i >= 0; i--) values[i] = stack.pop(what);
  return values;
}

function objectOf(
  callee: PickleValue,
  args: PickleValue,
  kwargs: PickleValue,
  what: string,
  at: number,
): PyObject {
  if (
    callee === null ||
    typeof callee !== 'object' ||
    (callee.kind !== 'global' && callee.kind !== 'object')
  ) {
    throw new FormatError(`${what} calls ${describeValue(callee)}`, at);
  }
  if (args === null || typeof args !== 'object' || args.kind !== 'tuple') {
    throw new FormatError(`${what} needs a tuple of arguments, not ${describeValue(args)}`, at);
  }
  return {
    kind: 'object',
    callee,
    args: args.items,
    kwargs,
    offset: at,
    state: undefined,
    items: undefined,
    entries: undefined,
  };
}

function appendItems(stack: PickleStack, items: PickleValue[], what: string, at: number): void {
  const target = stack.top(what);
  if (target !== null && typeof target === 'object') {
    if (target.kind === (what === 'ADDITEMS' ? 'set' : 'list')) {
      pushAll((target as { items: PickleValue[] }).items, items);
      return;
    }
    if (target.kind === 'object') {
      target.items ??= [];
      pushAll(target.items, items);
      return;
    }
  }
  throw new FormatError(`${what} adds to ${describeValue(target)}`, at);
}

function pushAll(list: PickleValue[], items: PickleValue[]): void {
  for (const item of items) list.push(item);
}

function setItems(stack: PickleStack, pairs: PickleValue[], what: string, at: number): void {
  const target = stack.top(what);
  if (target !== null && typeof target === 'object') {
    const entries =
      target.kind === 'dict' ? target.entries : target.kind === 'object' ? entriesOf(target) : undefined;
    if (entries) {
      setPairs(entries, pairs, at);
      return;
    }
  }
  throw new FormatError(`${what} sets entries of ${describeValue(target)}`, at);
}

function entriesOf(target: PyObject): Map<PickleValue, PickleValue> {
  target.entries ??= new Map();
  return target.entries;
}

function setPairs(entries: Map<PickleValue, PickleValue>, pairs: PickleValue[], at: number): void {
  if (pairs.length % 2 !== 0) throw new FormatError('a dict gets a key without a value', at);
  for (let i = 0; i < pairs.length; i += 2) entries.set(keyOf(pairs[i], at), pairs[i + 1]);
}

/** Python 2 wrote text keys as byte strings; here they are texts. */
function keyOf(key: PickleValue, at: number): PickleValue {
  if (key === null || typeof key !== 'object') return key;
  if (key.kind === 'list' || key.kind === 'dict') {
    throw new FormatError(`${describeValue(key)} cannot be a key`, at);
  }
  if (key.kind === 'bytes' && key.legacy && key.length <= MAX_KEY_BYTES) {
    return latin1(key.source.read(key.offset, key.length));
  }
  return key;
}
