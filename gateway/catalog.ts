/** Queries of the catalog inside a request. */
import { RowError } from "../sql/rows/row-error.ts";
import { ProblemError } from "./problem.ts";

/** Throws the problem CATALOG_UNAVAILABLE in place of what the database throws. Problems of `query` pass. */
export async function catalog<Result>(query: () => Promise<Result>): Promise<Result> {
  try {
    return await query();
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    throw new ProblemError("CATALOG_UNAVAILABLE", whatFailed(cause, "the catalog"), {}, {}, { cause });
  }
}

/**
 * Gives the detail of the problem for a caller. An edited row is named by its table only: its values may be read by the operator, and
 * the request's log line has them.
 */
export function whatFailed(cause: unknown, of: "the catalog" | "the lake"): string {
  return cause instanceof RowError
    ? `a row of ${cause.table} in the catalog cannot be read: trying again does not help; the log of this request says which one and how to mend it`
    : `${of} does not answer: try again`;
}
