/** Casts from text, which accept what DuckDB's do. */
import type { Column, Nulls } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { ModelValueError } from "../ir/errors.ts";
import type { IrType } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import { parseInterval } from "./interval-text.ts";
import { intervalColumn } from "./intervals.ts";
import { parseDecimal, parseFloat64, parseHugeInteger, parseInteger } from "./number-text.ts";
import { parseDate, parseTimestamp } from "./time-text.ts";
import {
  argument,
  boolColumn,
  float64Column,
  integerColumn,
  integerRange,
  type Kernel,
  type Unsupported,
  unsupported,
} from "./vector.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The cast from VARCHAR to `to`; with `lenient` (TRY_CAST) a text that is none becomes null. */
export function bindParse(to: IrType, lenient: boolean): Kernel | Unsupported {
  if (to.kind === "interval") return intervalKernel;
  if (to.kind === "float64") {
    return readKernel(to, lenient, parseFloat64, (length, nulls, value) =>
      float64Column(
        Float64Array.from({ length }, (_, row) => value(row) ?? 0),
        nulls,
      ),
    );
  }
  if (to.kind === "bool") {
    return readKernel(to, lenient, parseBool, (length, nulls, value) =>
      boolColumn(
        Uint8Array.from({ length }, (_, row) => (value(row) === true ? 1 : 0)),
        nulls,
      ),
    );
  }
  const parse = integerParser(to);
  if (parse === undefined) return unsupported(`a cast from VARCHAR to ${sqlName(to)} is not supported`);
  const { min, max } = integerRange(to);
  const ranged = (text: string) => {
    const value = parse(text);
    return value === undefined || value < min || value > max ? undefined : value;
  };
  return readKernel(to, lenient, ranged, (length, nulls, value) =>
    integerColumn(to, length, nulls, (row) => value(row) ?? 0n),
  );
}

const trues = new Set(["true", "t", "yes", "y", "1"]);
const falses = new Set(["false", "f", "no", "n", "0"]);

function parseBool(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return trues.has(word) ? true : falses.has(word) ? false : undefined;
}

function integerParser(to: IrType): ((text: string) => bigint | undefined) | undefined {
  switch (to.kind) {
    case "int32":
    case "int64":
      return parseInteger;
    case "hugeint":
      return parseHugeInteger;
    case "decimal":
      return (text) => parseDecimal(text, to.precision, to.scale);
    case "date":
      return parseDate;
    case "timestamp":
    case "timestamptz":
      return (text) => parseTimestamp(text, to.kind === "timestamptz");
    default:
      return undefined;
  }
}

type Texts = (row: number) => string;

function texts(column: Column): { readonly nulls: Nulls; readonly text: Texts } {
  const { bytes, offsets, nulls } = requireKind(column, "bytes");
  return { nulls, text: (row) => decoder.decode(bytes.subarray(offsets[row]!, offsets[row + 1]!)) };
}

/** Without the text, which may be personal: the message stands in D1 and in alerts. */
function refusal(text: string, to: IrType): string {
  return `a text of ${text.length} characters is no ${sqlName(to)}: TRY_CAST gives NULL for it`;
}

/** Reads all rows first, so that `make` knows which of them became null. */
function readKernel<V>(
  to: IrType,
  lenient: boolean,
  parse: (text: string) => V | undefined,
  make: (length: number, nulls: Nulls, value: (row: number) => V | undefined) => Column,
): Kernel {
  return (columns, length) => {
    const { nulls, text } = texts(argument(columns, 0));
    const values: (V | undefined)[] = [];
    let made: Uint8Array | undefined;
    for (let row = 0; row < length; row++) {
      const value = nulls?.[row] === 1 ? undefined : parse(text(row));
      values.push(value);
      if (value !== undefined || nulls?.[row] === 1) continue;
      if (!lenient) throw new ModelValueError(refusal(text(row), to));
      made ??= nulls?.slice(0, length) ?? new Uint8Array(length);
      made[row] = 1;
    }
    return make(length, made ?? nulls, (row) => values[row]);
  };
}

/** Only of literals: the compiler refuses the cast of a column. */
const intervalKernel: Kernel = (columns, length) => {
  const { nulls, text } = texts(argument(columns, 0));
  return intervalColumn(length, nulls, (row) => {
    const interval = parseInterval(text(row));
    if (interval !== undefined) return interval;
    throw new ModelValueError("an INTERVAL is written as whole numbers with units, such as '1 day 2 hours'");
  });
};
