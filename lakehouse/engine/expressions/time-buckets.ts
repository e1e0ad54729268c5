/** `date_diff` and `time_bucket`, in UTC. */
import { ModelValueError } from "../ir/errors.ts";
import type { Call, IrType } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import { civilFromDays, daysFromCivil, isFiniteTime, MICROS_PER_DAY, splitMicros, timestampOf } from "./calendar.ts";
import { partName } from "./dates.ts";
import { type Interval, intervalOfText, intervalReader } from "./intervals.ts";
import {
  argument,
  impossible,
  integerColumn,
  integerReader,
  type Kernel,
  mergeNulls,
  type Unsupported,
  unsupported,
} from "./vector.ts";

const PER_DAY = BigInt(MICROS_PER_DAY);

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

/** The number of a unit that holds a time, counted from anywhere. */
const monthUnits: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12, decade: 120, century: 1200 };
const microUnits: Readonly<Record<string, bigint>> = {
  day: PER_DAY,
  hour: 3_600_000_000n,
  minute: 60_000_000n,
  second: 1_000_000n,
  millisecond: 1000n,
  microsecond: 1n,
};

function unitNumber(part: string): ((micros: bigint) => bigint) | undefined {
  const months = monthUnits[part];
  if (months !== undefined) return (micros) => BigInt(Math.floor(monthOf(micros) / months));
  const micros = microUnits[part];
  return micros === undefined ? undefined : (value) => floorDivide(value, micros);
}

/** Months since January of the year 0. */
function monthOf(micros: bigint): number {
  const { year, month } = civilFromDays(splitMicros(micros).days);
  return year * 12 + month - 1;
}

/** `date_diff('part', a, b)`: how many boundaries of the part lie between; of weeks, how many whole ones. */
export function bindDateDiff(call: Call): Kernel | Unsupported {
  const [part, from, to] = call.args;
  if (part?.node !== "constant" || typeof part.value !== "string") {
    return unsupported(`the first argument of ${call.name} must be a constant such as 'day'`);
  }
  const name = partName(part.value);
  const difference = name === "week" ? weeksBetween : boundaries(unitNumber(name));
  if (difference === undefined || from === undefined || from.type.kind !== to?.type.kind || !isTime(from.type)) {
    return unsupported(
      `${call.name}('${part.value}', ...) of ${call.args
        .slice(1)
        .map((arg) => sqlName(arg.type))
        .join(", ")} is not supported`,
    );
  }
  const kind = from.type.kind === "date" ? "date" : "timestamp";
  return (columns, length) => {
    const times = [1, 2].map((index) => integerReader(argument(columns, index)));
    return integerColumn(call.type, length, mergeNulls(columns, length), (row) => {
      const [start, end] = times.map((read) => read(row));
      if (!isFiniteTime(start!, kind) || !isFiniteTime(end!, kind)) return null;
      return kind === "date" ? difference(start! * PER_DAY, end! * PER_DAY) : difference(start!, end!);
    });
  };
}

function isTime({ kind }: IrType): boolean {
  return kind === "date" || kind === "timestamp" || kind === "timestamptz";
}

function boundaries(number: ((micros: bigint) => bigint) | undefined) {
  return number && ((start: bigint, end: bigint) => number(end) - number(start));
}

function weeksBetween(start: bigint, end: bigint): bigint {
  return (floorDivide(end, PER_DAY) - floorDivide(start, PER_DAY)) / 7n;
}

/** Buckets of days and smaller count from Monday, 2000-01-03; buckets of months from January 2000. */
const ORIGIN_MICROS = 946_857_600_000_000n;
const ORIGIN_MONTHS = 2000 * 12;

/** `time_bucket(width, time)`: the beginning of the bucket that holds the time. */
export function bindTimeBucket(call: Call): Kernel | Unsupported {
  const [width, time, origin] = call.args;
  if (width?.type.kind !== "interval" || time === undefined || !isTime(time.type) || origin !== undefined) {
    return unsupported(`${call.name} of (${call.args.map((arg) => sqlName(arg.type)).join(", ")}) is not supported`);
  }
  if (width.node === "constant" && width.value !== null) {
    const problem = widthProblem(intervalOfText(String(width.value)));
    if (problem !== undefined) return impossible(problem);
  }
  const ofDate = time.type.kind === "date";
  return (columns, length) => {
    const widths = intervalReader(argument(columns, 0));
    const read = integerReader(argument(columns, 1));
    return integerColumn(call.type, length, mergeNulls(columns, length), (row) => {
      const value = read(row);
      if (!isFiniteTime(value, ofDate ? "date" : "timestamp")) return value;
      const start = bucketOf(ofDate ? timestampOf(value) : value, widths(row));
      return ofDate ? floorDivide(start, PER_DAY) : start;
    });
  };
}

/** Why buckets cannot be so wide; undefined when they can. */
function widthProblem({ months, days, micros }: Interval): string | undefined {
  if (months !== 0 && (days !== 0 || micros !== 0n)) return "time_bucket takes no width of months with days or hours";
  const greater = months === 0 ? BigInt(days) * PER_DAY + micros > 0n : months > 0;
  return greater ? undefined : "time_bucket needs a width greater than 0";
}

function bucketOf(time: bigint, width: Interval): bigint {
  const problem = widthProblem(width);
  if (problem !== undefined) throw new ModelValueError(problem);
  const { months, days, micros } = width;
  if (months === 0) {
    const size = BigInt(days) * PER_DAY + micros;
    return ORIGIN_MICROS + floorDivide(time - ORIGIN_MICROS, size) * size;
  }
  const month = ORIGIN_MONTHS + Math.floor((monthOf(time) - ORIGIN_MONTHS) / months) * months;
  const year = Math.floor(month / 12);
  return BigInt(daysFromCivil(year, month - year * 12 + 1, 1)) * PER_DAY;
}
