/** Finds the dead letters of one Parquet object that a query asks for, by their keys alone: payloads are not read. */

import type { Batch, Column } from "../../engine/columns/column.ts";
import { valueAt } from "../../engine/columns/value.ts";
import type { ParquetFile } from "../../engine/parquet/reader.ts";
import { int64Range, mayHold } from "../../engine/parquet/statistics.ts";
import type { WasmPermit } from "../../engine/parquet/wasm.ts";
import type { FirstPositions, Position } from "./position.ts";

/** What a dead letter must be; null: anything. */
export interface DeadLetterFilter {
  readonly topics: ReadonlySet<string> | null;
  readonly errorType: string | null;
  readonly producer: string | null;
  readonly ids: ReadonlySet<string> | null;
}

/** Microseconds since the epoch, both inclusive. */
export interface ReceivedRange {
  readonly from: number;
  readonly to: number;
}

/** A dead letter found: row `row` of row group `group` of an open file. */
export interface Hit extends Position {
  readonly file: ParquetFile;
  readonly group: number;
  readonly row: number;
}

export interface ScanRequest {
  readonly file: ParquetFile;
  /** Rows [firstRow, firstRow + rows) of the file. */
  readonly firstRow: number;
  readonly rows: number;
  readonly filter: DeadLetterFilter;
  readonly range: ReceivedRange;
  /** Whether a position is to be listed: it lies after the cursor. */
  readonly wanted: (position: Position) => boolean;
}

/** Offers every match to `found`. Row groups that cannot hold a better one, by their statistics, are not read. */
export async function scan(permit: WasmPermit, request: ScanRequest, found: FirstPositions<Hit>): Promise<void> {
  const { file, firstRow, rows } = request;
  const end = firstRow + rows;
  // The last group of a day's silver has the newest; the order only decides how soon the others can be skipped.
  const groups = file.rowGroups.map((group, index) => ({ ...group, index })).reverse();
  for (const group of groups) {
    const from = Math.max(firstRow, group.firstRow);
    const to = Math.min(end, group.firstRow + group.rows);
    if (from >= to || !mayMatch(request, group.index, found)) continue;
    const offset = from - group.firstRow;
    let at = offset;
    const reading = { columns: KEY_COLUMNS, rowGroups: [group.index], offset, limit: to - from };
    for await (const batch of file.read(permit, reading)) {
      scanBatch(batch, at, group.index, request, found);
      at += batch.length;
    }
  }
}

const KEY_COLUMNS = ["_received", "dlq_id", "source_topic", "error_type", "producer"] as const;

function mayMatch({ file, filter, range, wanted }: ScanRequest, group: number, found: FirstPositions<Hit>): boolean {
  const received = int64Range(file.range(group, "_received"));
  if (received !== undefined) {
    const earliest = Number(received.min);
    const latest = Number(received.max);
    if (latest < range.from || earliest > range.to) return false;
    // The best position that the group can hold is at one of its ends.
    const ends = [
      { received: earliest, id: "" },
      { received: latest, id: "~" },
    ];
    if (!ends.some(wanted) || !ends.some((end) => found.wouldTake(end))) return false;
  }
  const { topics, errorType, producer } = filter;
  if (topics !== null && ![...topics].some((topic) => mayHold(file.range(group, "source_topic"), topic))) return false;
  if (errorType !== null && !mayHold(file.range(group, "error_type"), errorType)) return false;
  return producer === null || mayHold(file.range(group, "producer"), producer);
}

function scanBatch(
  batch: Batch,
  firstRow: number,
  group: number,
  request: ScanRequest,
  found: FirstPositions<Hit>,
): void {
  const [received, id, topic, errorType, producer] = batch.columns;
  if (received?.kind !== "int64") throw new TypeError("dead letters have no column _received");
  const { file, filter, range, wanted } = request;
  for (let row = 0; row < batch.length; row++) {
    const at = Number(received.values[row]);
    if (at < range.from || at > range.to) continue;
    const dlqId = textAt(id, row);
    const position = { received: at, id: dlqId };
    if (!wanted(position)) continue;
    if (filter.ids !== null && !filter.ids.has(dlqId)) continue;
    if (filter.topics !== null && !filter.topics.has(textAt(topic, row))) continue;
    if (filter.errorType !== null && filter.errorType !== textAt(errorType, row)) continue;
    if (filter.producer !== null && filter.producer !== textAt(producer, row)) continue;
    found.offer({ ...position, file, group, row: firstRow + row });
  }
}

function textAt(column: Column | undefined, row: number): string {
  const value = column === undefined ? null : valueAt(column, row);
  return typeof value === "string" ? value : "";
}
