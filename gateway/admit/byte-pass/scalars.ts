/** The byte pass over one value that is neither an array nor a record. */
import { CANONICAL_MICROS, CANONICAL_MILLIS, canonicalTimestamp, DATE_LENGTH, dateAt } from "../../../schemas/time.ts";
import type { ScalarPlan } from "../plan.ts";
import { isEncodableTime } from "../value-forms.ts";
import { asciiText, standsAt } from "./ascii.ts";
import { FAIL, type Keep, type Leavings, type ReadValue } from "./byte-pass.ts";
import { compileDecimal, compileDouble, compileInteger } from "./numbers.ts";
import { compileText } from "./texts.ts";

const QUOTE = 0x22;

export function compileScalar(plan: ScalarPlan, leavings: Leavings, keep: Keep): ReadValue {
  switch (plan.kind) {
    case "string":
      return compileText(plan, leavings, keep);
    case "integer":
      return compileInteger(plan, leavings, keep);
    case "double":
      return compileDouble(plan, leavings, keep);
    case "decimal":
      return compileDecimal(plan, leavings, keep);
    case "boolean":
      return compileBoolean(leavings);
    case "date":
      return compileDate(leavings, keep);
    case "timestamp":
      return compileTimestamp(plan.eventTime, leavings, keep);
  }
}

const TRUE = new TextEncoder().encode("true");
const FALSE = new TextEncoder().encode("false");

function compileBoolean(leavings: Leavings): ReadValue {
  return function readBoolean({ bytes }, at, output) {
    const value = standsAt(TRUE, bytes, at);
    if (!value && !standsAt(FALSE, bytes, at)) return FAIL;
    output.writeBoolean(value);
    leavings.kept = value;
    return at + (value ? TRUE.length : FALSE.length);
  };
}

function compileDate(leavings: Leavings, keep: Keep): ReadValue {
  return function readDate({ bytes }, at, output) {
    const first = at + 1;
    const end = first + DATE_LENGTH;
    const days = bytes[at] === QUOTE && bytes[end] === QUOTE ? dateAt(bytes, first) : undefined;
    if (days === undefined) return FAIL;
    output.writeLong(days);
    if (keep !== null) leavings.kept = asciiText(bytes, first, end);
    return end + 1;
  };
}

function compileTimestamp(eventTime: boolean, leavings: Leavings, keep: Keep): ReadValue {
  return function readTimestamp({ bytes }, at, output) {
    if (bytes[at] !== QUOTE) return FAIL;
    const first = at + 1;
    const length = bytes[first + CANONICAL_MILLIS] === QUOTE ? CANONICAL_MILLIS : CANONICAL_MICROS;
    const end = first + length;
    const micros = bytes[end] === QUOTE ? canonicalTimestamp(bytes, first, length) : undefined;
    if (!isEncodableTime(micros)) return FAIL;
    if (eventTime) leavings.eventMicros = micros;
    output.writeLong(micros);
    if (keep !== null) leavings.kept = asciiText(bytes, first, end);
    return end + 1;
  };
}
