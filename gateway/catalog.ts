/** Queries of the catalog inside a request. */
import { ProblemError } from "./problem.ts";

/** Throws the problem CATALOG_UNAVAILABLE in place of what the database throws. Problems of `query` pass. */
export async function catalog<Result>(query: () => Promise<Result>): Promise<Result> {
  try {
    return await query();
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    throw new ProblemError("CATALOG_UNAVAILABLE", "the catalog does not answer: try again", {}, {}, { cause });
  }
}
