/** The checks of a statement that DuckDB runs, of a model or of a check of one: its rows are the same in each run. */
import { byteOf, reportAt } from "../decode-context.ts";
import { isObject, type Json, objectsAt, textAt } from "../json.ts";
import type { NativeStatement } from "../plan-statement.ts";
import { callsIn, guardsSubquery } from "./expressions.ts";
import type { KnownRows } from "./rows.ts";
import { type Reading, readPlan } from "./walk.ts";

export function checkStatement(statement: NativeStatement, reading: Omit<Reading, "context">): KnownRows {
  refuseVolatile(statement);
  refuseRowNumbers(statement);
  return readPlan(statement.bound, { ...reading, context: statement.context });
}

function refuseVolatile({ bound, context }: NativeStatement): void {
  for (const call of callsIn(bound)) {
    const name = textAt(call, "name");
    // The age of one time is the time since then.
    const isVolatile = context.isVolatile(name) || (name === "age" && objectsAt(call, "children").length === 1);
    if (!isVolatile || guardsSubquery(call)) continue;
    reportAt(
      context,
      byteOf(call) ?? context.source.call(name),
      `${name}() is volatile: the same input would give other rows on another run`,
      "use a column of the input, such as _received",
    );
  }
}

/** DuckDB's numbers of rows are of its files. */
function refuseRowNumbers({ tree, context }: NativeStatement): void {
  const visit = (json: Json | undefined): void => {
    if (Array.isArray(json)) for (const item of json) visit(item);
    if (!isObject(json)) return;
    const names = json["column_names"];
    const name = Array.isArray(names) ? names.at(-1) : undefined;
    if (json["type"] === "COLUMN_REF" && typeof name === "string" && name.toLowerCase() === "rowid")
      reportAt(context, byteOf(json), "rowid is no stored column", "use a column of the input");
    for (const value of Object.values(json)) visit(value);
  };
  visit(tree);
}
