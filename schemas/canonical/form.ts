/**
 * Texts by which schemas are compared. The Parsing Canonical Form (specification 1.12, "Transforming into Parsing Canonical
 * Form") is equal when the bytes are equal; the semantic form also keeps logical types and defaults, because with other ones
 * the same bytes would be other values.
 */
import type { Logical, SchemaNode } from "./parse.ts";

export function parsingCanonicalForm(schema: SchemaNode): string {
  return JSON.stringify(render(schema, false));
}

export function semanticForm(schema: SchemaNode): string {
  return JSON.stringify(render(schema, true));
}

// Object literals below are in the order that the specification fixes: name, type, fields, symbols, items, values, size.
function render(schema: SchemaNode, semantic: boolean): unknown {
  switch (schema.kind) {
    case "primitive":
      return semantic && schema.logical !== null
        ? { type: schema.type, ...logicalMembers(schema.logical) }
        : schema.type;
    case "reference":
      return schema.name;
    case "fixed":
      return {
        name: schema.name,
        type: "fixed",
        size: schema.size,
        ...(semantic && schema.logical !== null ? logicalMembers(schema.logical) : {}),
      };
    case "enum":
      return { name: schema.name, type: "enum", symbols: schema.symbols };
    case "array":
      return { type: "array", items: render(schema.values, semantic) };
    case "map":
      return { type: "map", values: render(schema.values, semantic) };
    case "union":
      return schema.branches.map((branch) => render(branch, semantic));
    case "record":
      return {
        name: schema.name,
        type: "record",
        fields: schema.fields.map((field) => ({
          name: field.name,
          type: render(field.type, semantic),
          ...(semantic && "default" in field ? { default: sorted(field.default) } : {}),
        })),
      };
  }
}

// A decimal without a scale has scale 0 (specification 1.12, "Decimal").
function logicalMembers({ logicalType, precision, scale }: Logical): object {
  return logicalType === "decimal" ? { logicalType, precision, scale: scale ?? 0 } : { logicalType };
}

/** The same value with the members of objects in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}
