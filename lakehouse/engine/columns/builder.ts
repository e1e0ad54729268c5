import { keepShape } from "../../../schemas/kept-shape.ts";
import { BytesBuilder } from "./bytes-builder.ts";
import type { Batch, ColumnType, Field } from "./column.ts";
import { layoutOf } from "./column-kind.ts";
import { BoolBuilder, Float64Builder, Int32Builder, Int64Builder, Int128Builder } from "./fixed-width-builders.ts";
import { type ColumnBuilder, ListBuilder, StructBuilder } from "./nested-builders.ts";

export { BytesBuilder } from "./bytes-builder.ts";
export { BoolBuilder, Float64Builder, Int32Builder, Int64Builder, Int128Builder } from "./fixed-width-builders.ts";
export { type ColumnBuilder, ListBuilder, StructBuilder } from "./nested-builders.ts";

/** A builder for columns of `type`, nested builders included. No code is generated: it may be called in any handler of a Worker. */
export function createColumnBuilder(type: ColumnType): ColumnBuilder {
  if (type.kind === "list") return new ListBuilder(type, createColumnBuilder(type.item.type));
  if (type.kind === "struct") {
    return new StructBuilder(
      type,
      type.fields.map((field) => createColumnBuilder(field.type)),
    );
  }
  const layout = layoutOf(type);
  switch (layout) {
    case "bool":
      return new BoolBuilder(type);
    case "int32":
      return new Int32Builder(type);
    case "int64":
      return new Int64Builder(type);
    case "int128":
      return new Int128Builder(type);
    case "float64":
      return new Float64Builder(type);
    case "bytes":
      return new BytesBuilder(type);
    case "list":
    case "struct":
      throw new TypeError(`${type.kind} is no ${layout}`); // Unreachable: both were answered above.
  }
}

const LEAVES = [
  { kind: "bool" },
  { kind: "int32" },
  { kind: "int64" },
  { kind: "decimal", precision: 38, scale: 0 },
  { kind: "float64" },
  { kind: "utf8" },
] as const satisfies readonly ColumnType[];

// One builder of each class.
const fields = LEAVES.map((type) => ({ name: type.kind, type, nullable: true }));
keepShape(
  createColumnBuilder({
    kind: "list",
    item: { name: "item", type: { kind: "struct", fields }, nullable: true },
  }),
);

/** Finishes one builder per field into a batch. Throws when the columns are not equally long. */
export function finishBatch(fields: readonly Field[], builders: readonly ColumnBuilder[]): Batch {
  const length = builders[0]?.length ?? 0;
  for (const [i, builder] of builders.entries()) {
    if (builder.length !== length) {
      throw new Error(`column ${fields[i]?.name} has ${builder.length} rows, the first column ${length}`);
    }
  }
  return { fields, columns: builders.map((builder) => builder.finish()), length };
}
