/** A contract's properties as the rules that admission holds events to. */
import type { FieldRule } from "../../../contracts/contract.ts";
import { heldAtTheDoor, listedTexts } from "./check-values.ts";
import { withoutFormat } from "./formats.ts";
import { maskingOf } from "./masking.ts";
import type { OdcsItem, OdcsProperty } from "./odcs.ts";
import { libraryChecks } from "./odcs-quality.ts";
import { translatePattern } from "./patterns.ts";

export function fieldRule(property: OdcsProperty): FieldRule {
  return {
    ...valueRule(property),
    name: property.name,
    ...(property.items === undefined ? {} : { item: itemRule(property.items) }),
  };
}

function itemRule(item: OdcsItem): FieldRule {
  return { ...valueRule({ ...item, name: item.name ?? "item" }), required: true };
}

function valueRule(property: Omit<OdcsProperty, "items">): FieldRule {
  const options = withoutFormat(property.logicalType, property.logicalTypeOptions ?? {});
  const checks = libraryChecks(property.quality).filter(heldAtTheDoor);
  const accepted = acceptedBy(
    checks.flatMap((check) => check.arguments?.validValues ?? []),
    property,
  );
  const pattern = options.pattern ?? checks.find((check) => check.arguments?.pattern !== undefined)?.arguments?.pattern;
  const masking = maskingOf(property);
  return {
    name: property.name,
    kind: property.logicalType,
    required: property.required ?? false,
    ...(options.minimum === undefined ? {} : { minimum: options.minimum }),
    ...(options.maximum === undefined ? {} : { maximum: options.maximum }),
    ...(options.minLength === undefined ? {} : { minLength: options.minLength }),
    ...(options.maxLength === undefined ? {} : { maxLength: options.maxLength }),
    ...(pattern === undefined ? {} : { pattern: translatePattern(pattern) }),
    ...(options.minItems === undefined ? {} : { minItems: options.minItems }),
    ...(options.maxItems === undefined ? {} : { maxItems: options.maxItems }),
    ...(accepted === undefined ? {} : { accepted }),
    ...(masking === undefined ? {} : { masking }),
    ...(property.examples === undefined ? {} : { examples: property.examples }),
    ...(property.properties === undefined ? {} : { fields: property.properties.map(fieldRule) }),
  };
}

function acceptedBy(values: readonly unknown[], { logicalType }: Pick<OdcsProperty, "logicalType">) {
  const texts = listedTexts(values, logicalType);
  return texts.length === 0 ? undefined : texts;
}
