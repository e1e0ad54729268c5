/** Logical types of two schemas that have one Parsing Canonical Form: the form leaves them out, yet the values depend on them. */
import type { Logical, SchemaNode } from "../../../schemas/canonical/parse.ts";

/**
 * Whether nothing that the foreign schema says of logical types contradicts ours. What it does not say is ours: a schema in its
 * canonical form says nothing, and one that avsc wrote has decimals without their precision.
 */
export function agreesInLogicalTypes(foreign: SchemaNode, ours: SchemaNode): boolean {
  const own = logicalTypesOf(ours);
  return logicalTypesOf(foreign).every((logical, index) => agrees(logical, own[index] ?? null));
}

/** Of every place that may have one, in the order of the schema: schemas of one canonical form have the same places. */
function logicalTypesOf(schema: SchemaNode): (Logical | null)[] {
  switch (schema.kind) {
    case "primitive":
    case "fixed":
      return [schema.logical];
    case "array":
    case "map":
      return logicalTypesOf(schema.values);
    case "union":
      return schema.branches.flatMap(logicalTypesOf);
    case "record":
      return schema.fields.flatMap(({ type }) => logicalTypesOf(type));
    case "reference":
    case "enum":
      return [];
  }
}

function agrees(foreign: Logical | null, ours: Logical | null): boolean {
  if (foreign === null) return true;
  if (foreign.logicalType !== ours?.logicalType) return false;
  // Without its precision a decimal is none (specification 1.12, "Decimal"); without a scale it has scale 0.
  if (foreign.logicalType !== "decimal" || foreign.precision === undefined) return true;
  return foreign.precision === ours.precision && (foreign.scale ?? 0) === (ours.scale ?? 0);
}
