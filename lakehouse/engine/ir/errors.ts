/** A value that DuckDB would refuse too: an overflow, a cast that does not fit, text that is not a number or a date. */
export class ModelValueError extends Error {
  override readonly name: string = "ModelValueError";
  readonly code = "MODEL_VALUE_ERROR";
}

/** A value that DuckDB takes and this code does not. */
export class DuckDbValueError extends ModelValueError {}

/** A run that would hold more than a bound. The message says which bound, and what to do. */
export class ModelTooLargeError extends Error {
  override readonly name = "ModelTooLargeError";
  readonly code = "MODEL_TOO_LARGE";
  readonly bound: number;

  constructor(problem: string, bound: number, remedy: string) {
    super(`${problem}: ${remedy}`);
    this.bound = bound;
  }
}

/** A saved partial result that this code did not write, or not whole: it is to be made again from the rows. */
export class PartialFormatError extends Error {
  override readonly name = "PartialFormatError";
  readonly code = "PARTIAL_FORMAT";
}

/** The model and this code, or the model and its input, do not fit: an IR of another version, a column of another type. */
export class ModelMismatchError extends Error {
  override readonly name = "ModelMismatchError";
  readonly code = "MODEL_MISMATCH";
}
