/**
 * Which of a row group's columns of doubles hold a NaN. Writers leave it out of a column's bounds, so bounds beside a NaN are wrong
 * for every engine to which NaN is the greatest value (DuckDB, Spark, Iceberg): looking for what is above the maximum, it would skip
 * the row group. So parquet.thrift has no bounds there.
 */
import type { Batch, Column, Field } from "../columns/column.ts";

/** By their number among the leaves of the schema, depth first. A value under a null may count as well. */
export function leavesWithNaN(fields: readonly Field[], batches: readonly Batch[]): ReadonlySet<number> {
  const found = new Set<number>();
  let leaf = 0;
  for (const [i, field] of fields.entries()) {
    const first = leaf;
    leaf += leavesOf(field);
    if (!hasDouble(field)) continue;
    for (const { columns } of batches) {
      const column = columns[i];
      if (column !== undefined) visit(column, first, 0, column.length, found);
    }
  }
  return found;
}

function leavesOf({ type }: Field): number {
  if (type.kind === "list") return leavesOf(type.item);
  return type.kind === "struct" ? type.fields.reduce((sum, field) => sum + leavesOf(field), 0) : 1;
}

function hasDouble({ type }: Field): boolean {
  if (type.kind === "list") return hasDouble(type.item);
  return type.kind === "struct" ? type.fields.some(hasDouble) : type.kind === "float64";
}

/** Looks through rows `[from, to)` of a column whose first leaf is `leaf`; gives the leaf after its last. */
function visit(column: Column, leaf: number, from: number, to: number, found: Set<number>): number {
  switch (column.kind) {
    case "float64":
      if (!found.has(leaf) && hasNaN(column.values, from, to)) found.add(leaf);
      return leaf + 1;
    case "list":
      // A column has length + 1 offsets.
      return visit(column.item, leaf, column.offsets[from]!, column.offsets[to]!, found);
    case "struct":
      return column.fields.reduce((next, field) => visit(field, next, from, to, found), leaf);
    default:
      return leaf + 1;
  }
}

function hasNaN(values: Float64Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (Number.isNaN(values[i])) return true;
  return false;
}
