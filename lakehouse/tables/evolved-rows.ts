/** The SQL that reads files of several schema versions as today's table: what a file lacks is its column's default or null. */

import { quoteName, quoteText } from "../../schemas/sql-quoting.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { ColumnType, Field } from "../engine/columns/column.ts";
import type { Value } from "../engine/columns/value.ts";
import { irTypeOf, sqlName } from "../engine/ir/ir-types.ts";

/**
 * A SELECT over `source` (a DuckDB table function that unites files by name) with at least the columns `fields`, the same
 * rows that builds see. A default inside of a list or struct is the one thing it cannot fill: that is null. Without
 * fields it is the files as they are.
 */
export function evolvedRows(source: string, fields: readonly Field[]): string {
  if (fields.length === 0) return `SELECT * FROM ${source}`;
  const united = `SELECT * FROM ${source} UNION ALL BY NAME ${noRows(fields)}`;
  // Null only where the file lacks the column: a field with a default is not optional.
  const filled = fields.flatMap((field) => {
    const value = missingValue(field);
    if (value === undefined) return [];
    return [`coalesce(${quoteName(field.name)}, CAST(${value} AS ${typeOf(field)})) AS ${quoteName(field.name)}`];
  });
  return `SELECT *${filled.length === 0 ? "" : ` REPLACE (${filled.join(", ")})`} FROM (${united})`;
}

/** What rows of files that lack a column have in it, as an SQL literal; undefined: NULL. */
export function missingValue({ nullable, initialDefault, type }: Field): string | undefined {
  return nullable || initialDefault === undefined ? undefined : literal(initialDefault, type);
}

/** A SELECT that gives these columns and no row. */
export function noRows(fields: readonly Field[]): string {
  const columns = fields.map((field) => `CAST(NULL AS ${typeOf(field)}) AS ${quoteName(field.name)}`);
  return `SELECT ${columns.join(", ")} WHERE false`;
}

function typeOf(field: Field): string {
  return sqlName(irTypeOf(field.type));
}

function literal(value: Value, type: ColumnType): string | undefined {
  if (type.kind === "date" && typeof value === "number") return `'${formatDate(value)}'`;
  if (type.kind === "timestamp" && typeof value === "bigint") return `'${formatTimestamp(Number(value))}'`;
  if (typeof value === "string") return quoteText(value);
  if (typeof value === "number" && !Number.isFinite(value)) return undefined;
  return typeof value === "object" ? undefined : String(value);
}
