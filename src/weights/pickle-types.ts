/**
 * What a pickle becomes here: inert records. Nothing in them can run.
 *
 * A call of a Python function is a record of the call; a class is its name. Other files give meaning to the
 * names they know (`torch-storage.ts`, `numpy-records.ts`, `modules.ts`); everything else stays opaque.
 */

import type { ByteSource } from './source.ts';

/** Any value read from a pickle. Integers beyond 2^53 are bigints. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyBytes
  | PyList
  | PyTuple
  | PyDict
  | PySet
  | PyGlobal
  | PyObject
  | PyPersistent;

/** A byte string, still in the file. `legacy`: a Python 2 `str`, which may be meant as text. */
export interface PyBytes {
  readonly kind: 'bytes';
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
  readonly legacy: boolean;
}

/** A list. */
export interface PyList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

/** A tuple. */
export interface PyTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

/** Insertion-ordered. Text keys are strings, also when Python 2 wrote them. */
export interface PyDict {
  readonly kind: 'dict';
  readonly entries: Map<PickleValue, PickleValue>;
}

/** A set or frozenset, in file order. */
export interface PySet {
  readonly kind: 'set';
  readonly items: PickleValue[];
}

/** A class or function by name. It is never looked up. */
export interface PyGlobal {
  readonly kind: 'global';
  readonly module: string;
  readonly name: string;
  readonly offset: number;
}

/** The record of a call or construction: `callee(*args, **kwargs)`, then state, items and entries given to it. */
export interface PyObject {
  readonly kind: 'object';
  readonly callee: PyGlobal | PyObject;
  readonly args: readonly PickleValue[];
  readonly kwargs: PickleValue;
  readonly offset: number;
  /** What BUILD gave it; `undefined` when there was none. */
  state: PickleValue | undefined;
  /** What APPEND(S) or ADDITEMS gave it. */
  items: PickleValue[] | undefined;
  /** What SETITEM(S) gave it. */
  entries: Map<PickleValue, PickleValue> | undefined;
}

/** A reference to something outside the pickle. */
export interface PyPersistent {
  readonly kind: 'persistent';
  readonly id: PickleValue;
  readonly offset: number;
}

/** `module.name` of what an object was made by; `?` when a computed value was called. */
export function calleeName(value: PyObject): string {
  const { callee } = value;
  return callee.kind === 'global' ? `${callee.module}.${callee.name}` : '?';
}

/** A few words on what a value is, for errors. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'string') {
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)}`;
  }
  if (typeof value !== 'object') return `the ${typeof value} ${String(value).slice(0, 40)}`;
  switch (value.kind) {
    case 'bytes':
      return `${value.length} bytes`;
    case 'list':
    case 'tuple':
    case 'set':
      return `a ${value.kind} of ${value.items.length}`;
    case 'dict':
      return `a dict of ${value.entries.size}`;
    case 'global':
      return `the name ${clip(value.module)}.${clip(value.name)}`;
    case 'object':
      return `an object made by ${clip(calleeName(value))}`;
    case 'persistent':
      return 'a persistent reference';
  }
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
