/** Rows of bronze by their date. */

import type { Contract } from "../../contracts/contract.ts";
import type { Batch } from "../engine/columns/column.ts";
import { gatherBatch } from "../engine/columns/gather.ts";
import { columnNamed } from "../engine/columns/named-columns.ts";

/** The date of each row, days since the epoch. */
export function dayColumn(contract: Contract, batch: Batch): Int32Array {
  const column = columnNamed(batch, contract.partition.column);
  if (column?.kind !== "int32") throw new TypeError(`bronze has no date column ${contract.partition.column}`);
  return column.values;
}

/** The rows in the order of their dates, each date's in their own. */
export function byDay(contract: Contract, batch: Batch): Batch {
  const days = dayColumn(contract, batch);
  const order = Int32Array.from({ length: batch.length }, (_, row) => row).sort(
    (a, b) => (days[a] ?? 0) - (days[b] ?? 0) || a - b,
  );
  return gatherBatch(batch, order);
}
