/**
 * The SQL by which a native builder measures a check over the rows that it wrote: it counts what the edge's gate counts (`../gates/`). NULLs
 * are no invalid values and are missing ones; values of a list are compared as values, so that 2.50 is 2.5; a key with a NULL is no
 * other row's, unless the check says so. Pure.
 */
import type { LibraryCheck } from "../../../contracts/contract.ts";
import { type ComparedAs, valueText } from "../../../contracts/value-text.ts";
import { quoteName, quoteText } from "../../../schemas/sql-quoting.ts";
import type { ColumnType, Field } from "../../engine/columns/column.ts";
import { ModelMismatchError } from "../../engine/ir/errors.ts";
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
import { measureName } from "../gates/measures.ts";
import type { WireCheck } from "./wire.ts";

/** `table`: the view's name, and the columns that it has. Throws `ModelMismatchError` for a check that only the edge can measure. */
export function wireCheck(
  check: RunnableCheck,
  table: { readonly name: string; readonly fields: readonly Field[] },
): WireCheck {
  const id = measureName(check);
  if (check.metric === "sql") return { id, kind: "query", sql: check.query };
  const why = notInSql(check);
  if (why !== undefined) throw new ModelMismatchError(why);
  const of = quoteName(table.name);
  const sql =
    check.metric === "duplicateValues"
      ? repeated(check, of, table.fields)
      : `SELECT ${countOf(check, check.metric, table.fields)} AS "rows", count(*) AS "of" FROM ${of}`;
  return { id, kind: "library", sql };
}

/** Tells why a check cannot be measured by a native builder; undefined: it can. */
export function notInSql(check: RunnableCheck): string | undefined {
  if (check.metric === "sql" || check.pattern === undefined) return undefined;
  return `the check "${check.name}" has a pattern, which the edge's automata match and DuckDB's regular expressions do not: write it as a query`;
}

/** Every row of a key but one. Grouped, not counted as distinct values: groups go to the disk where they do not fit. */
function repeated(check: LibraryCheck, of: string, fields: readonly Field[]): string {
  const key = columnsOf(check, fields).map(({ name }) => name);
  const whole = check.nullsEqual === true ? "" : ` WHERE ${key.map((name) => `${name} IS NOT NULL`).join(" AND ")}`;
  return `SELECT coalesce(sum(n - 1), 0)::BIGINT AS "rows", (SELECT count(*) FROM ${of}) AS "of"
FROM (SELECT count(*) AS n FROM ${of}${whole} GROUP BY ${key.join(", ")})`;
}

function countOf(
  check: LibraryCheck,
  metric: Exclude<LibraryCheck["metric"], "duplicateValues">,
  fields: readonly Field[],
): string {
  const columns = columnsOf(check, fields);
  switch (metric) {
    case "rowCount":
      return "count(*)";
    case "nullValues":
      return where(columns.map(({ name }) => `${name} IS NULL`));
    case "missingValues":
      return where(columns.map(({ name, type }) => `${name} IS NULL OR ${isListed(name, type, check.values)}`));
    case "invalidValues":
      if (check.values.length === 0) return "0";
      return where(
        columns.map(({ name, type }) => `${name} IS NOT NULL AND NOT ${isListed(name, type, check.values)}`),
      );
  }
}

/** Throws a RangeError for a column that the table has not. */
function columnsOf(
  { columns }: LibraryCheck,
  fields: readonly Field[],
): { readonly name: string; readonly type: ColumnType }[] {
  return columns.map((name) => {
    const field = fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw new RangeError(`there is no column ${name}`);
    return { name: quoteName(name), type: field.type };
  });
}

function where(conditions: readonly string[]): string {
  return `count(*) FILTER (WHERE ${conditions.map((each) => `(${each})`).join(" OR ")})`;
}

/** Never NULL where the column is not. A value that the type does not have is none of the column's. */
function isListed(name: string, type: ColumnType, values: readonly string[]): string {
  const as = comparedAs(type);
  const texts = values.flatMap((value) => valueText(as, value) ?? []);
  const literals = new Set(texts.flatMap((text) => literalOf(text, as, type) ?? []));
  return literals.size === 0 ? "false" : `(${name} IN (${[...literals].join(", ")}))`;
}

function comparedAs({ kind }: ColumnType): ComparedAs {
  switch (kind) {
    case "list":
    case "struct":
      throw new RangeError("a nested column has no values to compare");
    case "date":
    case "timestamp":
      return kind;
    case "bool":
      return "boolean";
    case "utf8":
    case "binary":
      return "text";
    default:
      return "number";
  }
}

/** Undefined where no value of the type is the text's. */
function literalOf(text: string, as: ComparedAs, type: ColumnType): string | undefined {
  switch (as) {
    case "text":
      return type.kind === "binary" ? undefined : quoteText(text);
    case "boolean":
      return text;
    case "date":
      return `DATE ${quoteText(text)}`;
    case "timestamp":
      return `TIMESTAMPTZ ${quoteText(text)}`;
    case "number":
      return numberLiteral(text, type);
  }
}

/** Cast to the column's type, so that neither side is rounded: only a number that the type holds exactly is listed. */
function numberLiteral(text: string, type: ColumnType): string | undefined {
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  switch (type.kind) {
    case "int32":
      return /^-?\d+$/.test(text) && Math.abs(Number(text)) <= 2 ** 31 ? `${text}` : undefined;
    case "int64":
      return /^-?\d{1,19}$/.test(text) ? `CAST(${quoteText(text)} AS HUGEINT)` : undefined;
    case "decimal": {
      const fits =
        !text.includes("e") &&
        fraction.length <= type.scale &&
        whole.replace(/^0+/, "").length <= type.precision - type.scale;
      return fits ? `CAST(${quoteText(text)} AS DECIMAL(${type.precision},${type.scale}))` : undefined;
    }
    case "float64":
      // As the edge has a double as text: the shortest that is read back as it.
      return valueText("number", String(Number(text))) === text ? `CAST(${quoteText(text)} AS DOUBLE)` : undefined;
    default:
      return undefined;
  }
}
