/** What is wrong with one value: the mirror of `checked-scalars.ts`, case by case. Nested values are walked by `describe.ts`. */
import { fitsPrecision } from "../../schemas/decimal.ts";
import { isJsonObject, type Path } from "../../schemas/event-residue.ts";
import { isRawNumber } from "../../schemas/exact-json.ts";
import { parseDate, parseTimestamp } from "../../schemas/time.ts";
import { type ErrorList, STRUCTURE, UNREADABLE, VALUE } from "./error-list.ts";
import { disclose } from "./excerpt.ts";
import {
  acceptedText,
  type Bounds,
  type DecimalPlan,
  type IntegerPlan,
  isKeptMasked,
  lengthOf,
  type TextPlan,
  type ValuePlan,
} from "./plan.ts";
import { fitsType, hasNearestDouble, integerOf, scalarText, unscaledOf } from "./value-forms.ts";

export function describeValue(value: unknown, plan: ValuePlan, path: Path, errors: ErrorList): void {
  if (isKeptMasked(value, plan)) return;
  const mismatch = (expected: string): void => {
    errors.add(
      STRUCTURE,
      "TYPE_MISMATCH",
      path,
      null,
      () => `expected ${expected}, got ${disclose(value, plan.disclosure)}`,
    );
  };
  if (describeShape(value, plan, path, errors, mismatch)) describeAccepted(value, plan, path, errors);
}

type Mismatch = (expected: string) => void;
/** How much of a wrong value a detail may show. */
type Disclosing = Pick<ValuePlan, "disclosure">;

/** Returns whether the value is of its type, so that the accepted values can be judged. */
function describeShape(value: unknown, plan: ValuePlan, path: Path, errors: ErrorList, mismatch: Mismatch): boolean {
  switch (plan.kind) {
    case "string":
      if (typeof value !== "string") break;
      describeText(value, plan, plan.rule, path, errors);
      return true;
    case "integer":
      return describeInteger(value, plan, plan.rule, path, errors, mismatch);
    case "double":
      return describeDouble(value, plan, plan.rule, path, errors, mismatch);
    case "decimal":
      return describeDecimal(value, plan, plan.rule, path, errors, mismatch);
    case "boolean":
      if (typeof value === "boolean") return true;
      break;
    case "date":
      if (typeof value !== "string") break;
      if (parseDate(value) !== undefined) return true;
      badFormat(value, "a calendar date such as 2026-01-31", plan, path, errors);
      return false;
    case "timestamp":
      if (typeof value !== "string") break;
      if (parseTimestamp(value) !== undefined) return true;
      badFormat(value, "an RFC 3339 time such as 2026-01-31T12:00:00.000Z, years 1685 to 2254", plan, path, errors);
      return false;
    case "array": {
      if (!Array.isArray(value)) break;
      const items = value.length;
      if (items < plan.minItems)
        outOfRange(`at least ${plan.minItems} items, got ${items}`, plan, "minItems", path, errors);
      if (items > plan.maxItems)
        outOfRange(`at most ${plan.maxItems} items, got ${items}`, plan, "maxItems", path, errors);
      return true;
    }
    case "record":
      if (isJsonObject(value)) return true;
      break;
  }
  mismatch(EXPECTED[plan.kind]);
  return false;
}

const EXPECTED = {
  string: "a string",
  integer: "an integer",
  double: "a number",
  decimal: "a decimal",
  boolean: "true or false",
  date: "a date as a string",
  timestamp: "a time as a string (RFC 3339)",
  array: "an array",
  record: "an object",
} as const satisfies Record<ValuePlan["kind"], string>;

function badFormat(value: string, expected: string, plan: Disclosing, path: Path, errors: ErrorList): void {
  const detail = () => `expected ${expected}, got ${disclose(value, plan.disclosure)}`;
  errors.add(STRUCTURE, "INVALID_FORMAT", path, null, detail);
}

function outOfRange(
  detail: string,
  plan: { readonly rule: string },
  constraint: string,
  path: Path,
  errors: ErrorList,
): void {
  errors.add(VALUE, "VALUE_OUT_OF_RANGE", path, `${plan.rule}.${constraint}`, () => `expected ${detail}`);
}

function unreadable(value: unknown, expected: string, plan: Disclosing, path: Path, errors: ErrorList): void {
  const detail = () => `expected ${expected}, got ${disclose(value, plan.disclosure)}`;
  errors.add(UNREADABLE, "VALUE_OUT_OF_RANGE", path, null, detail);
}

