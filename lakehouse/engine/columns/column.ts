/**
 * The in-memory columns that bronze, silver and gold are made of.
 *
 * Arrow's layout with one simplification: a bit per value (booleans, validity) is a byte per value here, because every
 * kernel touches them one by one; the packing happens once, at the Arrow boundary (`lakehouse/engine/parquet/arrow.ts`).
 */

/**
 * One value as JavaScript holds it, exactly, nothing rounded:
 * `bool` boolean; `int32` number; `date` number (days since the epoch); `int64` bigint; `timestamp` bigint (microseconds since the
 * epoch); `float64` number; `decimal` a string with exactly `scale` digits after the point ("12.50", "-0.03"), which is what SQL's
 * cast to text gives; `utf8` string; `binary` Uint8Array (a copy); `list` array; `struct` object by field name; null.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value };

/** A logical type. `timestamp` is microseconds since the epoch, UTC; `date` is days since the epoch. */
export type ColumnType =
  | { readonly kind: "bool" }
  | { readonly kind: "int32" }
  | { readonly kind: "int64" }
  | { readonly kind: "float64" }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "date" }
  | { readonly kind: "timestamp" }
  | { readonly kind: "utf8" }
  | { readonly kind: "binary" }
  | { readonly kind: "list"; readonly item: Field }
  | { readonly kind: "struct"; readonly fields: readonly Field[] };

export interface Field {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** What the field is in rows that were written before it was there (Iceberg's `initial-default`); null if absent. */
  readonly initialDefault?: Value;
}

/** One byte per row, 1 = null; `undefined` when the column holds no null. A null row still occupies its slot in `values`. */
export type Nulls = Uint8Array | undefined;

export interface BoolColumn {
  readonly kind: "bool";
  readonly type: ColumnType;
  readonly length: number;
  readonly nulls: Nulls;
  readonly values: Uint8Array;
}
/** `int32` and `date`. */
export interface Int32Column {
  readonly kind: "int32";
  readonly type: ColumnType;
  readonly length: number;
  readonly nulls: Nulls;
  readonly values: Int32Array;
}
/** `int64`, `timestamp`, and `decimal` of precision up to 18 (the unscaled value). */
export interface Int64Column {
  readonly kind: "int64";
  readonly type: ColumnType;
  readonly length: number;
  readonly nulls: Nulls;
  readonly values: BigInt64Array;
}
/** `decimal` of precision 19 to 38: two little-endian words a value, low word first (Arrow's Decimal128). */
export interface Int128Column {
  readonly kind: "int128";
  readonly type: ColumnType;
  readonly length: number;
  readonly nulls: Nulls;
  readonly values: BigInt64Array;
}
export interface Float64Column {
  readonly kind: "float64";
  readonly type: ColumnType;
  readonly length: number;
  readonly nulls: Nulls;
  readonly values: Float64Array;
}
/** `utf8` and `binary`: value i is `bytes[offsets[i], offsets[i + 1])`. */
export interface BytesColumn {
  readonly kind: "bytes";
  readonly type: ColumnType;
  readonly length: number;
  readonly nulls: Nulls;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}
export interface ListColumn {
  readonly kind: "list";
  readonly type: ColumnType;
  readonly length: number;
  readonly nulls: Nulls;
  readonly offsets: Int32Array;
  readonly item: Column;
}
export interface StructColumn {
  readonly kind: "struct";
  readonly type: ColumnType;
  readonly length: number;
  readonly nulls: Nulls;
  readonly fields: readonly Column[];
}

export type Column =
  | BoolColumn
  | Int32Column
  | Int64Column
  | Int128Column
  | Float64Column
  | BytesColumn
  | ListColumn
  | StructColumn;

/** Rows in columns: `columns[i]` has the type `fields[i].type` and `length` rows. */
export interface Batch {
  readonly fields: readonly Field[];
  readonly columns: readonly Column[];
  readonly length: number;
}
