/** The events of a topic's bronze as they were sent, and its dead letters. */

import type { Contract } from "../../contracts/contract.ts";
import { rebuildEvents } from "../../lakehouse/bronze/rebuild.ts";
import { bronzeFields } from "../../lakehouse/bronze/table.ts";
import type { Batch } from "../../lakehouse/engine/columns/column.ts";
import { conform } from "../../lakehouse/engine/columns/conform.ts";
import { requireColumn } from "../../lakehouse/engine/columns/named-columns.ts";
import { bytesSource, readParquet } from "../../lakehouse/engine/parquet/reader.ts";
import { deadLetterAt, type StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import { codecById } from "../../schemas/codecs.ts";
import { formatTimestamp, parseTimestamp } from "../../schemas/time.ts";
import { loadParquetWasm } from "../build/parquet-wasm-node.ts";
import { CommandProblem } from "../command-problem.ts";
import { foldedBronze } from "../lake/folded-bronze.ts";
import type { LakeSource } from "../lake/source.ts";

export interface BronzeFile {
  readonly key: string;
  readonly rows: number;
}

export interface BronzeEvent {
  readonly event: unknown;
  /** Microseconds since the epoch. */
  readonly received: number;
  readonly version: number | null;
  /** Whether the row has unknown fields, sealed or not. */
  readonly hasExtra: boolean;
}

/** The live files that hold events received at or after `since` (microseconds since the epoch). */
export async function bronzeFilesSince(source: LakeSource, contract: Contract, since: number): Promise<BronzeFile[]> {
  // To the second: the fractions of the two need not have the same number of digits.
  const rows = await source.query(
    `SELECT file, rows FROM bronze_files WHERE topic = '${contract.topic}' AND retired_by IS NULL
     AND substr(max_received, 1, 19) >= '${formatTimestamp(since).slice(0, 19)}' ORDER BY file`,
  );
  const listed = rows.map((row) => ({ key: String(row["file"]), rows: Number(row["rows"]) }));
  const second = formatTimestamp(since).slice(0, 19);
  const folded = (await foldedBronze(source)).filter(
    ({ topic, file }) => topic === contract.topic && file.retired !== true && file.max_received.slice(0, 19) >= second,
  );
  const keys = new Map(folded.map(({ file }) => [file.file, { key: file.file, rows: file.rows }]));
  return [...keys.values(), ...listed];
}

/** The events of a file received at or after `since`. Parquet's Wasm must be installed. Throws CommandProblem (LAKE_UNREADABLE). */
export async function* eventsOf(
  source: LakeSource,
  contract: Contract,
  { key }: BronzeFile,
  since: number,
): AsyncGenerator<BronzeEvent, void, undefined> {
  const fields = bronzeFields(contract);
  for await (const read of batchesOf(source, key)) {
    const batch = conform(read, fields);
    const received = requireColumn(batch, "_received");
    const schema = requireColumn(batch, "_schema");
    const extra = requireColumn(batch, "_extra");
    if (received.kind !== "int64" || schema.kind !== "int32")
      throw new TypeError(`${key}: unexpected metadata columns`);
    for (const [row, event] of rebuildEvents(contract, batch).entries()) {
      const at = Number(received.values[row] ?? 0n);
      if (at < since) continue;
      const version = codecById(schema.values[row] ?? 0)?.version ?? null;
      yield { event, received: at, version, hasExtra: extra.nulls?.[row] !== 1 };
    }
  }
}

/** The dead letters of a file received at or after `since`. Parquet's Wasm must be installed. Throws CommandProblem (LAKE_UNREADABLE). */
export async function* deadLettersOf(
  source: LakeSource,
  { key }: BronzeFile,
  since: number,
): AsyncGenerator<{ readonly letter: StoredDeadLetter; readonly received: number }, void, undefined> {
  for await (const batch of batchesOf(source, key)) {
    for (let row = 0; row < batch.length; row++) {
      const letter = deadLetterAt(batch, row);
      const received = parseTimestamp(letter.received_at) ?? 0;
      if (received >= since) yield { letter, received };
    }
  }
}

async function* batchesOf(source: LakeSource, key: string): AsyncGenerator<Batch, void, undefined> {
  const bytes = await source.read(key);
  if (bytes === undefined)
    throw new CommandProblem("LAKE_UNREADABLE", `The catalog lists ${key}, and R2 does not have it: try again.`);
  yield* readParquet(loadParquetWasm(), bytesSource(key, bytes));
}
