/** The checks that look at one row at a time: nulls, missing and invalid values. */

import type { LibraryCheck } from "../../../contracts/contract.ts";
import { compilePattern } from "../../../contracts/patterns/pattern.ts";
import { type ComparedAs, valueText } from "../../../contracts/value-text.ts";
import { formatDate, formatTimestamp } from "../../../schemas/time.ts";
import type { Batch, BytesColumn, Column } from "../../engine/columns/column.ts";
import { requireColumn } from "../../engine/columns/named-columns.ts";
import { valueAt } from "../../engine/columns/value.ts";

export type RowMetric = "nullValues" | "missingValues" | "invalidValues";
export type RowCheck = LibraryCheck & { readonly metric: RowMetric };

export function isRowCheck(check: LibraryCheck): check is RowCheck {
  return check.metric === "nullValues" || check.metric === "missingValues" || check.metric === "invalidValues";
}

/** The rows of a batch that count against a check, ascending. Throws a RangeError when the batch lacks one of its columns. */
export type FailingRows = (rows: Batch) => number[];

/** Prepared once for all batches of a build: patterns and lists of values are compiled here. */
export function failingRowsOf(check: RowCheck): FailingRows {
  switch (check.metric) {
    case "nullValues":
      return (rows) => nullRows(rows, check.columns);
    case "missingValues":
      return rowsWhere(check, (isListed) => isListed, true);
    case "invalidValues": {
      const pattern = check.pattern === undefined ? undefined : compilePattern(check.pattern, "ecma");
      const hasList = check.values.length > 0;
      return rowsWhere(
        check,
        (isListed, text) => (hasList && !isListed) || (pattern !== undefined && !pattern.test(text)),
        false,
      );
    }
  }
}

function nullRows(rows: Batch, names: readonly string[]): number[] {
  const columns = names.map((name) => requireColumn(rows, name));
  const failing: number[] = [];
  for (let row = 0; row < rows.length; row++)
    if (columns.some((column) => column.nulls?.[row] === 1)) failing.push(row);
  return failing;
}

/** The rows of which any column counts: by its value, and whether it is one of the check's, or, being NULL, as `nulls` says. */
function rowsWhere(
  { columns: names, values }: LibraryCheck,
  counts: (isListed: boolean, text: string) => boolean,
  nulls: boolean,
): FailingRows {
  // A value that the column's type does not have is none of its values.
  const listedAs = new Map<ComparedAs, ReadonlySet<string>>();
  const listed = (as: ComparedAs): ReadonlySet<string> => {
    const known = listedAs.get(as) ?? new Set(values.flatMap((value) => valueText(as, value) ?? []));
    listedAs.set(as, known);
    return known;
  };
  const counted = new Map<string, boolean>();
  return (rows) => {
    const tests = names.map((name) => {
      const column = requireColumn(rows, name);
      const { as, read } = textReader(column);
      const own = listed(as);
      const judge = (row: number): boolean => {
        const text = read(row);
        return counts(own.has(text), text);
      };
      const judgeText = column.kind === "bytes" ? remembering(column, counted, judge) : judge;
      return (row: number): boolean => (column.nulls?.[row] === 1 ? nulls : judgeText(row));
    });
    const failing: number[] = [];
    for (let row = 0; row < rows.length; row++) if (tests.some((test) => test(row))) failing.push(row);
    return failing;
  };
}

/** Texts that are remembered: those of columns with few values, whose UTF-8 need not be decoded again. */
const REMEMBERED = 1_000;

function remembering(
  { bytes, offsets }: BytesColumn,
  known: Map<string, boolean>,
  judge: (row: number) => boolean,
): (row: number) => boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (row) => {
    // Latin-1 text stands for bytes, so no text is decoded.
    const key = buffer.latin1Slice(offsets[row], offsets[row + 1]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const result = judge(row);
    if (known.size < REMEMBERED) known.set(key, result);
    return result;
  };
}

/** What a column's values are compared as, and the text of each (`contracts/value-text.ts`). */
function textReader(column: Column): { readonly as: ComparedAs; readonly read: (row: number) => string } {
  const { kind } = column.type;
  switch (kind) {
    case "list":
    case "struct":
      throw new RangeError("a nested column has no values to compare");
    case "date":
      return { as: "date", read: (row) => formatDate(Number(valueAt(column, row))) };
    case "timestamp":
      return { as: "timestamp", read: (row) => formatTimestamp(Number(valueAt(column, row))) };
    case "bool":
      return { as: "boolean", read: (row) => String(valueAt(column, row)) };
    case "utf8":
    case "binary":
      return { as: "text", read: (row) => String(valueAt(column, row)) };
    default: {
      const text = (row: number) => String(valueAt(column, row));
      return { as: "number", read: (row) => valueText("number", text(row)) ?? text(row) };
    }
  }
}
