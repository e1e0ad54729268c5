/** The checks that look at one row at a time: nulls, missing and invalid values. */

import type { LibraryCheck } from "../../../contracts/contract.ts";
import { compilePattern } from "../../../contracts/patterns/pattern.ts";
import { type ComparedAs, valueText } from "../../../contracts/value-text.ts";
import { formatDate, formatTimestamp } from "../../../schemas/time.ts";
import type { Batch, BytesColumn, Column } from "../../engine/columns/column.ts";
import { wordsOf } from "../../engine/columns/fixed-width-stores.ts";
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
  const remembered = names.map(() => new Remembered());
  return (rows) => {
    const tests = names.map((name, at) => {
      const column = requireColumn(rows, name);
      const { as, read } = textReader(column);
      const own = listed(as);
      // There is one for each column.
      const judgeRow = remembered[at]!.of(column, (row, known) => {
        const text = known ?? read(row);
        return counts(own.has(text), text);
      });
      return (row: number): boolean => (column.nulls?.[row] === 1 ? nulls : judgeRow(row));
    });
    const failing: number[] = [];
    for (let row = 0; row < rows.length; row++) if (tests.some((test) => test(row))) failing.push(row);
    return failing;
  };
}

/** Values that are remembered of a column; texts are, up to so many characters. */
const REMEMBERED = 1_000;
const REMEMBERED_LENGTH = 200;
/** So many rows with other values, and a column has too many to remember them. */
const MISSES = 10_000;

/** Judges a row's value; `text` is that, where it is known. */
type Judge = (row: number, text?: string) => boolean;

/** What was judged of a column's values: most columns with a list or a pattern have few of them. */
class Remembered {
  readonly #known = new Map<string | number, boolean>();
  #misses = 0;

  of(column: Column, judge: Judge): (row: number) => boolean {
    switch (column.kind) {
      case "bytes":
        return this.#ofTexts(column, judge);
      case "int32":
      case "float64": {
        const { values } = column;
        return this.#ofKeys((row) => values[row]!, judge);
      }
      case "int64": {
        // Read as a bigint each value would be an object.
        const words = wordsOf(column);
        return this.#ofKeys((row) => words[2 * row + 1]! * 4_294_967_296 + (words[2 * row]! >>> 0), judge, isSafe);
      }
      default:
        return (row) => judge(row);
    }
  }

  #ofKeys(keyOf: (row: number) => number, judge: Judge, isKey: (key: number) => boolean = () => true) {
    return (row: number): boolean => {
      const key = keyOf(row);
      const before = this.#known.get(key);
      return before ?? this.#judged(key, judge(row), isKey(key));
    };
  }

  #ofTexts({ bytes, offsets, type }: BytesColumn, judge: Judge) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return (row: number): boolean => {
      // Latin-1 text stands for bytes. It is the text itself where that is ASCII: then no UTF-8 is decoded.
      const key = buffer.latin1Slice(offsets[row], offsets[row + 1]);
      const before = this.#misses > MISSES ? undefined : this.#known.get(key);
      if (before !== undefined) return before;
      return this.#judged(
        key,
        judge(row, type.kind === "utf8" && ASCII.test(key) ? key : undefined),
        key.length <= REMEMBERED_LENGTH,
      );
    };
  }

  #judged(key: string | number, result: boolean, isKey: boolean): boolean {
    if (!isKey) return result;
    if (this.#known.size < REMEMBERED) this.#known.set(key, result);
    else this.#misses++;
    return result;
  }
}

const ASCII = /^[^\u0080-\u00ff]*$/;

/** Whether a double is one whole number only. */
function isSafe(value: number): boolean {
  return Number.isSafeInteger(value);
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
