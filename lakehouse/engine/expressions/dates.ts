/** `date_trunc`, `date_part` and its short forms, on DATE, TIMESTAMP and TIMESTAMPTZ; the session's zone is UTC. */
import type { Call, IrType } from "../ir/ir.ts";
import { sqlName } from "../ir/ir-types.ts";
import {
  type CivilDate,
  civilFromDays,
  daysFromCivil,
  isFiniteTime,
  isoWeekday,
  MICROS_PER_DAY,
  splitMicros,
  timestampOf,
} from "./calendar.ts";
import { intervalEpoch } from "./intervals.ts";
import {
  argument,
  float64Column,
  integerColumn,
  integerReader,
  type Kernel,
  type Unsupported,
  unsupported,
} from "./vector.ts";

/** Days to the first day of the unit that holds them. */
const dayTruncations: Readonly<Record<string, (days: number, civil: CivilDate) => number>> = {
  day: (days) => days,
  week: (days) => days - isoWeekday(days) + 1,
  month: (days, { day }) => days - day + 1,
  quarter: (_, { year, month }) => daysFromCivil(year, month - ((month - 1) % 3), 1),
  year: (_, { year }) => daysFromCivil(year, 1, 1),
};

/** Units inside a day, in microseconds. */
const clockTruncations: Readonly<Record<string, number>> = {
  hour: 3_600_000_000,
  minute: 60_000_000,
  second: 1_000_000,
  millisecond: 1000,
};

const dayParts: Readonly<Record<string, (days: number, civil: CivilDate) => number>> = {
  year: (_, { year }) => year,
  quarter: (_, { month }) => Math.ceil(month / 3),
  month: (_, { month }) => month,
  day: (_, { day }) => day,
  dow: (days) => isoWeekday(days) % 7,
  isodow: (days) => isoWeekday(days),
  doy: (days, { year }) => days - daysFromCivil(year, 1, 1) + 1,
  // The ISO week is numbered in the year of its Thursday.
  week: (days) => {
    const thursday = days - isoWeekday(days) + 4;
    return Math.floor((thursday - daysFromCivil(civilFromDays(thursday).year, 1, 1)) / 7) + 1;
  },
};

const clockParts: Readonly<Record<string, (microsOfDay: number) => number>> = {
  hour: (micros) => Math.floor(micros / 3_600_000_000),
  minute: (micros) => Math.floor(micros / 60_000_000) % 60,
  second: (micros) => Math.floor(micros / 1_000_000) % 60,
};

/** DuckDB's other names of a part; its singulars are ours. */
const partAliases: Readonly<Record<string, string>> = {
  years: "year",
  yr: "year",
  y: "year",
  mon: "month",
  decades: "decade",
  centuries: "century",
  quarters: "quarter",
  months: "month",
  weeks: "week",
  days: "day",
  dayofmonth: "day",
  dayofweek: "dow",
  weekday: "dow",
  dayofyear: "doy",
  weekofyear: "week",
  hours: "hour",
  minutes: "minute",
  seconds: "second",
  milliseconds: "millisecond",
  ms: "millisecond",
  microseconds: "microsecond",
  us: "microsecond",
};

export function partName(name: string): string {
  const lower = name.toLowerCase();
  return partAliases[lower] ?? lower;
}

function isTime(type: IrType | undefined): type is IrType {
  return type?.kind === "date" || type?.kind === "timestamp" || type?.kind === "timestamptz";
}

/** The constant part or unit, and the type it is taken of. */
function constantPart(call: Call): { readonly part: string; readonly of: IrType } | Unsupported {
  const [part, of] = call.args;
  if (part?.node !== "constant" || typeof part.value !== "string") {
    return unsupported(`the first argument of ${call.name} must be a constant such as 'day'`);
  }
  if (!isTime(of?.type))
    return unsupported(`${call.name} of ${of === undefined ? "nothing" : sqlName(of.type)} is not supported`);
  return { part: partName(part.value), of: of.type };
}

