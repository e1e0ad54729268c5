/** Times and intervals: DATE, TIMESTAMP and TIMESTAMPTZ plus or minus an INTERVAL, and the INTERVAL between two timestamps. */
import { ModelValueError } from "../ir/errors.ts";
import type { Call } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import {
  civilFromDays,
  daysFromCivil,
  daysOfMonth,
  isFiniteTime,
  MICROS_PER_DAY,
  splitMicros,
  timestampOf,
} from "./calendar.ts";
import { type Interval, intervalColumn, intervalReader, negated } from "./intervals.ts";
import {
  argument,
  integerColumn,
  integerReader,
  type Kernel,
  mergeNulls,
  type Unsupported,
  unsupported,
} from "./vector.ts";

/** `time + interval`, `interval + time`, `time - interval` and `timestamp - timestamp`. */
export function bindTimeSteps(call: Call): Kernel | Unsupported {
  const [left, right] = call.args.map((arg) => arg.type.kind);
  const zoned = call.type.kind === "timestamptz";
  if (call.name === "+" && right === "interval" && isTimeKind(left)) return stepKernel(call, 0, zoned, (step) => step);
  if (call.name === "+" && left === "interval" && isTimeKind(right)) return stepKernel(call, 1, zoned, (step) => step);
  if (call.name === "-" && right === "interval" && isTimeKind(left)) return stepKernel(call, 0, zoned, negated);
  if (call.name === "-" && left === right && (left === "timestamp" || left === "timestamptz")) return difference;
  const types = call.args.map((arg) => sqlName(arg.type)).join(", ");
  return unsupported(`${call.name} on (${types}) is not supported`);
}

function isTimeKind(kind: string | undefined): boolean {
  return kind === "date" || kind === "timestamp" || kind === "timestamptz";
}

function stepKernel(call: Call, time: 0 | 1, zoned: boolean, step: (interval: Interval) => Interval): Kernel {
  const ofDate = call.args[time]?.type.kind === "date";
  return (columns, length) => {
    const read = integerReader(argument(columns, time));
    const interval = intervalReader(argument(columns, 1 - time));
    return integerColumn(call.type, length, mergeNulls(columns, length), (row) => {
      const micros = ofDate ? timestampOf(read(row)) : read(row);
      return isFiniteTime(micros, "timestamp") ? finite(moved(micros, step(interval(row)), zoned)) : micros;
    });
  };
}

function finite(micros: bigint): bigint {
  if (isFiniteTime(micros, "timestamp")) return micros;
  throw new ModelValueError("a timestamp plus an INTERVAL is out of the range of TIMESTAMP");
}

/**
 * Months first, then days, then the clock. For a TIMESTAMPTZ and an interval with a negative part DuckDB moves the clock
 * first: 1 March minus `1 month 24 hours` is 29 January then, where a TIMESTAMP gives 31 January.
 */
function moved(micros: bigint, { months, days, micros: clock }: Interval, zoned: boolean): bigint {
  const dayMicros = BigInt(days) * BigInt(MICROS_PER_DAY);
  if (zoned && (months < 0 || days < 0 || clock < 0n)) return addMonths(micros + clock, months) + dayMicros;
  return addMonths(micros, months) + dayMicros + clock;
}

/** The same day and clock in another month; a day that it lacks becomes its last. */
function addMonths(time: bigint, months: number): bigint {
  if (months === 0) return time;
  const { days, micros } = splitMicros(time);
  const { year, month, day } = civilFromDays(days);
  const index = year * 12 + (month - 1) + months;
  const toYear = Math.floor(index / 12);
  const toMonth = index - toYear * 12 + 1;
  const target = daysFromCivil(toYear, toMonth, Math.min(day, daysOfMonth(toYear, toMonth)));
  return BigInt(target) * BigInt(MICROS_PER_DAY) + BigInt(micros);
}

/** Whole days and the rest of the microseconds, both cut towards zero; no months. */
const difference: Kernel = (columns, length) => {
  const left = integerReader(argument(columns, 0));
  const right = integerReader(argument(columns, 1));
  const perDay = BigInt(MICROS_PER_DAY);
  return intervalColumn(length, mergeNulls(columns, length), (row) => {
    const [later, earlier] = [left(row), right(row)];
    if (!isFiniteTime(later, "timestamp") || !isFiniteTime(earlier, "timestamp")) {
      throw new ModelValueError("an infinite timestamp has no difference to another");
    }
    const micros = later - earlier;
    return { months: 0, days: Number(micros / perDay), micros: micros % perDay };
  });
};
