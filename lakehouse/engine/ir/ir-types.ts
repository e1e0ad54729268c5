import { quoteName } from "../../../schemas/sql-quoting.ts";
import type { ColumnType, Field } from "../columns/column.ts";
import type { IrType } from "./ir.ts";

/** The type of a plan's column that scans a stored column of type `type`. */
export function irTypeOf(type: ColumnType): IrType {
  switch (type.kind) {
    case "timestamp":
      return { kind: "timestamptz" };
    case "list":
      return { kind: "list", item: irTypeOf(type.item.type) };
    case "struct":
      return { kind: "struct", fields: type.fields.map((field) => ({ name: field.name, type: irTypeOf(field.type) })) };
    default:
      return type;
  }
}

/**
 * The stored form of a plan's type. A `hugeint` is held as `decimal(38,0)`, whose 128 bits it may fill further than 38
 * digits, and an `interval` in the same 128 bits (`expressions/intervals.ts`); a `timestamp` like a `timestamptz`. None of
 * them may leave the plan: the compiler refuses them as output.
 */
export function columnTypeOf(type: IrType): ColumnType {
  switch (type.kind) {
    case "hugeint":
    case "interval":
      return { kind: "decimal", precision: 38, scale: 0 };
    case "timestamp":
    case "timestamptz":
      return { kind: "timestamp" };
    case "list":
      return { kind: "list", item: { name: "item", type: columnTypeOf(type.item), nullable: true } };
    case "struct":
      return {
        kind: "struct",
        fields: type.fields.map(
          (field): Field => ({
            name: field.name,
            type: columnTypeOf(field.type),
            nullable: true,
          }),
        ),
      };
    default:
      return type;
  }
}

/** DuckDB's name of the type, as its error messages and DESCRIBE write it. */
export function sqlName(type: IrType): string {
  switch (type.kind) {
    case "bool":
      return "BOOLEAN";
    case "int32":
      return "INTEGER";
    case "int64":
      return "BIGINT";
    case "hugeint":
      return "HUGEINT";
    case "float64":
      return "DOUBLE";
    case "decimal":
      return `DECIMAL(${type.precision},${type.scale})`;
    case "date":
      return "DATE";
    case "timestamp":
      return "TIMESTAMP";
    case "timestamptz":
      return "TIMESTAMP WITH TIME ZONE";
    case "interval":
      return "INTERVAL";
    case "utf8":
      return "VARCHAR";
    case "binary":
      return "BLOB";
    case "list":
      return `${sqlName(type.item)}[]`;
    case "struct":
      return `STRUCT(${type.fields.map((field) => `${quoteName(field.name)} ${sqlName(field.type)}`).join(", ")})`;
  }
}

/** Structural equality; the names of a list's items and nullability do not count. */
export function sameType(a: IrType, b: IrType): boolean {
  return sqlName(a) === sqlName(b);
}

/** Integers of any width and decimals: types whose value is one exact (unscaled) integer. */
export function isExact(type: IrType): boolean {
  return type.kind === "int32" || type.kind === "int64" || type.kind === "hugeint" || type.kind === "decimal";
}

/** Types with one total order and equality that the kernels know: everything but intervals, lists and structs. */
export function isScalar(type: IrType): boolean {
  return type.kind !== "list" && type.kind !== "struct" && type.kind !== "interval";
}
