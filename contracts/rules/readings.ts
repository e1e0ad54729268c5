/** A field's JSON as a value of a rule. The event has passed its schema: what is not of the type is a defect, and a failure. */
import { unscaledFromJson } from "../../schemas/decimal.ts";
import { isRawNumber } from "../../schemas/exact-json.ts";
import { parseDate, parseTimestamp } from "../../schemas/time.ts";
import { RuleFailure } from "./failure.ts";
import { type Int, intOf } from "./integers.ts";
import type { Reading } from "./program.ts";

export type Read = (value: unknown, text: string) => unknown;

const MICROS_PER_DAY = 86_400_000_000;

export function readingOf(reading: Reading): Read {
  if (typeof reading === "object") return listReading(readingOf(reading.items), reading.items);
  switch (reading) {
    case "int":
      return readInt;
    case "double":
      return readDouble;
    case "timestamp":
      return readTimestamp;
    case "date":
      return readDate;
    case "bool":
      return (value, text) => (typeof value === "boolean" ? value : mismatch(text, "truth value"));
    case "string":
      return (value, text) => (typeof value === "string" ? value : mismatch(text, "text"));
    case "record":
      return (value, text) => (typeof value === "object" && value !== null ? value : mismatch(text, "object"));
  }
}

/** Items that are what their JSON is stay in the event's own array. */
function listReading(read: Read, items: Reading): Read {
  const isPlain = items === "string" || items === "bool" || items === "record";
  return (value, text) => {
    if (!Array.isArray(value)) return mismatch(text, "list");
    return isPlain ? value : value.map((item: unknown) => read(item, text));
  };
}

function readInt(value: unknown, text: string): Int {
  if (typeof value === "number" && Number.isInteger(value))
    return Number.isSafeInteger(value) ? value + 0 : intOf(BigInt(value));
  const integer = isRawNumber(value) ? unscaledFromJson(value, 0) : undefined;
  return integer === undefined ? mismatch(text, "integer") : intOf(integer);
}

/** Decimals too, which may be sent as texts: a rule computes with their nearest doubles. */
function readDouble(value: unknown, text: string): number {
  if (typeof value === "number") return value;
  const number = isRawNumber(value) ? Number(value.rawJSON) : typeof value === "string" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : mismatch(text, "number");
}

function readTimestamp(value: unknown, text: string): number {
  const time = typeof value === "string" ? parseTimestamp(value) : undefined;
  return time ?? mismatch(text, "time");
}

function readDate(value: unknown, text: string): number {
  const days = typeof value === "string" ? parseDate(value) : undefined;
  return days === undefined ? mismatch(text, "date") : days * MICROS_PER_DAY;
}

function mismatch(text: string, what: string): never {
  throw new RuleFailure(`${text} is no ${what}`, true);
}
