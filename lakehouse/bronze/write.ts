/** Puts the Parquet files of one flush into R2, each exactly once. */
import type { Contract } from "../../contracts/contract.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { BronzeFile, ReceivedHour } from "../../sql/statements/bronze.ts";
import { writeParquet } from "../parquet/writer.ts";
import { fileRows } from "./file-rows.ts";
import { type PlannedFile, planFiles, rowGroupStarts } from "./files.ts";
import { type BronzeBucket, putOnce } from "./put-once.ts";
import { createReceivedHours } from "./received-hours.ts";
import type { BlockSource } from "./row-runs.ts";
import { type FlushScan, scanBlocks } from "./scan.ts";
import { bronzeLayout, type FlushName } from "./table.ts";

/** The frames cannot be made into files; nothing was put. `cause` says why. */
export class BronzeInputError extends Error {
  override readonly name = "BronzeInputError";
}

/**
 * Writes the frozen blocks of a flush; gives what to register. Repeatable: an object that exists with the digest of the same
 * input is ours, whatever its bytes (a deploy between two tries may change the encoder). Throws `BronzeConflictError`
 * when it is not, `BronzeInputError` before anything is put, and what R2 throws. Call while holding the permit of `tryAcquireWasm`.
 */
export async function writeBronze(
  bucket: BronzeBucket,
  contract: Contract,
  flush: FlushName & { readonly shardOf: number },
  blocks: BlockSource,
): Promise<BronzeFile[]> {
  const { input, files } = await encodeFiles(contract, flush, blocks);
  const written: BronzeFile[] = [];
  for (const { planned, bytes, received, hours } of files) {
    const size = await putOnce(bucket, planned.key, bytes, input);
    written.push({
      file: planned.key,
      topic: flush.topic,
      shard: flush.shard,
      shardOf: flush.shardOf,
      incarnation: flush.incarnation,
      seq: flush.seq,
      rows: planned.rows,
      bytes: size,
      ...received,
      dates: planned.dates.map((date) => ({ date: formatDate(date.day), firstRow: date.firstRow, rows: date.rows })),
      hours,
    });
  }
  return written;
}

interface EncodedFile {
  readonly planned: PlannedFile;
  readonly bytes: Uint8Array;
  readonly received: Pick<BronzeFile, "minReceived" | "maxReceived">;
  readonly hours: readonly ReceivedHour[];
}

/**
 * All files of a flush, row group by row group, before the first is put: if one cannot be made, another flush will be, under the
 * same name. Until then they take their compressed bytes.
 */
async function encodeFiles(
  contract: Contract,
  flush: FlushName,
  blocks: BlockSource,
): Promise<{ readonly input: string; readonly files: readonly EncodedFile[] }> {
  try {
    const scan = scanBlocks(contract, blocks);
    const layout = bronzeLayout(contract);
    const files: EncodedFile[] = [];
    for (const planned of planFiles(contract, flush, scan.days)) {
      const hours = createReceivedHours(contract.partition.column);
      const bytes = await writeParquet({
        ...layout,
        batches: hours.counting(fileRows(contract, blocks, scan, planned.dates)),
        rowGroupStarts: rowGroupStarts(planned.dates),
        metadata: { "sluice.topic": contract.topic, "sluice.contract": contract.version, "sluice.input": scan.input },
      });
      files.push({ planned, bytes, received: receivedRange(scan, planned), hours: hours.lines() });
    }
    return { input: scan.input, files };
  } catch (cause) {
    throw new BronzeInputError(`flush ${flush.seq} cannot be made into files: ${String(cause)}`, { cause });
  }
}

function receivedRange(scan: FlushScan, planned: PlannedFile): EncodedFile["received"] {
  const days = planned.dates.flatMap(({ day }) => scan.days.get(day) ?? []);
  return {
    minReceived: formatTimestamp(Math.min(...days.map(({ minReceived }) => minReceived))),
    maxReceived: formatTimestamp(Math.max(...days.map(({ maxReceived }) => maxReceived))),
  };
}
