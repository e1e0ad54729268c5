/** Puts the Parquet files of one flush into R2, each exactly once. */
import type { Contract } from "../../contracts/contract.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { BronzeFile } from "../../sql/statements/bronze.ts";
import type { Batch } from "../engine/columns/column.ts";
import { writeParquet } from "../engine/parquet/writer.ts";
import { fileRows } from "./file-rows.ts";
import { type PlannedFile, planFiles, rowGroupStarts } from "./files.ts";
import { type BronzeBucket, putOnce } from "./put-once.ts";
import { receivedHours } from "./received-hours.ts";
import type { BlockSource } from "./row-runs.ts";
import { type DayTotals, scanSteps } from "./scan.ts";
import { bronzeLayout, type FlushName } from "./table.ts";
import { createUnknownFields } from "./unknown-fields.ts";

/** The frames cannot be made into files; nothing was put. `cause` says why. */
export class BronzeInputError extends Error {
  override readonly name = "BronzeInputError";
}

/**
 * Writes the frozen blocks of a flush; gives what to register. Repeatable: an object that exists with the digest of the same
 * input is ours, whatever its bytes (a deploy between two tries may change the encoder). Throws `BronzeConflictError`
 * when it is not, `BronzeInputError` before anything is put, and what R2 throws. Call while holding the permit of `tryAcquireWasm`.
 * `pause` is awaited between pieces of work of some ten milliseconds: who shares the thread has its turn then.
 */
export async function writeBronze(
  bucket: BronzeBucket,
  contract: Contract,
  flush: FlushName & { readonly shardOf: number },
  blocks: BlockSource,
  pause: () => Promise<unknown> = async () => {},
): Promise<BronzeFile[]> {
  const { input, files } = await encodeFiles(contract, flush, blocks, pause);
  const written: BronzeFile[] = [];
  for (const { planned, bytes, days, unknownFields } of files) {
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
      minReceived: formatTimestamp(Math.min(...days.map(([, { minReceived }]) => minReceived))),
      maxReceived: formatTimestamp(Math.max(...days.map(([, { maxReceived }]) => maxReceived))),
      dates: planned.dates.map((date) => ({ date: formatDate(date.day), firstRow: date.firstRow, rows: date.rows })),
      hours: receivedHours(days),
      ...(unknownFields.length === 0 ? {} : { unknownFields }),
    });
  }
  return written;
}

interface EncodedFile {
  readonly planned: PlannedFile;
  readonly bytes: Uint8Array;
  /** Its dates, ascending. */
  readonly days: readonly (readonly [day: number, totals: DayTotals])[];
  readonly unknownFields: readonly string[];
}

/**
 * All files of a flush, row group by row group, before the first is put: if one cannot be made, another flush will be, under the
 * same name. Until then they take their compressed bytes.
 */
async function encodeFiles(
  contract: Contract,
  flush: FlushName,
  blocks: BlockSource,
  pause: () => Promise<unknown>,
): Promise<{ readonly input: string; readonly files: readonly EncodedFile[] }> {
  try {
    const scan = await withPauses(scanSteps(contract, blocks), pause);
    const layout = bronzeLayout(contract);
    const files: EncodedFile[] = [];
    for (const planned of planFiles(contract, flush, scan.days)) {
      const unknown = createUnknownFields(contract);
      const bytes = await writeParquet({
        ...layout,
        batches: paused(unknown.noting(fileRows(contract, blocks, scan, planned.dates)), pause),
        rowGroupStarts: rowGroupStarts(planned.dates),
        metadata: { "sluice.topic": contract.topic, "sluice.contract": contract.version, "sluice.input": scan.input },
      });
      const days = planned.dates.flatMap(({ day }) => {
        const totals = scan.days.get(day);
        return totals === undefined ? [] : [[day, totals] as const];
      });
      files.push({ planned, bytes, days, unknownFields: unknown.pointers() });
    }
    return { input: scan.input, files };
  } catch (cause) {
    throw new BronzeInputError(`flush ${flush.seq} cannot be made into files: ${String(cause)}`, { cause });
  }
}

/** What the steps come to. */
async function withPauses<T>(steps: Generator<unknown, T, undefined>, pause: () => Promise<unknown>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await pause();
  }
}

/** The batches, with a pause before each is encoded and before the next is decoded. */
async function* paused(
  batches: Iterable<Batch>,
  pause: () => Promise<unknown>,
): AsyncGenerator<Batch, void, undefined> {
  for (const batch of batches) {
    await pause();
    yield batch;
    await pause();
  }
}