function describeAccepted(value: unknown, plan: ValuePlan, path: Path, errors: ErrorList): void {
  const { accepted } = plan;
  if (accepted === null || accepted.has(acceptedText(plan.kind, value) ?? "")) return;
  const rule = `${plan.rule}.accepted`;
  errors.add(
    VALUE,
    "INVALID_ENUM",
    path,
    rule,
    () => `expected one of ${[...accepted].join(", ").slice(0, 150)}, got ${disclose(value, plan.disclosure)}`,
  );
}

function describeText(value: string, plan: TextPlan & Disclosing, rule: string, path: Path, errors: ErrorList): void {
  const length = lengthOf(value);
  const { minLength, maxLength, pattern } = plan;
  const invalid = (constraint: string, expected: string): void => {
    errors.add(VALUE, "INVALID_FORMAT", path, `${rule}.${constraint}`, () => `expected ${expected}`);
  };
  if (length < minLength) invalid("minLength", `at least ${minLength} characters, got ${length}`);
  if (length > maxLength) invalid("maxLength", `at most ${maxLength} characters, got ${length}`);
  else if (pattern !== null && !pattern.test(value))
    invalid("pattern", `a match of ${pattern.source}, got ${disclose(value, plan.disclosure)}`);
}

/** Whether a number is beyond 64 bits: with so many digits nobody looks whether it is an integer. */
function isBeyondLongs(value: unknown): boolean {
  const number = isRawNumber(value) ? Number(value.rawJSON) : value;
  return typeof number === "number" && Math.abs(number) >= 2 ** 64;
}

function describeBounds(value: number | bigint, plan: Bounds, rule: string, path: Path, errors: ErrorList): void {
  const { minimum, maximum } = plan;
  if (minimum !== null && value < minimum)
    outOfRange(`at least ${minimum}, got ${value}`, { rule }, "minimum", path, errors);
  if (maximum !== null && value > maximum)
    outOfRange(`at most ${maximum}, got ${value}`, { rule }, "maximum", path, errors);
}

function describeInteger(
  value: unknown,
  plan: IntegerPlan & Disclosing,
  rule: string,
  path: Path,
  errors: ErrorList,
  mismatch: Mismatch,
): boolean {
  const integer = integerOf(value);
  if (integer === undefined && !isBeyondLongs(value)) {
    mismatch(EXPECTED.integer);
    return false;
  }
  if (integer === undefined || !fitsType(integer, plan)) {
    unreadable(value, `an integer from ${plan.lowest} to ${plan.highest} (${plan.typeName})`, plan, path, errors);
    return false;
  }
  describeBounds(integer, plan, rule, path, errors);
  return true;
}

function describeDouble(
  value: unknown,
  plan: Bounds & Disclosing,
  rule: string,
  path: Path,
  errors: ErrorList,
  mismatch: Mismatch,
): boolean {
  const raw = isRawNumber(value);
  if (!raw && typeof value !== "number") {
    mismatch(EXPECTED.double);
    return false;
  }
  if (raw ? !hasNearestDouble(value) : !Number.isFinite(value)) {
    unreadable(value, "a number that a double can hold", plan, path, errors);
    return false;
  }
  describeBounds(raw ? Number(value.rawJSON) : value, plan, rule, path, errors);
  return true;
}

function describeDecimal(
  value: unknown,
  plan: DecimalPlan & Disclosing,
  rule: string,
  path: Path,
  errors: ErrorList,
  mismatch: Mismatch,
): boolean {
  const decimal = `a decimal with at most ${plan.scale} decimals`;
  const digits = `at most ${plan.precision} digits, ${plan.scale} of them decimals`;
  const unscaled = unscaledOf(value, plan);
  if (unscaled === undefined) {
    if (isTooLarge(value, plan)) unreadable(value, digits, plan, path, errors);
    else mismatch(decimal);
    return false;
  }
  if (!fitsPrecision(unscaled, plan.precision)) {
    unreadable(value, digits, plan, path, errors);
    return false;
  }
  const shown = scalarText(value);
  if (plan.least !== null && unscaled < plan.least)
    outOfRange(`at least ${plan.minimum}, got ${shown}`, { rule }, "minimum", path, errors);
  if (plan.most !== null && unscaled > plan.most)
    outOfRange(`at most ${plan.maximum}, got ${shown}`, { rule }, "maximum", path, errors);
  return true;
}

/** Whether a number is too large for the precision, whatever its decimals are. */
function isTooLarge(value: unknown, plan: DecimalPlan): boolean {
  const number = isRawNumber(value) ? Number(value.rawJSON) : value;
  return typeof number === "number" && Math.abs(number) >= 10 ** (plan.precision - plan.scale);
}
