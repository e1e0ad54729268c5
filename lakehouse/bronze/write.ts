/** Puts the Parquet files of one flush into R2, each exactly once. */
import { createHash } from "node:crypto";
import type { Contract } from "../../contracts/contract.ts";
import type { Frame } from "../../schemas/packed-block.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { BronzeFile } from "../../sql/statements/bronze.ts";
import { writeParquet } from "../parquet/writer.ts";
import { decodeFrames } from "./decode.ts";
import { type PlannedFile, planFiles } from "./files.ts";
import { createReceivedHours } from "./received-hours.ts";
import { bronzeFields, dictionaryColumns, type FlushName } from "./table.ts";

/** An object stands under our key that was made from other input: two incarnations share a name, or somebody else writes here. Nothing is overwritten and no row is dropped. */
export class BronzeConflictError extends Error {
  override readonly name = "BronzeConflictError";
}

/** What bronze needs of a bucket. */
export type BronzeBucket = Pick<R2Bucket, "put" | "head">;

/**
 * Writes the frames of a flush; gives what to register. Repeatable: an object that exists with the digest of the same
 * input is ours, whatever its bytes (a deploy between two tries may change the encoder). Throws `BronzeConflictError`
 * when it is not, and what R2 throws. Call while holding the permit of `tryAcquireWasm`.
 */
export async function writeBronze(
  bucket: BronzeBucket,
  contract: Contract,
  flush: FlushName & { readonly shardOf: number },
  frames: readonly Frame[],
): Promise<BronzeFile[]> {
  const input = inputDigest(frames);
  const batch = decodeFrames(contract, frames);
  const written: BronzeFile[] = [];
  for (const planned of planFiles(contract, flush, batch)) {
    const hours = createReceivedHours(contract.partition.column);
    const bytes = await writeParquet({
      fields: bronzeFields(contract),
      batches: hours.counting([planned.rows]),
      dictionaryColumns: dictionaryColumns(contract),
      rowGroupStarts: planned.dates.map((date) => date.firstRow),
      metadata: { "sluice.topic": contract.topic, "sluice.contract": contract.version, "sluice.input": input },
    });
    const size = await putOnce(bucket, planned.key, bytes, input);
    written.push({
      file: planned.key,
      topic: flush.topic,
      shard: flush.shard,
      shardOf: flush.shardOf,
      incarnation: flush.incarnation,
      seq: flush.seq,
      rows: planned.rows.length,
      bytes: size,
      ...receivedRange(planned),
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

/** SHA-256 over the frozen frames, message ids included. */
function inputDigest(frames: readonly Frame[]): string {
  const hash = createHash("sha256");
  for (const frame of frames) hash.update(frame.bytes);
  return hash.digest("hex");
}

function receivedRange(planned: PlannedFile): { minReceived: string; maxReceived: string } {
  const index = planned.rows.fields.findIndex((field) => field.name === "_received");
  const column = planned.rows.columns[index];
  if (column?.kind !== "int64") throw new TypeError("bronze has no _received column");
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of column.values) {
    const micros = Number(value);
    if (micros < min) min = micros;
    if (micros > max) max = micros;
  }
  return { minReceived: formatTimestamp(min), maxReceived: formatTimestamp(max) };
}
