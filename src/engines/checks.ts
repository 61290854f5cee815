/** Checks that every engine makes of what it is given. */

import { DTypeError, NameError, ShapeError } from '../errors.ts';
import type { Values } from '../tensor/engine.ts';
import { type Named, type NdArray, sameShape, showAval, sizeOf } from '../tensor/index.ts';

/** Refuses arrays that are missing, of another type or shape, or whose data does not fill the shape. */
export function checkArrays(
  graphName: string,
  role: 'input' | 'parameter',
  expected: readonly Named[],
  given: Values,
): void {
  for (const { name, tensor } of expected) {
    const array = given[name];
    if (array === undefined) {
      throw new NameError(
        `${graphName}: ${role} "${name}" ${showAval(tensor)} is missing; given: ${listNames(given)}`,
      );
    }
    if (array.dtype !== tensor.dtype) {
      throw new DTypeError(
        `${graphName}: ${role} "${name}" is ${showAval(array)} but ${showAval(tensor)} is expected`,
      );
    }
    const count = 'resident' in array ? sizeOf(array.shape) : array.data.length;
    if (!sameShape(array.shape, tensor.shape) || count !== sizeOf(array.shape)) {
      const found = `${showAval(array)} with ${count} values`;
      throw new ShapeError(`${graphName}: ${role} "${name}" is ${found} but ${showAval(tensor)} is expected`);
    }
  }
}

/** Refuses inputs that the graph does not declare: a misspelt name must not be ignored. */
export function refuseUnknown(graphName: string, expected: readonly Named[], given: Values): void {
  const known = new Set(expected.map(({ name }) => name));
  for (const name of Object.keys(given)) {
    if (!known.has(name)) {
      throw new NameError(
        `${graphName}: unknown input "${name}"; the program takes ${[...known].join(', ') || 'none'}`,
      );
    }
  }
}

function listNames(given: Values): string {
  const names = Object.keys(given);
  return names.length > 8
    ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`
    : names.join(', ') || 'none';
}

/** Index of the first NaN of a float array, or -1. */
export function firstNaN(array: NdArray): number {
  return array.dtype === 'float32' ? (array.data as Float32Array).findIndex(Number.isNaN) : -1;
}
