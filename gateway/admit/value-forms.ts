/** Which forms of a JSON value a field takes, where that is more than its type: asked by the fast pass and by the description of errors. */
import { unscaledFromJson } from "../../schemas/decimal.ts";
import type { RawNumber } from "../../schemas/exact-json.ts";
import { type DecimalPlan, LONG_MAX, LONG_MIN } from "./plan.ts";

/** Precision is at most 38 and scale at most 18: a longer text is padding, and BigInt's parsing is not linear. */
const MAX_DECIMAL_TEXT = 64;

/** Whether a time can be written as an Avro long. */
export function isEncodableTime(micros: number | undefined): micros is number {
  return micros !== undefined && micros <= LONG_MAX && micros >= LONG_MIN;
}

/** Whether a number kept as text may stand in a double field, as its nearest double: a fraction, and not beyond the doubles. */
export function hasNearestDouble(raw: RawNumber): boolean {
  return /[.eE]/.test(raw.rawJSON) && Number.isFinite(Number(raw.rawJSON));
}

/** The unscaled integer of a decimal field's value, or undefined if it is no decimal text or number of this scale. */
export function unscaledOf(value: unknown, plan: DecimalPlan): bigint | undefined {
  if (typeof value === "string" && value.length > MAX_DECIMAL_TEXT) return undefined;
  return unscaledFromJson(value, plan.scale);
}

/** Whether a value may be a JSON object. Cheaper than `isJsonObject`: a number kept as text passes too. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
