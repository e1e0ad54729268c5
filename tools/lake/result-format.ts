/** Query results as text: a table for people, CSV and JSON for programs. */
import {
  type DuckDBResultReader,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  type DuckDBValueConverter,
  type Json,
  JsonDuckDBValueConverter,
} from "@duckdb/node-api";
import { printTable } from "./print-table.ts";

export const RESULT_FORMATS = ["table", "csv", "json"] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];

const NUMERIC = new Set<DuckDBTypeId>([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
]);
/** More rows than anybody reads in a terminal. */
const TABLE_ROWS = 200;

/** The whole text, without an end of line. A table shows the first 200 rows and says how many there are. */
export function formatResult(reader: DuckDBResultReader, format: ResultFormat): string {
  switch (format) {
    case "table":
      return asTable(reader);
    case "csv":
      return asCsv(reader);
    case "json":
      return asJson(reader);
  }
}

function asTable(reader: DuckDBResultReader): string {
  const columns = reader.columnNames().map((name, i) => ({ name, numeric: NUMERIC.has(reader.columnTypeId(i)) }));
  const rows = texts(reader);
  const lines = printTable(columns, rows.slice(0, TABLE_ROWS));
  const count = `${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
  const rest = rows.length > TABLE_ROWS ? `, of which the first ${TABLE_ROWS}; --format csv prints all` : "";
  return [...lines, `(${count}${rest})`].join("\n");
}

/** RFC 4180 with a header line; null is empty, an empty text is `""`. */
function asCsv(reader: DuckDBResultReader): string {
  const rows = [reader.columnNames(), ...texts(reader)];
  return rows.map((row) => row.map(csvField).join(",")).join("\r\n");
}

function csvField(value: string | null): string {
  if (value === null) return "";
  return value === "" || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** An array with an object per row, a row on each line. Integers beyond 2^53 and decimals are texts: numbers would lose digits. */
function asJson(reader: DuckDBResultReader): string {
  const rows = reader.convertRowObjects<Json>(jsonValue).map((row) => JSON.stringify(row));
  return rows.length === 0 ? "[]" : `[\n${rows.join(",\n")}\n]`;
}

function jsonValue(value: DuckDBValue, type: DuckDBType, convert: DuckDBValueConverter<Json>): Json {
  if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) return Number(value);
  return JsonDuckDBValueConverter(value, type, convert);
}

function texts(reader: DuckDBResultReader): (string | null)[][] {
  return reader.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
}
