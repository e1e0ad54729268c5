/** Which partitions a native builder builds: those of models that the edge cannot run, or is not to. */
import { isNativeOnly } from "../../engine/ir/ir.ts";
import { isPartitionOf } from "../../engine/ir/relation.ts";
import { grainOf, type Table } from "../../tables/catalog.ts";

/** Whether all partitions of a table are built natively, but for those that are left from when it was of another grain. */
export function isNativeTable(table: Table | undefined): boolean {
  return table?.kind === "model" && isNativeOnly(table.model);
}

/** Partitions of another grain are empty: no builder is needed for that. */
export function isNativePartition(table: Table | undefined, date: string): boolean {
  return isNativeTable(table) && isPartitionOf(grainOf(table), date);
}
