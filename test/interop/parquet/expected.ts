/** Rows and their types as JSON, in one form for every value: what `read.py` makes of what a reader gives, and compares. */
import type { ColumnType, Field } from "../../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../../lakehouse/engine/columns/value.ts";

export type Json = null | boolean | string | readonly Json[] | { readonly [name: string]: Json };

/** `{name, kind}`, with `scale` for a decimal, `item` for a list and `fields` for a struct. */
export function fieldJson({ name, type }: Field): Json {
  if (type.kind === "list") return { name, kind: "list", item: fieldJson(type.item) };
  if (type.kind === "struct") return { name, kind: "struct", fields: type.fields.map(fieldJson) };
  if (type.kind === "decimal") return { name, kind: "decimal", scale: String(type.scale) };
  return { name, kind: type.kind };
}

/**
 * Numbers as texts, since JSON's would round them: integers, dates (days) and times (microseconds) in digits, decimals with all of
 * their scale, doubles as the hexadecimal bits. Bytes are hexadecimal too.
 */
export function valueJson(type: ColumnType, value: Value): Json {
  if (value === null || typeof value === "boolean") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (type.kind === "list" && Array.isArray(value)) return value.map((item: Value) => valueJson(type.item.type, item));
  if (type.kind === "struct" && typeof value === "object" && !Array.isArray(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(
      type.fields.map((field) => [
        field.name,
        valueJson(field.type, entries.find(([name]) => name === field.name)?.[1] ?? null),
      ]),
    );
  }
  if (type.kind === "float64" && typeof value === "number") {
    const bits = Buffer.alloc(8);
    bits.writeDoubleBE(value);
    return bits.toString("hex");
  }
  return String(value);
}
