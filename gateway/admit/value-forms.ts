/** Which forms of a JSON value a field takes, where that is more than its type: asked by the fast pass and by the description of errors. */
import { unscaledFromJson } from "../../schemas/decimal.ts";
import { isRawNumber, type RawNumber } from "../../schemas/exact-json.ts";
import type { DecimalPlan, IntegerPlan } from "./plan.ts";

/** Precision is at most 38 and scale at most 38: a longer text is padding, and BigInt's parsing is not linear. */
const MAX_DECIMAL_TEXT = 128;

/** Whether a number kept as text may stand in a double field, as its nearest double: a fraction, and not beyond the doubles. */
export function hasNearestDouble(raw: RawNumber): boolean {
  return /[.eE]/.test(raw.rawJSON) && Number.isFinite(Number(raw.rawJSON));
}

/** The unscaled integer of a decimal field's value, or undefined if it is no decimal text or number of this scale. */
export function unscaledOf(value: unknown, plan: DecimalPlan): bigint | undefined {
  if (typeof value === "string" && value.length > MAX_DECIMAL_TEXT) return undefined;
  return unscaledFromJson(value, plan.scale);
}

/** Whether an unscaled integer is within the field's bounds. */
export function isWithinDecimalBounds(unscaled: bigint, { least, most }: DecimalPlan): boolean {
  return (least === null || unscaled >= least) && (most === null || unscaled <= most);
}

/** The integer that a JSON number denotes, whatever its size and however it is written; undefined if it is none. */
export function integerOf(value: unknown): bigint | undefined {
  return typeof value === "number" || isRawNumber(value) ? unscaledFromJson(value, 0) : undefined;
}

/** Whether an integer is in the range of the field's Avro type. */
export function fitsType(integer: bigint, { lowest, highest }: IntegerPlan): boolean {
  return integer >= lowest && integer <= highest;
}

/** A scalar as text; of a number kept as text, its digits. */
export function scalarText(value: unknown): string {
  return isRawNumber(value) ? value.rawJSON : String(value);
}

/** Whether `jsonFromInteger` gives the integer back as it was sent. */
export function isCanonicalInteger(value: unknown, integer: bigint): boolean {
  return !isRawNumber(value) || value.rawJSON === String(integer);
}

/** Whether a value may be a JSON object. Cheaper than `isJsonObject`: a number kept as text passes too. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
