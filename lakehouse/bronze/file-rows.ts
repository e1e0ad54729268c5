/** The rows of one planned file in its order, decoded in portions that bound what is in memory. */
import type { Contract } from "../../contracts/contract.ts";
import type { Batch, ColumnType, Field } from "../engine/columns/column.ts";
import { concatBatches } from "../engine/columns/concat.ts";
import { ROW_GROUP_BYTES } from "../engine/parquet/writer.ts";
import { byDay } from "./by-day.ts";
import { decodeRuns } from "./decode.ts";
import type { FileDate } from "./files.ts";
import type { BlockSource } from "./row-runs.ts";
import type { DayTotals, FlushScan } from "./scan.ts";
import { bronzeFields } from "./table.ts";

/**
 * Batches of about a row group. The rows of one date are decoded as they come; dates that share a file are decoded some at a
 * time, and put in order: each such portion costs a pass over the blocks that hold its rows.
 */
export function* fileRows(
  contract: Contract,
  blocks: BlockSource,
  scan: FlushScan,
  dates: readonly FileDate[],
): Generator<Batch, void, undefined> {
  for (const days of portions(contract, scan.days, dates)) {
    const batches = decodeRuns(contract, blocks, scan.runs, new Set(days), BATCH_BYTES);
    if (days.length === 1) yield* batches;
    else yield byDay(contract, concatBatches([...batches]));
  }
}

/** A batch ends at the first frame past this: below a row group, so that none is cut in two. */
const BATCH_BYTES = ROW_GROUP_BYTES - 256 * 1_024;

/** Neighbouring dates, as many as fit a row group together; a date that alone does not fit is a portion of its own. */
function portions(
  contract: Contract,
  totals: ReadonlyMap<number, DayTotals>,
  dates: readonly FileDate[],
): readonly (readonly number[])[] {
  const rowBytes = fixedBytes(bronzeFields(contract));
  const all: number[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const { day, rows } of dates) {
    const own = rows * rowBytes + (totals.get(day)?.bytes ?? 0);
    if (bytes + own > ROW_GROUP_BYTES) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(day);
    bytes += own;
  }
  return all;
}

/** Bytes that a row takes in columns before its texts and list items, which are about as long as in Avro. */
function fixedBytes(fields: readonly Field[]): number {
  return fields.reduce((sum, { type }) => sum + 1 + widthOf(type), 0);
}

function widthOf(type: ColumnType): number {
  switch (type.kind) {
    case "bool":
      return 1;
    case "int64":
    case "float64":
    case "timestamp":
      return 8;
    case "decimal":
      return 16;
    case "struct":
      return fixedBytes(type.fields);
    case "list":
      return 4 + widthOf(type.item.type);
    default:
      return 4;
  }
}
