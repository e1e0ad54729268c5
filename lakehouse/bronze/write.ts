/** Puts the Parquet files of one flush into R2, each exactly once. */

import type { Contract } from "../../contracts/contract.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { BronzeFile } from "../../sql/statements/bronze.ts";
import type { Batch } from "../engine/columns/column.ts";
import type { WasmPermit } from "../engine/parquet/wasm.ts";
import { writeParquet } from "../engine/parquet/writer.ts";
import { fileRows } from "./file-rows.ts";
import { LAYOUT_POLICY, type LayoutPolicy, type PlannedFile, planFiles, rowGroupStarts } from "./files.ts";
import { dateRuleOf, type FlushLayout } from "./layout.ts";
import { type BronzeBucket, putOnce } from "./put-once.ts";
import { receivedHours } from "./received-hours.ts";
import type { BlockSource } from "./row-runs.ts";
import { type FlushScan, scanSteps } from "./scan.ts";
import { metadataOfFile, requireWhole, standingFile } from "./standing.ts";
import { bronzeLayout, type FlushName } from "./table.ts";
import { createUnknownFields } from "./unknown-fields.ts";

/** The frames cannot be made into files; nothing was put. `cause` says why. */
export class BronzeInputError extends Error {
  override readonly name = "BronzeInputError";
}

export interface WriteOptions {
  /** The layout that an earlier try stored, if one did: it is kept, whatever this deploy would do. */
  readonly layout?: FlushLayout | undefined;
  /** How a flush without a layout is laid out. */
  readonly policy?: LayoutPolicy;
  /** Stores a new layout. Called once everything is encoded, before the first put. */
  keep?(layout: FlushLayout): void;
  /** Awaited between pieces of work of some ten milliseconds: whoever shares the thread has its turn then. */
  pause?(): Promise<unknown>;
}

/** Where a flush is written; the permit lasts as long as the writing. */
export interface BronzeLake {
  readonly bucket: BronzeBucket;
  readonly permit: WasmPermit;
}

/**
 * Writes the frozen blocks of a flush; gives what to register. Repeatable: an object that exists with the digest of the same
 * input is ours, whatever its bytes (a deploy between two tries may change the encoder). Throws `BronzeConflictError`
 * when it is not, `BronzeInputError` before anything is put, what R2 throws and `permit.check`.
 */
export async function writeBronze(
  { bucket, permit }: BronzeLake,
  contract: Contract,
  flush: FlushName & { readonly shardOf: number },
  blocks: BlockSource,
  options: WriteOptions = {},
): Promise<BronzeFile[]> {
  const { scan, layout, encoded } = await encodeFiles(permit, contract, flush, blocks, options);
  if (options.layout === undefined) options.keep?.(layout);
  const standing: StandingFile[] = [];
  for (const { planned, bytes, unknownFields } of encoded) {
    const { size, metadata } = await putOnce(bucket, planned.key, bytes, metadataOfFile(scan.input, planned));
    standing.push({ file: standingFile(planned.key, metadata, contract, flush, scan), size, unknownFields });
  }
  requireWhole(
    standing.map(({ file }) => file),
    scan,
  );
  return standing.map((one) => registered(flush, scan, one));
}

interface StandingFile {
  readonly file: PlannedFile;
  readonly size: number;
  readonly unknownFields: readonly string[];
}

function registered(
  flush: FlushName & { readonly shardOf: number },
  scan: FlushScan,
  { file, size, unknownFields }: StandingFile,
): BronzeFile {
  const days = file.dates.flatMap(({ day }) => {
    const totals = scan.days.get(day);
    return totals === undefined ? [] : [[day, totals] as const];
  });
  return {
    file: file.key,
    topic: flush.topic,
    shard: flush.shard,
    shardOf: flush.shardOf,
    incarnation: flush.incarnation,
    seq: flush.seq,
    rows: file.rows,
    bytes: size,
    minReceived: formatTimestamp(Math.min(...days.map(([, { minReceived }]) => minReceived))),
    maxReceived: formatTimestamp(Math.max(...days.map(([, { maxReceived }]) => maxReceived))),
    dates: file.dates.map((date) => ({ date: formatDate(date.day), firstRow: date.firstRow, rows: date.rows })),
    hours: receivedHours(days),
    ...(unknownFields.length === 0 ? {} : { unknownFields }),
  };
}

interface EncodedFile {
  readonly planned: PlannedFile;
  readonly bytes: Uint8Array;
  readonly unknownFields: readonly string[];
}

interface EncodedFlush {
  readonly scan: FlushScan;
  readonly layout: FlushLayout;
  readonly encoded: readonly EncodedFile[];
}

/**
 * All files of a flush, row group by row group, before the first is put: if one cannot be made, another flush will be, under the
 * same name. Until then they take their compressed bytes.
 */
async function encodeFiles(
  permit: WasmPermit,
  contract: Contract,
  flush: FlushName,
  blocks: BlockSource,
  options: WriteOptions,
): Promise<EncodedFlush> {
  const pause = options.pause ?? (async () => {});
  const rule = options.layout?.rule ?? dateRuleOf(contract);
  const scan = await asInput(flush, () => withPauses(scanSteps(rule, blocks), pause));
  const layout = options.layout ?? {
    input: scan.input,
    rule,
    files: planFiles(contract, flush, scan.days, options.policy ?? LAYOUT_POLICY),
  };
  requireWhole(layout.files, scan, layout.input);
  const columns = bronzeLayout(contract);
  const encoded: EncodedFile[] = [];
  for (const planned of layout.files) {
    const unknown = createUnknownFields(contract);
    const bytes = await asInput(flush, () =>
      writeParquet(permit, {
        ...columns,
        batches: paused(unknown.noting(fileRows(contract, blocks, scan, planned.dates)), pause),
        rowGroupStarts: rowGroupStarts(planned.dates),
        metadata: { "sluice.topic": contract.topic, "sluice.contract": contract.version, "sluice.input": scan.input },
      }),
    );
    encoded.push({ planned, bytes, unknownFields: unknown.pointers() });
  }
  return { scan, layout, encoded };
}

async function asInput<T>(flush: FlushName, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
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
