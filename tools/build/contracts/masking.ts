/**
 * The masking of a contract's fields: a personal `classification` (`pii`) and the property's own `customProperties` entry
 * `masking`. The two go together: personal data without a masking would be stored in the clear, a masking without the class
 * is a slip.
 */
import type { Check, Contract, Masking } from "../../../contracts/contract.ts";
import { isPersonal } from "./classification.ts";
import type { OdcsItem, OdcsProperty } from "./odcs.ts";

const MASKINGS: readonly Masking[] = ["hmac", "redact", "email"];

/** What the property says its masking is, if that is a masking. */
export function maskingOf(property: Pick<OdcsProperty, "customProperties">): Masking | undefined {
  const value = statedMasking(property);
  return MASKINGS.find((masking) => masking === value);
}

function statedMasking(property: Pick<OdcsProperty, "customProperties">): unknown {
  return property.customProperties?.find((entry) => entry.property === "masking")?.value;
}

type Report = (path: readonly PropertyKey[], message: string) => void;

/** Reports every field whose masking is missing, unknown or impossible, and every check that masked values cannot answer. */
export function checkMasking(contract: Contract, properties: readonly OdcsProperty[], report: Report): void {
  const at = ["schema", 0, "properties"];
  properties.forEach((property, index) => {
    checkProperty(property, [...at, index], report);
    checkUses(contract, property, [...at, index], report);
  });
}

function checkProperty(property: OdcsProperty | OdcsItem, path: readonly PropertyKey[], report: Report): void {
  const name = property.name ?? "items";
  const stated = statedMasking(property);
  const masking = maskingOf(property);
  const personal = isPersonal(property.classification);
  const choices = MASKINGS.join(", ");
  const misspelt = property.customProperties?.find(
    (entry) => entry.property !== "masking" && entry.property.toLowerCase() === "masking",
  );
  if (misspelt !== undefined) report(path, `"${name}" has the custom property ${misspelt.property}: write masking`);
  if (stated !== undefined && masking === undefined) {
    report(path, `"${name}" has the masking ${JSON.stringify(stated)}; it is one of ${choices}`);
  }
  if (personal && stated === undefined) {
    const fix = `add customProperties: [{ property: masking, value: hmac }] (or another of ${choices})`;
    report(
      path,
      `"${name}" is classified ${property.classification} but has no masking and would be stored in the clear: ${fix}`,
    );
  }
  if (!personal && stated !== undefined) {
    report(
      path,
      `"${name}" has a masking but is not classification: pii; add the classification or remove the masking`,
    );
  }
  if ((personal || stated !== undefined) && property.logicalType !== "string") {
    const fix = "classify the text fields inside it, or send it as a string";
    report(path, `"${name}" is ${property.logicalType}; only a string can be masked: ${fix}`);
  }
  if ("items" in property && property.items !== undefined) checkProperty(property.items, [...path, "items"], report);
  property.properties?.forEach((inner, index) => {
    checkProperty(inner, [...path, "properties", index], report);
  });
}

/** What the platform itself does with a top-level field: keys must keep values apart, checks measure what is stored. */
function checkUses(contract: Contract, property: OdcsProperty, path: readonly PropertyKey[], report: Report): void {
  const masking = maskingOf(property);
  if (masking === undefined) return;
  const { name } = property;
  const uses = Object.entries({ dedupeKey: contract.dedupeKey, shardKey: contract.shardKey }).filter(([, fields]) =>
    fields.includes(name),
  );
  for (const [use] of uses) {
    if (masking !== "hmac") report(path, `"${name}" is part of ${use}, so its masking must be hmac, not ${masking}`);
  }
  for (const check of contract.checks) {
    if (check.metric === "sql" || check.layer === "gold") continue;
    if (!check.columns.includes(name) || isMeasurable(check, masking)) continue;
    const fix = "of a masked field only nullValues (and, but for redact, duplicateValues) can be measured";
    report(
      path,
      `check "${check.name}" measures ${check.metric} of "${name}", which is stored masked (${masking}): ${fix}`,
    );
  }
}

function isMeasurable(check: Check, masking: Masking): boolean {
  return (
    check.metric === "nullValues" ||
    check.metric === "rowCount" ||
    (check.metric === "duplicateValues" && masking !== "redact")
  );
}
