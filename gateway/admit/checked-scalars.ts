/** The fast pass over one value that is neither an array nor a record: a closure per kind of field, each with what its kind needs and nothing else. */
import { fitsPrecision, isExactUnscaled, jsonFromUnscaled } from "../../schemas/decimal.ts";
import { isExtremeNumber, isRawNumber } from "../../schemas/exact-json.ts";
import { isCanonicalTimestamp, parseCanonicalTimestamp, parseDate, parseTimestamp } from "../../schemas/time.ts";
import { CLEAN, EXTREME, INVALID, LEXICAL, type Scratch, type WriteChecked } from "./fast-pass.ts";
import {
  type DecimalPlan,
  fitsLength,
  type IntegerPlan,
  isKeptMasked,
  type ScalarPlan,
  type TextPlan,
  withinBounds,
} from "./plan.ts";
import { compileTextSet } from "./text-set.ts";
import {
  fitsType,
  hasNearestDouble,
  integerOf,
  isCanonicalInteger,
  isWithinDecimalBounds,
  unscaledOf,
} from "./value-forms.ts";

export function compileScalar(plan: ScalarPlan, scratch: Scratch): WriteChecked {
  switch (plan.kind) {
    case "string":
      if (plan.masking === null) return textWriter(plan);
      return plan.onMasked === "keep" ? keptTextWriter(plan, scratch) : maskedTextWriter(plan, scratch);
    case "integer":
      return integerWriter(plan);
    case "double":
      return function writeDouble(value, output) {
        if (typeof value === "number") {
          if (!Number.isFinite(value) || !withinBounds(value, plan)) return INVALID;
          output.writeDouble(value);
          return isExtremeNumber(value) ? EXTREME : CLEAN;
        }
        if (!isRawNumber(value) || !hasNearestDouble(value)) return INVALID;
        const nearest = Number(value.rawJSON);
        if (!withinBounds(nearest, plan)) return INVALID;
        output.writeDouble(nearest);
        return LEXICAL;
      };
    case "decimal":
      return decimalWriter(plan);
    case "boolean":
      return function writeBoolean(value, output) {
        if (typeof value !== "boolean") return INVALID;
        output.writeBoolean(value);
        return CLEAN;
      };
    case "date":
      return function writeDate(value, output) {
        const days = typeof value === "string" ? parseDate(value) : undefined;
        if (days === undefined) return INVALID;
        output.writeLong(days);
        return CLEAN;
      };
    case "timestamp":
      return timestampWriter(plan.eventTime, scratch);
  }
}

function textWriter(plan: TextPlan & Pick<ScalarPlan, "accepted">): WriteChecked {
  const { pattern } = plan;
  const isAccepted = plan.accepted === null ? null : compileTextSet(plan.accepted);
  return function writeText(value, output) {
    if (typeof value !== "string" || !fitsLength(value, plan)) return INVALID;
    if (isAccepted !== null && !isAccepted(value)) return INVALID;
    if (pattern !== null && !pattern.test(value)) return INVALID;
    output.writeString(value);
    return CLEAN;
  };
}

function maskedTextWriter(plan: TextPlan & Pick<ScalarPlan, "accepted" | "rule">, scratch: Scratch): WriteChecked {
  const { masking, pattern, accepted, rule } = plan;
  return function writeMasked(value, output) {
    if (typeof value !== "string" || !fitsLength(value, plan) || masking === null) return INVALID;
    if (accepted !== null && !accepted.has(value)) return INVALID;
    if (pattern !== null && !pattern.test(value)) return INVALID;
    if (scratch.masker === null) throw new Error(`${rule}: a masked field needs keys`);
    output.writeString(scratch.masker.mask(masking, value));
    return CLEAN;
  };
}

/** Of a replay: a value that stands masked was judged when it was clear. */
function keptTextWriter(plan: Extract<ScalarPlan, { readonly kind: "string" }>, scratch: Scratch): WriteChecked {
  const writeMasked = maskedTextWriter(plan, scratch);
  return function writeKept(value, output) {
    if (typeof value !== "string" || !isKeptMasked(value, plan)) return writeMasked(value, output);
    output.writeString(value);
    return CLEAN;
  };
}

/** The integers that `AvroOutput.writeLong` writes exactly. */
const NARROW_MIN = -(2 ** 52);
const NARROW_MAX = Number.MAX_SAFE_INTEGER;

function integerWriter(plan: IntegerPlan): WriteChecked {
  const least = Math.max(NARROW_MIN, Number(plan.lowest), plan.minimum ?? NARROW_MIN);
  const most = Math.min(NARROW_MAX, Number(plan.highest), plan.maximum ?? NARROW_MAX);
  return function writeInteger(value, output) {
    if (typeof value === "number" && value >= least && value <= most && Number.isInteger(value)) {
      output.writeLong(value);
      return value === 0 ? EXTREME : CLEAN;
    }
    const integer = integerOf(value);
    if (integer === undefined || !fitsType(integer, plan) || !withinBounds(integer, plan)) return INVALID;
    output.writeWideLong(integer);
    return isCanonicalInteger(value, integer) ? CLEAN : LEXICAL;
  };
}

function decimalWriter(plan: DecimalPlan): WriteChecked {
  const { factor, largest, precision, scale } = plan;
  return function writeDecimal(value, output) {
    if (typeof value === "number") {
      const unscaled = Math.round(value * factor);
      // Without BigInt, and exact: below the limit no digit was lost to a double.
      if (unscaled / factor === value && Math.abs(unscaled) <= largest && isExactUnscaled(unscaled, scale)) {
        if (!withinBounds(value, plan)) return INVALID;
        output.writeUnscaled(unscaled);
        return value === 0 ? EXTREME : CLEAN;
      }
    }
    const unscaled = unscaledOf(value, plan);
    if (unscaled === undefined || !fitsPrecision(unscaled, precision)) return INVALID;
    if (!isWithinDecimalBounds(unscaled, plan)) return INVALID;
    output.writeWideUnscaled(unscaled);
    return jsonFromUnscaled(unscaled, scale) === value ? CLEAN : LEXICAL;
  };
}

function timestampWriter(eventTime: boolean, scratch: Scratch): WriteChecked {
  return function writeTimestamp(value, output) {
    if (typeof value !== "string") return INVALID;
    const canonical = parseCanonicalTimestamp(value);
    const micros = canonical ?? parseTimestamp(value);
    if (micros === undefined) return INVALID;
    if (eventTime) scratch.eventMicros = micros;
    if (micros >= NARROW_MIN) output.writeLong(micros);
    else output.writeWideLong(BigInt(micros));
    return canonical !== undefined || isCanonicalTimestamp(value) ? CLEAN : LEXICAL;
  };
}
