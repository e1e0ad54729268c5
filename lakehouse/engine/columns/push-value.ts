import { unscaledFromText } from "../../../schemas/decimal.ts";
import type { ColumnBuilder } from "./builder.ts";
import type { Value } from "./value.ts";

/**
 * Appends one value in the form that `valueAt` gives. For constants and defaults: kernels write the arrays. Throws a
 * TypeError when the value is none of the builder's type, a RangeError when it is too large for it.
 */
export function pushValue(builder: ColumnBuilder, value: Value): void {
  if (value === null) {
    builder.pushNull();
    return;
  }
  switch (builder.kind) {
    case "bool":
      if (typeof value !== "boolean") throw mismatch(builder, value);
      builder.push(value);
      break;
    case "int32":
    case "float64":
      if (typeof value !== "number") throw mismatch(builder, value);
      builder.push(value);
      break;
    case "int64":
    case "int128":
      builder.push(integerOf(builder, value));
      break;
    case "bytes":
      if (typeof value === "string") builder.pushString(value);
      else if (value instanceof Uint8Array) builder.pushBytes(value);
      else throw mismatch(builder, value);
      break;
    case "list":
      if (!isList(value)) throw mismatch(builder, value);
      for (const item of value) pushValue(builder.item, item);
      builder.endRow();
      break;
    case "struct": {
      if (!isStruct(value) || builder.type.kind !== "struct") throw mismatch(builder, value);
      const names = builder.type.fields.map((field) => field.name);
      builder.fields.forEach((field, i) => {
        pushValue(field, value[names[i] ?? ""] ?? null);
      });
      builder.endRow();
    }
  }
}

function integerOf(builder: ColumnBuilder, value: Value): bigint {
  if (typeof value === "bigint") return value;
  const { type } = builder;
  const unscaled =
    typeof value === "string" && type.kind === "decimal" ? unscaledFromText(value, type.scale) : undefined;
  if (unscaled === undefined) throw mismatch(builder, value);
  return unscaled;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isStruct(value: Value): value is { readonly [name: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function mismatch(builder: ColumnBuilder, value: Value): TypeError {
  return new TypeError(`a ${typeof value} does not go into a column of ${builder.type.kind}`);
}
