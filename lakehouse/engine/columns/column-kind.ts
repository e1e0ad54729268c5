import type { Column, ColumnType } from "./column.ts";

/** The column layout of a kind, such as `ColumnOf<"int64">` for `Int64Column`. */
export type ColumnOf<K extends Column["kind"]> = Extract<Column, { readonly kind: K }>;

function hasKind<K extends Column["kind"]>(column: Column, kind: K): column is ColumnOf<K> {
  return column.kind === kind;
}

/** `column`, narrowed to a layout. Throws a TypeError when it has another: two columns were mixed up, or types disagree. */
export function requireKind<K extends Column["kind"]>(column: Column, kind: K): ColumnOf<K> {
  if (!hasKind(column, kind)) throw new TypeError(`expected a column of kind ${kind}, got ${column.kind}`);
  return column;
}

/** Widest decimal that fits 64 bits: 10^18 - 1 < 2^63. */
export const MAX_INT64_PRECISION = 18;

/** The layout in which values of a logical type are held (the table is in `column.ts`). */
export function layoutOf(type: ColumnType): Column["kind"] {
  switch (type.kind) {
    case "date":
      return "int32";
    case "timestamp":
      return "int64";
    case "decimal":
      return type.precision <= MAX_INT64_PRECISION ? "int64" : "int128";
    case "utf8":
    case "binary":
      return "bytes";
    default:
      return type.kind;
  }
}

/** A type in SQL's notation, for error messages: `decimal(12,2)`, `list<utf8>`, `struct<a int32, b utf8>`. */
export function typeName(type: ColumnType): string {
  switch (type.kind) {
    case "decimal":
      return `decimal(${type.precision},${type.scale})`;
    case "list":
      return `list<${typeName(type.item.type)}>`;
    case "struct":
      return `struct<${type.fields.map((field) => `${field.name} ${typeName(field.type)}`).join(", ")}>`;
    default:
      return type.kind;
  }
}

/** Whether two types are the same, nested names and nullability included; the name of a list's item does not count. */
export function sameType(left: ColumnType, right: ColumnType): boolean {
  if (left.kind === "decimal") {
    return right.kind === "decimal" && left.precision === right.precision && left.scale === right.scale;
  }
  if (left.kind === "list") {
    return (
      right.kind === "list" && left.item.nullable === right.item.nullable && sameType(left.item.type, right.item.type)
    );
  }
  if (left.kind === "struct") {
    return (
      right.kind === "struct" &&
      left.fields.length === right.fields.length &&
      left.fields.every((field, i) => {
        const other = right.fields[i];
        return (
          other !== undefined &&
          field.name === other.name &&
          field.nullable === other.nullable &&
          sameType(field.type, other.type)
        );
      })
    );
  }
  return left.kind === right.kind;
}
