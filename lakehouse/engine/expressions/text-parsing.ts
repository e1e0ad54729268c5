/**
 * Casts from text. Only the plain notations are read: DuckDB also takes `1_000`, `0x1F`, `1e3` and `1.5` as integers,
 * `2024-1-1` and `infinity` as dates; a model that meets one of those stops with an error rather than guess.
 */
import { requireKind } from "../columns/column-kind.ts";
import { ModelValueError } from "../ir/errors.ts";
import type { IrType } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import { divideRounding } from "./arithmetic.ts";
import { checkedDays, MICROS_PER_DAY } from "./calendar.ts";
import {
  argument,
  boolColumn,
  float64Column,
  integerColumn,
  type Kernel,
  type Unsupported,
  unsupported,
} from "./vector.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const INTEGER = /^[ \t\n\v\f\r]*([+-]?\d+)[ \t\n\v\f\r]*$/;
const DECIMAL = /^[ \t\n\v\f\r]*([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?[ \t\n\v\f\r]*$/;
const FLOAT = /^[ \t\n\v\f\r]*([+-]?(?=\.?\d)\d*(?:\.\d*)?(?:[eE][+-]?\d+)?)[ \t\n\v\f\r]*$/;
const DATE = /^[ \t\n\v\f\r]*(\d{4})-(\d\d)-(\d\d)[ \t\n\v\f\r]*$/;
const TIMESTAMP =
  /^[ \t\n\v\f\r]*(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?[ \t\n\v\f\r]*$/;

/** The cast from VARCHAR to `to`. */
export function bindParse(to: IrType): Kernel | Unsupported {
  if (to.kind === "float64") return parseKernel(parseFloats(to));
  if (to.kind === "bool") return parseKernel(parseBools(to));
  const parse = integerParser(to);
  if (parse === undefined) return unsupported(`a cast from VARCHAR to ${sqlName(to)} is not supported`);
  return parseKernel((length, nulls, text) =>
    integerColumn(to, length, nulls, (row) => parse(text(row)) ?? fail(text(row), to)),
  );
}

type TextParser = (
  length: number,
  nulls: Uint8Array | undefined,
  text: (row: number) => string,
) => ReturnType<typeof integerColumn>;

function parseKernel(parse: TextParser): Kernel {
  return (columns, length) => {
    const { bytes, offsets, nulls } = requireKind(argument(columns, 0), "bytes");
    return parse(length, nulls, (row) => decoder.decode(bytes.subarray(offsets[row]!, offsets[row + 1]!)));
  };
}

function fail(text: string, to: IrType): never {
  throw new ModelValueError(`'${text}' is not a ${sqlName(to)} in plain notation`);
}

function parseFloats(to: IrType): TextParser {
  return (length, nulls, text) => {
    const values = new Float64Array(length);
    for (let row = 0; row < length; row++) {
      if (nulls?.[row] === 1) continue;
      const digits = FLOAT.exec(text(row))?.[1];
      const value = digits === undefined ? Number.NaN : Number(digits);
      values[row] = Number.isFinite(value) ? value : fail(text(row), to);
    }
    return float64Column(values, nulls);
  };
}

function parseBools(to: IrType): TextParser {
  return (length, nulls, text) => {
    const values = new Uint8Array(length);
    for (let row = 0; row < length; row++) {
      if (nulls?.[row] === 1) continue;
      const word = text(row).toLowerCase();
      if (word === "true" || word === "t" || word === "1") values[row] = 1;
      else if (word !== "false" && word !== "f" && word !== "0") fail(text(row), to);
    }
    return boolColumn(values, nulls);
  };
}

function integerParser(to: IrType): ((text: string) => bigint | undefined) | undefined {
  switch (to.kind) {
    case "int32":
    case "int64":
    case "hugeint":
      return (text) => {
        const digits = INTEGER.exec(text)?.[1];
        return digits === undefined ? undefined : BigInt(digits.replace("+", ""));
      };
    case "decimal": {
      const { scale } = to;
      return (text) => parseDecimal(text, scale);
    }
    case "date":
      return (text) => {
        const match = DATE.exec(text);
        const days = match === null ? undefined : checkedDays(Number(match[1]), Number(match[2]), Number(match[3]));
        return days === undefined ? undefined : BigInt(days);
      };
    case "timestamp":
    case "timestamptz":
      return (text) => parseTimestamp(text, to.kind === "timestamptz");
    default:
      return undefined;
  }
}

/** The digits behind the scale are rounded half away from zero, as DuckDB does. */
function parseDecimal(text: string, scale: number): bigint | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? "";
  const unscaled = BigInt(`${match[2] ?? ""}${fraction.padEnd(scale, "0")}` || "0");
  const magnitude =
    fraction.length > scale ? divideRounding(unscaled, 10n ** BigInt(fraction.length - scale)) : unscaled;
  return match[1] === "-" ? -magnitude : magnitude;
}

/** ISO 8601 with `T` or a space; without an offset it is UTC, the session's zone. A TIMESTAMP takes no offset here. */
function parseTimestamp(text: string, zoned: boolean): bigint | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zulu, sign, zoneHour, zoneMinute] =
    match;
  const days = checkedDays(Number(year), Number(month), Number(day));
  const inRange = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  const hasZone = zulu !== undefined || sign !== undefined;
  if (days === undefined || !inRange || (hasZone && !zoned)) return undefined;
  const offsetMinutes = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * (sign === "-" ? -1 : 1);
  const seconds = Number(hour) * 3600 + (Number(minute) - offsetMinutes) * 60 + Number(second);
  return BigInt(days) * BigInt(MICROS_PER_DAY) + BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
}
