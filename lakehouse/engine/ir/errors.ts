/** A value that DuckDB would refuse too: an overflow, a cast that does not fit, text that is not a number or a date. */
export class ModelValueError extends Error {
  override readonly name = "ModelValueError";
  readonly code = "MODEL_VALUE_ERROR";
}

/** A run that would hold more than the model's `max_rows` rows. The model must be made smaller, or the bound raised. */
export class ModelTooLargeError extends Error {
  override readonly name = "ModelTooLargeError";
  readonly code = "MODEL_TOO_LARGE";
  readonly maxRows: number;

  constructor(model: string, maxRows: number) {
    super(`model ${model} holds more than its max_rows of ${maxRows} rows`);
    this.maxRows = maxRows;
  }
}

/** The model and this code, or the model and its input, do not fit: an IR of another version, a column of another type. */
export class ModelMismatchError extends Error {
  override readonly name = "ModelMismatchError";
  readonly code = "MODEL_MISMATCH";
}
