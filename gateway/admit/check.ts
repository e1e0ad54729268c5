/**
 * The fast half of admission: is the event valid, in one pass and without building anything. `describe.ts` says why not,
 * by walking the same plan; a property test holds the two together.
 */
import { fitsPrecision, jsonFromUnscaled, unscaledFromJson } from "../../schemas/decimal.ts";
import { isRawNumber, type RawNumber } from "../../schemas/exact-json.ts";

import { isCanonicalTimestamp, parseDate, parseTimestamp } from "../../schemas/time.ts";
import {
  type ArrayPlan,
  type DecimalPlan,
  fitsLength,
  isCanonicalDecimal,
  isTakenMasked,
  LONG_MAX,
  LONG_MIN,
  type RecordPlan,
  type ValuePlan,
  withinBounds,
} from "./plan.ts";

/** Valid and canonical: encode it as it is. The flags are bits. */
export const CLEAN = 0;
/** Valid, with a value whose typed column would give another form back. */
export const LEXICAL = 1;
/** Has a field that the schema does not know. */
export const UNKNOWN_FIELDS = 2;
/** Not valid: nothing else is known. */
export const INVALID = 4;
/** Valid, with null for optional fields of the event itself: many producers send it so, and nothing else need be looked at. */
export const NULLS = 8;

/** What the check leaves behind for the next steps; overwritten by the next event. */
export interface Scratch {
  /** The event time, microseconds since the epoch. */
  eventMicros: number;
}

/** Returns the flags of a value that is present and not null. */
export type Check = (value: unknown) => number;

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

/** The check of a record, with the place where it leaves the event time. */
export function compileCheck(plan: RecordPlan, scratch: Scratch): Check {
  return compileRecord(plan, scratch, NULLS);
}

/** `onNull` is the flag for an optional field that was sent as null. */
function compileRecord(plan: RecordPlan, scratch: Scratch, onNull: number): Check {
  const fields = plan.fields.map(({ name, required, value }) => ({
    name,
    required,
    check: compileValue(value, scratch),
  }));
  return function checkRecord(value) {
    if (!isRecord(value)) return INVALID;
    let flags = CLEAN;
    let known = 0;
    for (const field of fields) {
      const fieldValue = value[field.name];
      if (fieldValue === undefined || fieldValue === null) {
        if (field.required) return INVALID;
        if (fieldValue === undefined) continue;
        flags |= onNull;
      } else {
        flags |= field.check(fieldValue);
        if (flags & INVALID) return INVALID;
      }
      known++;
    }
    if (known === Object.keys(value).length) return flags;
    // A number kept as text is an object too, and would pass for a record of optional fields.
    return isRawNumber(value) ? INVALID : flags | UNKNOWN_FIELDS;
  };
}

/** Whether a value may be a JSON object. Cheaper than `isJsonObject`: a number kept as text passes too. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function compileValue(plan: ValuePlan, scratch: Scratch): Check {
  const check = compileAccepted(plan, scratch);
  if (plan.kind !== "string" || plan.onMasked === "judge") return check;
  return (value) => (isTakenMasked(value, plan) ? CLEAN : check(value));
}

function compileAccepted(plan: ValuePlan, scratch: Scratch): Check {
  const { accepted } = plan;
  const check = compileShape(plan, scratch);
  if (accepted === null) return check;
  return (value) => {
    const flags = check(value);
    return flags & INVALID || accepted.has(typeof value === "string" ? value : String(value)) ? flags : INVALID;
  };
}

function compileShape(plan: ValuePlan, scratch: Scratch): Check {
  switch (plan.kind) {
    case "string": {
      const { pattern } = plan;
      return (value) =>
        typeof value === "string" && fitsLength(value, plan) && (pattern === null || pattern.test(value))
          ? CLEAN
          : INVALID;
    }
    case "integer": {
      const { lowest, highest } = plan;
      return (value) =>
        typeof value === "number" &&
        Number.isInteger(value) &&
        value >= lowest &&
        value <= highest &&
        withinBounds(value, plan)
          ? CLEAN
          : INVALID;
    }
    case "double":
      return (value) => {
        if (typeof value === "number") return Number.isFinite(value) && withinBounds(value, plan) ? CLEAN : INVALID;
        // LEXICAL sends it to the residue, which puts the nearest double in its place.
        if (!isRawNumber(value) || !hasNearestDouble(value)) return INVALID;
        return withinBounds(Number(value.rawJSON), plan) ? LEXICAL : INVALID;
      };
    case "decimal":
      return (value) => {
        if (typeof value === "number" && isCanonicalDecimal(value, plan)) {
          return withinBounds(value, plan) ? CLEAN : INVALID;
        }
        const unscaled = unscaledOf(value, plan);
        if (unscaled === undefined || !fitsPrecision(unscaled, plan.precision)) return INVALID;
        if (!withinBounds(Number(value), plan)) return INVALID;
        return jsonFromUnscaled(unscaled, plan.scale) === value ? CLEAN : LEXICAL;
      };
    case "boolean":
      return (value) => (typeof value === "boolean" ? CLEAN : INVALID);
    case "date":
      return (value) => (typeof value === "string" && parseDate(value) !== undefined ? CLEAN : INVALID);
    case "timestamp": {
      const { eventTime } = plan;
      return (value) => {
        if (typeof value !== "string") return INVALID;
        const micros = parseTimestamp(value);
        if (!isEncodableTime(micros)) return INVALID;
        if (eventTime) scratch.eventMicros = micros;
        return isCanonicalTimestamp(value) ? CLEAN : LEXICAL;
      };
    }
    case "array":
      return compileArray(plan, scratch);
    case "record":
      return compileRecord(plan, scratch, LEXICAL);
  }
}

function compileArray(plan: ArrayPlan, scratch: Scratch): Check {
  const check = compileValue(plan.item, scratch);
  return (value) => {
    if (!Array.isArray(value) || value.length < plan.minItems || value.length > plan.maxItems) return INVALID;
    let flags = CLEAN;
    for (const item of value) {
      flags |= check(item);
      if (flags & INVALID) return INVALID;
    }
    return flags;
  };
}
