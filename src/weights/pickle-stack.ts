/** The stack of the pickle machine: values with marks between them. */

import { FormatError } from '../errors.ts';
import type { PickleValue } from './pickle-types.ts';

/** A stack that never pops below the last mark. */
export interface PickleStack {
  push(value: PickleValue): void;
  /** Takes the top value; `what` names the opcode that wants it. */
  pop(what: string): PickleValue;
  /** The top value, left in place. */
  top(what: string): PickleValue;
  mark(): void;
  /** Takes everything above the last mark, and the mark. */
  popToMark(what: string): PickleValue[];
  /** Takes the top value, or the mark when it is on top. */
  discard(): void;
  /** Number of values above the last mark. */
  depth(): number;
  /** Number of marks. */
  marks(): number;
}

/** An empty stack; `position` says where the reader stands, for errors. */
export function createStack(position: () => number): PickleStack {
  const values: PickleValue[] = [];
  const marks: number[] = [];
  const floor = () => (marks.length > 0 ? marks[marks.length - 1] : 0);
  const underflow = (what: string) => new FormatError(`${what} finds the stack empty`, position());
  return {
    push: (value) => values.push(value),
    pop(what) {
      if (values.length <= floor()) throw underflow(what);
      return values.pop() as PickleValue;
    },
    top(what) {
      if (values.length <= floor()) throw underflow(what);
      return values[values.length - 1];
    },
    mark: () => marks.push(values.length),
    popToMark(what) {
      const start = marks.pop();
      if (start === undefined) throw new FormatError(`${what} finds no mark on the stack`, position());
      return values.splice(start);
    },
    discard() {
      if (values.length > floor()) values.pop();
      else if (marks.pop() === undefined) throw underflow('POP');
    },
    depth: () => values.length - floor(),
    marks: () => marks.length,
  };
}