/** `date_trunc('unit', x)`: weeks begin on Monday, negative times round down. Of a DATE it is a TIMESTAMP. */
export function bindDateTrunc(call: Call): Kernel | Unsupported {
  const bound = constantPart(call);
  if ("unsupported" in bound) return bound;
  const toDays = dayTruncations[bound.part];
  const clock = clockTruncations[bound.part];
  if (toDays === undefined && clock === undefined)
    return unsupported(`date_trunc('${bound.part}', ...) is not supported`);
  return (columns, length) => {
    const column = argument(columns, 1);
    const read = integerReader(column);
    const ofDate = column.kind === "int32";
    return integerColumn(call.type, length, column.nulls, (row) => {
      const time = read(row);
      if (!isFiniteTime(time, ofDate ? "date" : "timestamp"))
        return ofDate && call.type.kind !== "date" ? timestampOf(time) : time;
      const { days, micros } = ofDate ? { days: Number(time), micros: 0 } : splitMicros(time);
      if (toDays === undefined) {
        // Exactly one of the two tables knows the part: checked above.
        return BigInt(days) * BigInt(MICROS_PER_DAY) + BigInt(micros - (micros % clock!));
      }
      return BigInt(toDays(days, civilFromDays(days))) * BigInt(call.type.kind === "date" ? 1 : MICROS_PER_DAY);
    });
  };
}

/** `date_part('part', x)` and EXTRACT. */
export function bindDatePart(call: Call): Kernel | Unsupported {
  const bound = constantPart(call);
  return "unsupported" in bound ? bound : partKernel(bound.part, bound.of, call.type, 1);
}

/** `year(x)`, `hour(x)` and the like: the function's name is the part. Of an INTERVAL there is `epoch`. */
export function bindNamedPart(call: Call): Kernel | Unsupported {
  const of = call.args[0]?.type;
  if (of?.kind === "interval" && call.name === "epoch") return epochKernel(of, 0);
  return isTime(of)
    ? partKernel(partName(call.name), of, call.type, 0)
    : unsupported(`${call.name} of this type is not supported`);
}

function partKernel(part: string, of: IrType, result: IrType, index: number): Kernel | Unsupported {
  if (part === "epoch") return epochKernel(of, index);
  const ofDay = dayParts[part];
  const ofClock = clockParts[part];
  if (ofDay === undefined && ofClock === undefined) return unsupported(`the date part '${part}' is not supported`);
  return (columns, length) => {
    const column = argument(columns, index);
    const read = integerReader(column);
    const ofDate = column.kind === "int32";
    return integerColumn(result, length, column.nulls, (row) => {
      const time = read(row);
      if (!isFiniteTime(time, ofDate ? "date" : "timestamp")) return null;
      const { days, micros } = ofDate ? { days: Number(time), micros: 0 } : splitMicros(time);
      // As above: one of the two is defined.
      return BigInt(ofDay === undefined ? ofClock!(micros) : ofDay(days, civilFromDays(days)));
    });
  };
}

/** Seconds since the epoch, as DOUBLE; null of an infinite time. */
function epochKernel(of: IrType, index: number): Kernel {
  if (of.kind === "interval") return (columns, length) => intervalEpoch([argument(columns, index)], length);
  return (columns, length) => {
    const column = argument(columns, index);
    const read = integerReader(column);
    const values = new Float64Array(length);
    const nulls = column.nulls?.slice(0, length) ?? new Uint8Array(length);
    for (let row = 0; row < length; row++) {
      if (nulls[row] === 1) continue;
      const time = read(row);
      if (!isFiniteTime(time, of.kind === "date" ? "date" : "timestamp")) nulls[row] = 1;
      else values[row] = of.kind === "date" ? Number(time) * 86_400 : Number(time) / 1_000_000;
    }
    return float64Column(values, nulls.includes(1) ? nulls : undefined);
  };
}
