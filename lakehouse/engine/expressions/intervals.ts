/**
 * SQL's INTERVAL: months, days and microseconds, which are not worth a fixed number of each other. It exists only between
 * operators (Parquet's readers disagree on it). A column of intervals is laid out as an int128 one: the low word is the
 * microseconds, the high word the months over the days.
 */
import type { Column, Nulls } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { ModelValueError } from "../ir/errors.ts";
import type { Call } from "../ir/ir.ts";
import { columnTypeOf, sqlName } from "../ir/ir-types.ts";
import { roundHalfEven } from "./rounding.ts";
import {
  argument,
  boolColumn,
  float64Column,
  integerReader,
  type Kernel,
  mergeNulls,
  type Unsupported,
  unsupported,
} from "./vector.ts";

export interface Interval {
  /** 32 bits. */
  readonly months: number;
  /** 32 bits. */
  readonly days: number;
  /** 64 bits. */
  readonly micros: bigint;
}

const MICROS_PER_DAY = 86_400_000_000n;
const DAYS_PER_MONTH = 30;

/** Reads row `row` of a column of intervals. */
export function intervalReader(column: Column): (row: number) => Interval {
  const { values } = requireKind(column, "int128");
  return (row) => {
    const high = values[2 * row + 1]!;
    return { months: Number(high >> 32n), days: Number(BigInt.asIntN(32, high)), micros: values[2 * row]! };
  };
}

/** A column of intervals; `value` is not called for null rows. Throws `ModelValueError` for a part out of its range. */
export function intervalColumn(length: number, nulls: Nulls, value: (row: number) => Interval): Column {
  const values = new BigInt64Array(2 * length);
  for (let row = 0; row < length; row++) {
    if (nulls?.[row] === 1) continue;
    const { months, days, micros } = checkedInterval(value(row));
    values[2 * row] = micros;
    values[2 * row + 1] = (BigInt(months) << 32n) | BigInt.asUintN(32, BigInt(days));
  }
  return { kind: "int128", type: columnTypeOf({ kind: "interval" }), length, nulls, values };
}

function checkedInterval(interval: Interval): Interval {
  const { months, days, micros } = interval;
  if (
    Math.trunc(months) === months &&
    (months | 0) === months &&
    (days | 0) === days &&
    BigInt.asIntN(64, micros) === micros
  )
    return interval;
  throw new ModelValueError(`an INTERVAL of ${months} months, ${days} days and ${micros} microseconds is out of range`);
}

/** An interval as the text of a constant in the IR. */
export function intervalText({ months, days, micros }: Interval): string {
  return `${months} ${days} ${micros}`;
}

/** The interval of `intervalText`. */
export function intervalOfText(text: string): Interval {
  const [months = "0", days = "0", micros = "0"] = text.split(" ");
  return { months: Number(months), days: Number(days), micros: BigInt(micros) };
}

const wholes: Readonly<Record<string, (count: bigint) => Interval>> = {
  to_years: (count) => ({ months: 12 * Number(count), days: 0, micros: 0n }),
  to_quarters: (count) => ({ months: 3 * Number(count), days: 0, micros: 0n }),
  to_months: (count) => ({ months: Number(count), days: 0, micros: 0n }),
  to_weeks: (count) => ({ months: 0, days: 7 * Number(count), micros: 0n }),
  to_days: (count) => ({ months: 0, days: Number(count), micros: 0n }),
  to_hours: (count) => ({ months: 0, days: 0, micros: count * 3_600_000_000n }),
  to_minutes: (count) => ({ months: 0, days: 0, micros: count * 60_000_000n }),
  to_microseconds: (count) => ({ months: 0, days: 0, micros: count }),
};

const fractions: Readonly<Record<string, number>> = { to_seconds: 1_000_000, to_milliseconds: 1000 };

