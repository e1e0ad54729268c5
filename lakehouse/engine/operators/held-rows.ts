import { ModelTooLargeError } from "../ir/errors.ts";

/** The bound on what an operator may hold in memory: groups, distinct rows, rows to sort, rows of the result. */
export interface HeldRows {
  /** Throws `ModelTooLargeError` when `rows` is more than the model's `max_rows`. */
  check(rows: number): void;
}

export function createHeldRows(model: string, maxRows: number): HeldRows {
  return {
    check(rows) {
      if (rows > maxRows) throw new ModelTooLargeError(model, maxRows);
    },
  };
}
