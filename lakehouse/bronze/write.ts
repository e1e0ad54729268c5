/** Puts the Parquet files of one flush into R2, each exactly once. */
import type { Contract } from "../../contracts/contract.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { BronzeFile } from "../../sql/statements/bronze.ts";
import { writeParquet } from "../parquet/writer.ts";
import { fileRows } from "./file-rows.ts";
import { type PlannedFile, planFiles, rowGroupStarts } from "./files.ts";
import { createReceivedHours } from "./received-hours.ts";
import type { BlockSource } from "./row-runs.ts";
import { type FlushScan, scanBlocks } from "./scan.ts";
import { bronzeFields, dictionaryColumns, type FlushName } from "./table.ts";

/** An object stands under our key that was made from other input: two incarnations share a name, or somebody else writes here. Nothing is overwritten and no row is dropped. */
export class BronzeConflictError extends Error {
  override readonly name = "BronzeConflictError";
}

/** What bronze needs of a bucket. */
export type BronzeBucket = Pick<R2Bucket, "put" | "head">;

/**
 * Writes the frozen blocks of a flush, file by file and row group by row group; gives what to register. Repeatable: an
 * object that exists with the digest of the same input is ours, whatever its bytes (a deploy between two tries may change
 * the encoder). Throws `BronzeConflictError` when it is not, and what R2 throws. Call while holding the permit of
 * `tryAcquireWasm`.
 */
export async function writeBronze(
  bucket: BronzeBucket,
  contract: Contract,
  flush: FlushName & { readonly shardOf: number },
  blocks: BlockSource,
): Promise<BronzeFile[]> {
  const scan = scanBlocks(contract, blocks);
  const written: BronzeFile[] = [];
  for (const planned of planFiles(contract, flush, scan.days)) {
    const hours = createReceivedHours(contract.partition.column);
    const bytes = await writeParquet({
      fields: bronzeFields(contract),
      batches: hours.counting(fileRows(contract, blocks, scan, planned.dates)),
      dictionaryColumns: dictionaryColumns(contract),
      rowGroupStarts: rowGroupStarts(planned.dates),
      metadata: { "sluice.topic": contract.topic, "sluice.contract": contract.version, "sluice.input": scan.input },
    });
    const size = await putOnce(bucket, planned.key, bytes, scan.input);
    written.push({
      file: planned.key,
      topic: flush.topic,
      shard: flush.shard,
      shardOf: flush.shardOf,
      incarnation: flush.incarnation,
      seq: flush.seq,
      rows: planned.rows,
      bytes: size,
      ...receivedRange(scan, planned),
      dates: planned.dates.map((date) => ({ date: formatDate(date.day), firstRow: date.firstRow, rows: date.rows })),
      hours: hours.lines(),
    });
  }
  return written;
}

async function putOnce(bucket: BronzeBucket, key: string, bytes: Uint8Array, input: string): Promise<number> {
  const put = await bucket.put(key, bytes, {
    onlyIf: { etagDoesNotMatch: "*" },
    customMetadata: { input },
    httpMetadata: { contentType: "application/vnd.apache.parquet" },
  });
  if (put !== null) return put.size;
  const existing = await bucket.head(key);
  if (existing?.customMetadata?.["input"] === input) return existing.size;
  throw new BronzeConflictError(
    `${key} exists with input ${existing?.customMetadata?.["input"] ?? "unknown"}, ours is ${input}: the rows stay buffered`,
  );
}

function receivedRange(scan: FlushScan, planned: PlannedFile): { minReceived: string; maxReceived: string } {
  const days = planned.dates.flatMap(({ day }) => scan.days.get(day) ?? []);
  return {
    minReceived: formatTimestamp(Math.min(...days.map(({ minReceived }) => minReceived))),
    maxReceived: formatTimestamp(Math.max(...days.map(({ maxReceived }) => maxReceived))),
  };
}
