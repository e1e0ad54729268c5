/** The number that a check's query gives over a candidate. */
import type { Batch } from "../../engine/columns/column.ts";
import { sliceBatch } from "../../engine/columns/slice.ts";
import { valueAt } from "../../engine/columns/value.ts";
import { ModelMismatchError, ModelTooLargeError, ModelValueError } from "../../engine/ir/errors.ts";
import { IR_VERSION } from "../../engine/ir/ir.ts";
import { createHeldRows } from "../../engine/operators/held-rows.ts";
import type { RunnableSqlCheck } from "../../tables/compiled/compiled-check.ts";
import { runPlan } from "../models/run.ts";

/** The rows of a candidate, batch by batch, with the columns named at least. */
export type CandidateScan = (columns: readonly string[]) => AsyncIterable<Batch>;

/** A candidate that is held: what a query computes of so many rows is held beside it. */
export function scanOf(candidate: Batch): CandidateScan {
  return async function* () {
    for (let start = 0; start < candidate.length; start += SCAN_ROWS)
      yield sliceBatch(candidate, start, Math.min(start + SCAN_ROWS, candidate.length));
  };
}

const SCAN_ROWS = 65_536;
/** Groups, sorted or distinct rows that a query may hold, within `MAX_HELD_BYTES`. */
const MAX_HELD_ROWS = 1_000_000;

export type Measure = { readonly value: number } | { readonly problem: string };

/**
 * Runs the query. A `problem` says why there is no number: NULL, NaN or infinity, a value that cannot be computed (an
 * overflow, a cast), too many groups. It never quotes a value: what stands in the rows may be personal.
 */
export async function measureQuery(check: RunnableSqlCheck, scan: CandidateScan): Promise<Measure> {
  const { compiled } = check;
  const { plan } = compiled;
  if (plan === null) throw new ModelMismatchError(`check "${check.name}" is of a table that the edge does not build`);
  if (compiled.irVersion !== IR_VERSION) {
    throw new ModelMismatchError(
      `check "${check.name}" has IR version ${compiled.irVersion}, this code runs ${IR_VERSION}`,
    );
  }
  try {
    for await (const rows of runPlan(
      plan,
      { scan: (_, columns) => scan(columns) },
      createHeldRows({ kind: "check", name: check.name, maxRows: MAX_HELD_ROWS }),
    )) {
      const [column] = rows.columns;
      if (column === undefined || rows.length === 0) continue;
      const value = valueAt(column, 0);
      if (value === null) return { problem: "the query gave NULL" };
      // The build let only numbers and truth values through, which are 1 and 0; a decimal is a text with all its digits.
      const number = Number(value);
      return Number.isFinite(number) ? { value: number } : { problem: `the query gave ${number}` };
    }
    return { problem: "the query gave no row" };
  } catch (error) {
    // It says how much is held, never of what.
    if (error instanceof ModelTooLargeError) return { problem: error.message };
    if (error instanceof ModelValueError) return { problem: "a value of the query cannot be computed" };
    throw error;
  }
}
