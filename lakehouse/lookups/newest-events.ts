/**
 * The newest events of a topic's bronze, as they were sent. Bounded: of each of the newest files one row group is read, that with
 * the latest reception, until no file that is left can hold a newer event than those found.
 */

import type { Contract } from "../../contracts/contract.ts";
import { formatTimestamp, parseTimestamp } from "../../schemas/time.ts";
import { type NewestFile, newestFiles } from "../../sql/statements/peek.ts";
import { rebuildEvents } from "../bronze/rebuild.ts";
import { bronzeFields } from "../bronze/table.ts";
import type { Batch } from "../engine/columns/column.ts";
import { conform } from "../engine/columns/conform.ts";
import { gatherBatch } from "../engine/columns/gather.ts";
import { columnNamed } from "../engine/columns/named-columns.ts";
import { openParquet, type ParquetFile } from "../engine/parquet/reader.ts";
import { int64Range } from "../engine/parquet/statistics.ts";
import type { WasmPermit } from "../engine/parquet/wasm.ts";
import { foldedFiles } from "../tables/bronze/folded-files.ts";
import { type LakeBucket, sizedSource } from "../tables/lake.ts";

export interface PeekReader {
  readonly db: D1Database;
  readonly bucket: Pick<LakeBucket, "get">;
  readonly permit: WasmPermit;
}

export interface PeekQuery {
  readonly limit: number;
  /** Received then or later, microseconds since the epoch. */
  readonly from: number;
}

export interface PeekedEvent {
  /** ISO 8601 UTC, of reception. */
  readonly received: string;
  /** In the JSON form that producers send; masked fields as they are stored. */
  readonly event: unknown;
}

/** A flush of each of eight shards in two minutes; a row group is at most 4 MB. */
const FILES = 16;

/** The newest first. Throws what D1, R2 and the Parquet reader throw. */
export async function newestEvents(
  reader: PeekReader,
  contract: Contract,
  { limit, from }: PeekQuery,
): Promise<PeekedEvent[]> {
  const files = await filesToLookInto(reader, contract.topic, from);
  const byReception = files
    .map((file) => ({ ...file, newest: parseTimestamp(file.max_received) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => b.newest - a.newest);
  let found: { readonly micros: number; readonly event: unknown }[] = [];
  for (const { file, bytes, newest } of byReception) {
    const oldest = found[limit - 1];
    if (newest < from || (oldest !== undefined && newest < oldest.micros)) break;
    const parquet = await openParquet(sizedSource(reader.bucket, file, bytes));
    found.push(...(await newestOfFile(reader.permit, parquet, contract, { limit, from })));
    found = found.sort((a, b) => b.micros - a.micros).slice(0, limit);
  }
  return found.map(({ micros, event }) => ({ received: formatTimestamp(micros), event }));
}

/** The newest of a topic; of one that was silent for days, those of its newest folded date. */
async function filesToLookInto({ db, bucket }: PeekReader, topic: string, from: number): Promise<NewestFile[]> {
  const listed = await newestFiles(db, topic, FILES);
  if (listed.length > 0) return listed;
  const received = { from: formatTimestamp(from), to: "~" };
  const folded = await foldedFiles(db, bucket, topic, { received }, 1);
  return folded
    .filter(({ retired }) => retired !== true)
    .sort((a, b) => (a.registered_at < b.registered_at ? 1 : -1))
    .slice(0, FILES);
}

async function newestOfFile(permit: WasmPermit, file: ParquetFile, contract: Contract, { limit, from }: PeekQuery) {
  const group = newestGroup(file);
  if (group === undefined) return [];
  const fields = bronzeFields(contract);
  const columns = fields.map(({ name }) => name).filter((name) => file.columns.includes(name));
  const found: { readonly micros: number; readonly event: unknown }[] = [];
  for await (const batch of file.read(permit, { columns, rowGroups: [group] })) {
    const received = receivedOf(batch);
    const rows = Array.from(received, (micros, row) => ({ micros: Number(micros), row }))
      .filter(({ micros }) => micros >= from)
      .sort((a, b) => b.micros - a.micros)
      .slice(0, limit);
    const chosen = gatherBatch(
      conform(batch, fields),
      Int32Array.from(rows, ({ row }) => row),
    );
    const events = rebuildEvents(contract, chosen);
    found.push(...rows.map(({ micros }, index) => ({ micros, event: events[index] })));
  }
  return found;
}

/** By the footer's statistics; the last where it has none. */
function newestGroup(file: ParquetFile): number | undefined {
  const latest = file.rowGroups.map((_, index) => int64Range(file.range(index, "_received"))?.max ?? 0n);
  return latest.reduce<number | undefined>(
    (best, max, index) => (best === undefined || max >= (latest[best] ?? 0n) ? index : best),
    undefined,
  );
}

function receivedOf(batch: Batch): BigInt64Array {
  const column = columnNamed(batch, "_received");
  if (column?.kind !== "int64") throw new TypeError("bronze has no column _received");
  return column.values;
}