/** `to_days(n)` and the like, which DuckDB also makes of `INTERVAL n DAY`. */
export function bindIntervalOf(call: Call): Kernel | Unsupported {
  const [count] = call.args;
  const whole = wholes[call.name];
  const fraction = fractions[call.name];
  if (whole !== undefined && (count?.type.kind === "int32" || count?.type.kind === "int64")) {
    return (columns, length) => {
      const read = integerReader(argument(columns, 0));
      return intervalColumn(length, argument(columns, 0).nulls, (row) => whole(read(row)));
    };
  }
  if (fraction !== undefined && count?.type.kind === "float64") {
    return (columns, length) => {
      const { values, nulls } = requireKind(argument(columns, 0), "float64");
      return intervalColumn(length, nulls, (row) => {
        const micros = roundHalfEven(values[row]! * fraction);
        if (Number.isFinite(micros)) return { months: 0, days: 0, micros: BigInt(micros) };
        throw new ModelValueError(`${call.name} of ${values[row]} is out of the range of INTERVAL`);
      });
    };
  }
  return unsupported(`${call.name} of ${count === undefined ? "nothing" : sqlName(count.type)} is not supported`);
}

function combined(a: Interval, b: Interval, sign: 1 | -1): Interval {
  return {
    months: a.months + sign * b.months,
    days: a.days + sign * b.days,
    micros: sign === 1 ? a.micros + b.micros : a.micros - b.micros,
  };
}

const NOTHING: Interval = { months: 0, days: 0, micros: 0n };

export function negated(interval: Interval): Interval {
  return combined(NOTHING, interval, -1);
}

/** INTERVAL + INTERVAL, INTERVAL - INTERVAL, -INTERVAL, and INTERVAL * BIGINT either way. */
export function bindIntervalArithmetic(call: Call): Kernel | Unsupported {
  const kinds = call.args.map((arg) => arg.type.kind).join(" ");
  if (kinds === "interval" && call.name === "-") {
    return (columns, length) => {
      const read = intervalReader(argument(columns, 0));
      return intervalColumn(length, argument(columns, 0).nulls, (row) => negated(read(row)));
    };
  }
  if (kinds === "interval interval" && (call.name === "+" || call.name === "-")) {
    const sign = call.name === "+" ? 1 : -1;
    return (columns, length) => {
      const left = intervalReader(argument(columns, 0));
      const right = intervalReader(argument(columns, 1));
      return intervalColumn(length, mergeNulls(columns, length), (row) => combined(left(row), right(row), sign));
    };
  }
  if (call.name === "*" && (kinds === "interval int64" || kinds === "int64 interval")) {
    const at = kinds === "interval int64" ? 0 : 1;
    return (columns, length) => {
      const interval = intervalReader(argument(columns, at));
      const factor = integerReader(argument(columns, 1 - at));
      return intervalColumn(length, mergeNulls(columns, length), (row) => times(interval(row), factor(row)));
    };
  }
  const types = call.args.map((arg) => sqlName(arg.type)).join(", ");
  return unsupported(`${call.name} on (${types}) is not supported`);
}

function times({ months, days, micros }: Interval, factor: bigint): Interval {
  return { months: months * Number(factor), days: days * Number(factor), micros: micros * factor };
}

/** Comparisons count a month as 30 days and a day as 24 hours, as DuckDB does. */
function comparable({ months, days, micros }: Interval): bigint {
  return BigInt(months * DAYS_PER_MONTH + days) * MICROS_PER_DAY + micros;
}

/** `=`, `<` and the others of two intervals, by a test on their order. */
export function compareIntervals(test: (order: number) => boolean): Kernel {
  return (columns, length) => {
    const left = intervalReader(argument(columns, 0));
    const right = intervalReader(argument(columns, 1));
    const nulls = mergeNulls(columns, length);
    const values = new Uint8Array(length);
    for (let row = 0; row < length; row++) {
      if (nulls?.[row] === 1) continue;
      const difference = comparable(left(row)) - comparable(right(row));
      if (test(difference < 0n ? -1 : difference > 0n ? 1 : 0)) values[row] = 1;
    }
    return boolColumn(values, nulls);
  };
}

/** `epoch(interval)`: its seconds, where a year has 365.25 days and a month that is no part of a year 30. */
export const intervalEpoch: Kernel = (columns, length) => {
  const column = argument(columns, 0);
  const read = intervalReader(column);
  const values = new Float64Array(length);
  for (let row = 0; row < length; row++) {
    if (column.nulls?.[row] === 1) continue;
    const { months, days, micros } = read(row);
    const years = Math.trunc(months / 12);
    const seconds = (365 * years + DAYS_PER_MONTH * (months % 12) + days) * 86_400 + years * 21_600;
    values[row] = Number(BigInt(seconds) * 1_000_000n + micros) / 1_000_000;
  }
  return float64Column(values, column.nulls);
};
