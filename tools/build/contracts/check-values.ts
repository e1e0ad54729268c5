/** The values that a library check names: what they are compared as, and which checks are rules of admission too. */
import { type ComparedAs, valueText } from "../../../contracts/value-text.ts";
import type { OdcsProperty } from "./odcs.ts";
import type { OdcsLibraryCheck } from "./odcs-quality.ts";

/**
 * Whether a check under a field is also a rule of admission: of invalid values, with no tolerance, that blocks. With a
 * tolerance (`mustBeLessOrEqualTo: 5`) or another `onFail` the contract says that such values may come.
 */
export function heldAtTheDoor(check: OdcsLibraryCheck): boolean {
  if (check.metric !== "invalidValues") return false;
  const custom = new Map((check.customProperties ?? []).map(({ property, value }) => [property, value]));
  if ((custom.get("onFail") ?? "block") !== "block" || custom.get("layer") === "gold") return false;
  const rows = check.unit !== "percent";
  return (
    check.mustBe === 0 ||
    (check.mustBeLessOrEqualTo !== undefined && check.mustBeLessOrEqualTo < (rows ? 1 : Number.MIN_VALUE)) ||
    (rows && check.mustBeLessThan !== undefined && check.mustBeLessThan <= 1)
  );
}

const COMPARED_AS: Readonly<Record<OdcsProperty["logicalType"], ComparedAs | undefined>> = {
  string: "text",
  integer: "number",
  number: "number",
  boolean: "boolean",
  date: "date",
  timestamp: "timestamp",
  array: undefined,
  object: undefined,
};

/** The values of a list as texts, each once. Null is left out: it is never invalid, and always missing. */
export function listedTexts(values: readonly unknown[], type: OdcsProperty["logicalType"] | undefined): string[] {
  const as = type === undefined ? undefined : COMPARED_AS[type];
  const texts = values.flatMap((value) =>
    value === null ? [] : [(as === undefined ? undefined : valueText(as, value)) ?? String(value)],
  );
  return [...new Set(texts)];
}

/** What is wrong with a value of a list for a field of this type; undefined if it can be a value of it. */
export function valueProblem(value: unknown, type: OdcsProperty["logicalType"]): string | undefined {
  const as = COMPARED_AS[type];
  if (value === null || as === undefined) return undefined;
  if (type === "string" && typeof value !== "string") return `${value} is no text: write it in quotes`;
  if (type === "integer" && typeof value === "number" && !Number.isSafeInteger(value) && Number.isInteger(value))
    return `${value} has lost digits in YAML: write it in quotes`;
  return valueText(as, value) === undefined ? `${JSON.stringify(value)} is no ${type}` : undefined;
}
