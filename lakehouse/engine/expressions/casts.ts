/** Casts, as a table by source and target. What DuckDB rounds is rounded alike; what it refuses is a ModelValueError. */
import type { Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import type { IrType } from "../ir/ir.ts";
import { columnTypeOf, isExact, sameType, sqlName } from "../ir/ir-types.ts";
import { dateOf, timestampOf } from "./calendar.ts";
import { intervalColumn } from "./intervals.ts";
import { divideRounding, roundHalfAway, roundHalfEven } from "./rounding.ts";
import { bindFormat } from "./text-formatting.ts";
import { bindParse } from "./text-parsing.ts";
import {
  argument,
  boolColumn,
  float64Column,
  integerColumn,
  integerRange,
  integerReader,
  type Kernel,
  outOfRange,
  type Unsupported,
  unsupported,
} from "./vector.ts";

/** The kernel of CAST (or with `lenient` TRY_CAST, where a value that does not fit becomes null). */
export function bindCast(from: IrType, to: IrType, lenient: boolean): Kernel | Unsupported {
  if (sameType(from, to)) return (columns) => argument(columns, 0);
  if (to.kind === "utf8") return bindFormat(from);
  if (from.kind === "utf8") return bindParse(to, lenient);
  if (from.kind === "bool") return fromBool(to);
  if (isExact(from) && isExact(to)) return exactToExact(from, to, lenient);
  if (isExact(from) && to.kind === "float64") return exactToFloat(scaleOf(from));
  if (from.kind === "float64" && isExact(to)) return floatToExact(to, lenient);
  if (from.kind === "date" && (to.kind === "timestamp" || to.kind === "timestamptz")) {
    return mapIntegers(to, timestampOf, lenient);
  }
  if (from.kind === "timestamp" || from.kind === "timestamptz") {
    if (to.kind === "date") return mapIntegers(to, dateOf, lenient);
    // The session's zone is UTC: the two kinds of timestamp hold the same number.
    if (to.kind === "timestamp" || to.kind === "timestamptz") return (columns) => argument(columns, 0);
  }
  return unsupported(`a cast from ${sqlName(from)} to ${sqlName(to)} is not supported`);
}

function scaleOf(type: IrType): number {
  return type.kind === "decimal" ? type.scale : 0;
}

function mapIntegers(to: IrType, map: (value: bigint) => bigint, lenient: boolean): Kernel {
  return (columns, length) => {
    const column = argument(columns, 0);
    const read = integerReader(column);
    return integerColumn(to, length, column.nulls, (row) => map(read(row)), lenient);
  };
}

function exactToExact(from: IrType, to: IrType, lenient: boolean): Kernel {
  const steps = scaleOf(to) - scaleOf(from);
  const factor = 10n ** BigInt(Math.abs(steps));
  if (steps > 0) return mapIntegers(to, (value) => value * factor, lenient);
  return mapIntegers(to, steps === 0 ? (value) => value : (value) => divideRounding(value, factor), lenient);
}

/**
 * DuckDB divides as doubles when the unscaled value is exact in one, else it adds the double of the whole part and the
 * double of the fraction (TryCastDecimalToFloatingPoint), so that large decimals keep their nearest whole number.
 */
function exactToFloat(scale: number): Kernel {
  const power = 10 ** scale;
  const bigPower = 10n ** BigInt(scale);
  return (columns, length) => {
    const column = argument(columns, 0);
    const read = integerReader(column);
    const values = new Float64Array(length);
    for (let row = 0; row < length; row++) {
      if (column.nulls?.[row] === 1) continue;
      const unscaled = read(row);
      const near = Number(unscaled);
      values[row] =
        scale === 0 || Number.isSafeInteger(near)
          ? near / power
          : Number(unscaled / bigPower) + Number(unscaled % bigPower) / power;
    }
    return float64Column(values, column.nulls);
  };
}

/** To integers half to even (C's `nearbyint`), to decimals half away from zero (`round`) of the scaled double. */
function floatToExact(to: IrType, lenient: boolean): Kernel {
  const { min, max } = integerRange(to);
  const power = to.kind === "decimal" ? 10 ** to.scale : 1;
  const round = to.kind === "decimal" ? roundHalfAway : roundHalfEven;
  return (columns, length) => {
    const column = requireKind(argument(columns, 0), "float64");
    return integerColumn(
      to,
      length,
      column.nulls,
      (row) => {
        const value = column.values[row]!;
        const rounded = round(value * power);
        const exact = Number.isFinite(rounded) ? BigInt(rounded) : undefined;
        if (exact !== undefined && exact >= min && exact <= max) return exact;
        if (lenient) return null;
        throw outOfRange(String(value), to);
      },
      lenient,
    );
  };
}

function fromBool(to: IrType): Kernel | Unsupported {
  if (isExact(to) && to.kind !== "decimal") {
    return (columns, length) => {
      const { values, nulls } = requireKind(argument(columns, 0), "bool");
      return integerColumn(to, length, nulls, (row) => BigInt(values[row]!));
    };
  }
  return unsupported(`a cast from BOOLEAN to ${sqlName(to)} is not supported`);
}

/** A column of `length` nulls. */
export function nullColumn(type: IrType, length: number): Column {
  const nulls = new Uint8Array(length).fill(1);
  switch (type.kind) {
    case "bool":
      return boolColumn(new Uint8Array(length), nulls);
    case "float64":
      return float64Column(new Float64Array(length), nulls);
    case "utf8":
    case "binary":
      return {
        kind: "bytes",
        type: columnTypeOf(type),
        length,
        nulls,
        offsets: new Int32Array(length + 1),
        bytes: new Uint8Array(0),
      };
    case "list":
      return {
        kind: "list",
        type: columnTypeOf(type),
        length,
        nulls,
        offsets: new Int32Array(length + 1),
        item: nullColumn(type.item, 0),
      };
    case "struct":
      return {
        kind: "struct",
        type: columnTypeOf(type),
        length,
        nulls,
        fields: type.fields.map((field) => nullColumn(field.type, length)),
      };
    case "interval":
      return intervalColumn(length, nulls, () => ({ months: 0, days: 0, micros: 0n }));
    default:
      return integerColumn(type, length, nulls, () => 0n);
  }
}
