/** Reading the rows of a file to write them again: as the table has them today, and no column of them may be lost. */
import type { Batch, Field } from "../engine/columns/column.ts";
import { conform } from "../engine/columns/conform.ts";
import { openParquet, type RangeSource } from "../engine/parquet/reader.ts";
import type { WasmPermit } from "../engine/parquet/wasm.ts";

/** A file has columns that this deploy does not know: to rewrite it would lose them. */
export class UnknownColumnsError extends Error {
  override readonly name = "UnknownColumnsError";
}

/** With exactly `fields`. `transient` as of `ParquetReadOptions`. Throws `UnknownColumnsError`, and what reading throws. */
export async function* knownRows(
  permit: WasmPermit,
  source: RangeSource,
  fields: readonly Field[],
  transient = false,
): AsyncGenerator<Batch, void, undefined> {
  const parquet = await openParquet(source);
  const unknown = unknownFields(parquet.schema(permit), fields);
  if (unknown.length > 0)
    throw new UnknownColumnsError(`${source.name} has columns that this deploy does not know: ${unknown.join(", ")}`);
  for await (const batch of parquet.read(permit, { transient })) yield conform(batch, fields);
}

/** Names of fields, dotted when nested, that `known` does not have. */
function unknownFields(own: readonly Field[], known: readonly Field[], path = ""): string[] {
  return own.flatMap(({ name, type }) => {
    const other = known.find((field) => field.name === name);
    if (other === undefined) return [`${path}${name}`];
    const inner = type.kind === "list" ? type.item.type : type;
    const otherInner = other.type.kind === "list" ? other.type.item.type : other.type;
    if (inner.kind !== "struct" || otherInner.kind !== "struct") return [];
    return unknownFields(inner.fields, otherInner.fields, `${path}${name}.`);
  });
}
