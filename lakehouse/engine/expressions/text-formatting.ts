import { requireKind } from "../columns/column-kind.ts";
import { decimalText } from "../columns/value.ts";
import type { IrType } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import { createBytesWriter } from "./bytes-writer.ts";
import { dateText, isFiniteTime, splitMicros, timeText } from "./calendar.ts";
import { argument, integerReader, type Kernel, type Unsupported, unsupported } from "./vector.ts";

/**
 * The cast from `from` to VARCHAR, in DuckDB's notation. Doubles are left out: DuckDB and JavaScript print the same
 * shortest digits in different notations, and a model has no business to store numbers as text.
 */
export function bindFormat(from: IrType): Kernel | Unsupported {
  if (from.kind === "bool") {
    return (columns, length) => {
      const { values, nulls } = requireKind(argument(columns, 0), "bool");
      return write(length, nulls, (row) => (values[row] === 1 ? "true" : "false"));
    };
  }
  const format = integerFormat(from);
  if (format === undefined) return unsupported(`a cast from ${sqlName(from)} to VARCHAR is not supported`);
  return (columns, length) => {
    const column = argument(columns, 0);
    const read = integerReader(column);
    return write(length, column.nulls, (row) => format(read(row)));
  };
}

function write(length: number, nulls: Uint8Array | undefined, text: (row: number) => string) {
  const writer = createBytesWriter(length);
  for (let row = 0; row < length; row++) {
    if (nulls?.[row] !== 1) writer.appendText(text(row));
    writer.endRow();
  }
  return writer.finish(nulls);
}

function integerFormat(from: IrType): ((value: bigint) => string) | undefined {
  switch (from.kind) {
    case "int32":
    case "int64":
    case "hugeint":
      return String;
    case "decimal": {
      const { precision, scale } = from;
      // DuckDB writes no zero before the point when the type has no digit there: DECIMAL(3,3) 0.5 is ".500".
      return precision > scale
        ? (value) => decimalText(value, scale)
        : (value) => decimalText(value, scale).replace("0.", ".");
    }
    case "date":
      return (days) => (isFiniteTime(days, "date") ? dateText(Number(days)) : infinityText(days));
    case "timestamp":
      return timestampText;
    case "timestamptz":
      return (micros) => (isFiniteTime(micros, "timestamp") ? `${timestampText(micros)}+00` : infinityText(micros));
    default:
      return undefined;
  }
}

function infinityText(value: bigint): string {
  return value < 0n ? "-infinity" : "infinity";
}

/** The era stays with the date: `0001-12-31 (BC) 00:00:00`. */
function timestampText(value: bigint): string {
  if (!isFiniteTime(value, "timestamp")) return infinityText(value);
  const { days, micros } = splitMicros(value);
  return `${dateText(days)} ${timeText(micros)}`;
}
