import type { BytesBuilder } from "./bytes-builder.ts";
import type { Column, ColumnType, ListColumn, StructColumn } from "./column.ts";
import { requireKind } from "./column-kind.ts";
import type { BoolBuilder, Float64Builder, Int32Builder, Int64Builder, Int128Builder } from "./fixed-width-builders.ts";
import { grownCapacity, INITIAL_CAPACITY, NullMarks } from "./growth.ts";

/**
 * A growable column, one class per layout of `column.ts`; narrow on `kind`. `length` is the rows pushed, `byteLength` the bytes
 * that they will take in the finished column (nested columns included). `appendFrom` copies one row of a column of the same
 * type. `finish` gives the column with exact-length arrays, and leaves the builder empty, ready for the next.
 */
export type ColumnBuilder =
  | BoolBuilder
  | Int32Builder
  | Int64Builder
  | Int128Builder
  | Float64Builder
  | BytesBuilder
  | ListBuilder
  | StructBuilder;

/** Builds a `list` column: push the items of a row into `item`, then call `endRow()`. */
export class ListBuilder {
  readonly kind = "list";
  readonly type: ColumnType;
  readonly item: ColumnBuilder;
  length = 0;
  #offsets = new Int32Array(INITIAL_CAPACITY);
  readonly #nulls = new NullMarks();

  constructor(type: ColumnType, item: ColumnBuilder) {
    this.type = type;
    this.item = item;
  }

  get byteLength(): number {
    return (this.length + 1) * 4 + this.#nulls.byteLength(this.length) + this.item.byteLength;
  }

  /** Ends a row that holds the items pushed since the row before. */
  endRow(): void {
    const row = this.length + 1;
    if (row === this.#offsets.length) {
      const grown = new Int32Array(grownCapacity(row, row + 1));
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    this.#offsets[row] = this.item.length;
    this.length = row;
  }

  /** Throws when items were pushed that belong to no row. */
  pushNull(): void {
    if (this.item.length !== this.#offsets[this.length]) throw new Error("a null list cannot have items");
    this.#nulls.mark(this.length);
    this.endRow();
  }

  appendFrom(column: Column, index: number): void {
    const source = requireKind(column, "list");
    if (source.nulls?.[index] === 1) {
      this.pushNull();
      return;
    }
    // A column has length + 1 offsets.
    const end = source.offsets[index + 1]!;
    for (let i = source.offsets[index]!; i < end; i++) this.item.appendFrom(source.item, i);
    this.endRow();
  }

  finish(): ListColumn {
    const { type, length } = this;
    if (this.item.length !== this.#offsets[length]) throw new Error("items were pushed after the last endRow()");
    const offsets = this.#offsets.slice(0, length + 1);
    const nulls = this.#nulls.take(length);
    const item = this.item.finish();
    this.length = 0;
    return { kind: "list", type, length, nulls, offsets, item };
  }
}

/** Builds a `struct` column: push one value into each of `fields` (in the type's order), then call `endRow()`. */
export class StructBuilder {
  readonly kind = "struct";
  readonly type: ColumnType;
  readonly fields: readonly ColumnBuilder[];
  length = 0;
  readonly #nulls = new NullMarks();

  constructor(type: ColumnType, fields: readonly ColumnBuilder[]) {
    this.type = type;
    this.fields = fields;
  }

  get byteLength(): number {
    let total = this.#nulls.byteLength(this.length);
    for (const field of this.fields) total += field.byteLength;
    return total;
  }

  /** Throws when a field did not get exactly one value for this row. */
  endRow(): void {
    const rows = this.length + 1;
    for (let i = 0; i < this.fields.length; i++) {
      // i is within fields.
      const field = this.fields[i]!;
      if (field.length !== rows) throw new Error(`field ${i} of a struct has ${field.length} rows, not ${rows}`);
    }
    this.length = rows;
  }

  /** A null struct holds a null in every field, so that all children stay as long as the struct. */
  pushNull(): void {
    for (const field of this.fields) field.pushNull();
    this.#nulls.mark(this.length);
    this.endRow();
  }

  appendFrom(column: Column, index: number): void {
    const source = requireKind(column, "struct");
    if (source.nulls?.[index] === 1) {
      this.pushNull();
      return;
    }
    if (source.fields.length !== this.fields.length) {
      throw new TypeError(`expected a struct of ${this.fields.length} fields, got ${source.fields.length}`);
    }
    // Both have the same number of fields.
    for (let i = 0; i < this.fields.length; i++) this.fields[i]!.appendFrom(source.fields[i]!, index);
    this.endRow();
  }

  finish(): StructColumn {
    const { type, length } = this;
    const nulls = this.#nulls.take(length);
    const fields = this.fields.map((field) => field.finish());
    this.length = 0;
    return { kind: "struct", type, length, nulls, fields };
  }
}
