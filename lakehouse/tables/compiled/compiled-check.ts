/** Checks as the gate runs them: a check in SQL goes with the plan that the build made of its query. */
import type { Check, LibraryCheck, SqlCheck } from "../../../contracts/contract.ts";
import type { Plan } from "../../engine/ir/ir.ts";
import { silverTableName } from "../silver-columns.ts";

/**
 * The plan of a check's query: it scans `table` only, and gives one row with one number. Null of a table that only DuckDB builds, which
 * runs the query itself.
 */
export interface CompiledCheck {
  readonly irVersion: number;
  readonly table: string;
  readonly name: string;
  readonly plan: Plan | null;
}

export type RunnableCheck = LibraryCheck | RunnableSqlCheck;
export type RunnableSqlCheck = SqlCheck & { readonly compiled: CompiledCheck };

/** The table whose candidate rows a check of a topic's contract measures. */
export function measuredTable(topic: string, { layer, table }: Pick<Check, "layer" | "table">): string {
  switch (layer) {
    case "bronze":
      return `bronze_${topic}`;
    case "silver":
      return silverTableName(topic);
    case "gold":
      if (table === undefined) throw new Error(`a gold check of ${topic} names no table`);
      return table;
  }
}

/** The checks of a topic's contract, each query with its plan. Throws when one was not compiled: the build is of another contract. */
export function runnableChecks(
  topic: string,
  checks: readonly Check[],
  compiled: readonly CompiledCheck[],
): RunnableCheck[] {
  return checks.map((check) => {
    if (check.metric !== "sql") return check;
    const table = measuredTable(topic, check);
    const own = compiled.find((candidate) => candidate.table === table && candidate.name === check.name);
    if (own === undefined) throw new Error(`the check "${check.name}" of ${table} is not compiled: npm run compile`);
    return { ...check, compiled: own };
  });
}
