/**
 * Every error a user can meet, as types.
 *
 * A message names the argument, the value it had, what was expected and the way out. `exitCode` is what the
 * command line returns: 2 when the request was wrong, 1 when something failed. A mistake of our own starts
 * with `internal:`.
 */

/** Base of all errors thrown on purpose. */
export class PortraitganError extends Error {
  /** What the command line exits with. */
  readonly exitCode: 1 | 2 = 1;
  override readonly name: string = 'PortraitganError';
}

/** A request that cannot be meant: unknown option, contradictory options, a value out of range. */
export class UsageError extends PortraitganError {
  override readonly exitCode = 2;
  override readonly name = 'UsageError';
}

/** Tensor shapes that do not fit an operation. */
export class ShapeError extends PortraitganError {
  override readonly name = 'ShapeError';
}

/** Element types that do not fit an operation. */
export class DTypeError extends PortraitganError {
  override readonly name = 'DTypeError';
}

/** A name that a graph, a network or a program does not know. */
export class NameError extends PortraitganError {
  override readonly name = 'NameError';
}

/** A gradient that does not exist or was not derived. */
export class GradientError extends PortraitganError {
  override readonly name = 'GradientError';
}

/** An engine that cannot run what it was given, or is not installed. */
export class EngineError extends PortraitganError {
  override readonly name = 'EngineError';
}

/** A file whose bytes are not what its format demands; `offset` is where reading stopped. */
export class FormatError extends PortraitganError {
  override readonly name = 'FormatError';
  readonly offset: number | undefined;

  constructor(message: string, offset?: number) {
    super(offset === undefined ? message : `${message} (at byte ${offset})`);
    this.offset = offset;
  }
}

/** A file that cannot be written or removed: no space, no permission, a disk that fails. */
export class StorageError extends PortraitganError {
  override readonly name = 'StorageError';
}

/** A network whose parameters or settings do not describe a portrait generator we know. */
export class NetworkError extends PortraitganError {
  override readonly name = 'NetworkError';
}

/** A dataset whose archives, labels, masks or pictures are not what training needs. */
export class DatasetError extends PortraitganError {
  override readonly exitCode = 2;
  override readonly name = 'DatasetError';
}

/** Training went where there is no way back from: losses or weights are not finite. */
export class DivergenceError extends PortraitganError {
  override readonly name = 'DivergenceError';
}
