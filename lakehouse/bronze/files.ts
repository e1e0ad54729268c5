/** How the rows of a flush are laid into files: one per date, and one for all the rare dates together. */
import type { Contract } from "../../contracts/contract.ts";
import type { Batch } from "../columns/column.ts";
import { gatherBatch } from "../columns/gather.ts";
import { type FlushName, mixedKey, partitionKey } from "./table.ts";

/** A date with fewer rows than this shares a file with the other rare ones, so that a storm of old dates makes few files (PROTOCOLS 2). */
export const RARE_DATE_ROWS = 1_000;

/** The rows of one date inside a file: [firstRow, firstRow + rows). */
export interface FileDate {
  readonly day: number;
  readonly firstRow: number;
  readonly rows: number;
}

export interface PlannedFile {
  readonly key: string;
  readonly dates: readonly FileDate[];
  readonly rows: Batch;
}

/** Lays out a flush. Rows keep their order within a date; a flush of one date is one file in the hive path, however small. */
export function planFiles(contract: Contract, flush: FlushName, batch: Batch): PlannedFile[] {
  const days = rowsByDay(contract, batch);
  const ordered = [...days].sort(([a], [b]) => a - b);
  const only = ordered.length === 1;
  const rare = only ? [] : ordered.filter(([, rows]) => rows.length < RARE_DATE_ROWS);
  const own = only ? ordered : ordered.filter(([, rows]) => rows.length >= RARE_DATE_ROWS);
  // A single rare date needs no shared file: its own one costs the same and stands where readers look first.
  if (rare.length === 1) own.push(...rare.splice(0));

  const files: PlannedFile[] = own.map(([day, rows]) => ({
    key: partitionKey(contract, day, flush),
    dates: [{ day, firstRow: 0, rows: rows.length }],
    rows: only ? batch : gatherBatch(batch, Int32Array.from(rows)),
  }));
  if (rare.length > 0) {
    let firstRow = 0;
    const dates = rare.map(([day, rows]) => {
      const date = { day, firstRow, rows: rows.length };
      firstRow += rows.length;
      return date;
    });
    files.push({
      key: mixedKey(flush),
      dates,
      rows: gatherBatch(batch, Int32Array.from(rare.flatMap(([, rows]) => rows))),
    });
  }
  return files;
}

function rowsByDay(contract: Contract, batch: Batch): Map<number, number[]> {
  const index = batch.fields.findIndex((field) => field.name === contract.partition.column);
  const column = batch.columns[index];
  if (column?.kind !== "int32")
    throw new TypeError(`bronze of ${contract.topic} has no date column ${contract.partition.column}`);
  const days = new Map<number, number[]>();
  for (let row = 0; row < batch.length; row++) {
    const day = column.values[row] ?? 0;
    const rows = days.get(day);
    if (rows === undefined) days.set(day, [row]);
    else rows.push(row);
  }
  return days;
}
