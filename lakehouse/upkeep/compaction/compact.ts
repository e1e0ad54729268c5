/**
 * Carries out one compaction: read, merge, put, register. The commit point is `registerCompaction`: before it every reader
 * sees the small files, after it the compacted one, and the small files' objects stay for a day. Every step may be done again.
 */
import { contractOf } from "../../../contracts/registry.ts";
import { formatDate, parseTimestamp } from "../../../schemas/time.ts";
import {
  type Compaction,
  type CompactionInput,
  dropCompaction,
  findCompaction,
  registerCompaction,
} from "../../../sql/statements/compactions.ts";
import { putOnce } from "../../bronze/put-once.ts";
import { isMixed } from "../../bronze/table.ts";
import { UnknownColumnsError } from "../../tables/known-rows.ts";
import { type LakeWork, tailedSource } from "../../tables/lake.ts";
import { mergeFiles } from "./merge.ts";
import { inputsDigest } from "./plan.ts";

export interface CompactDeps extends LakeWork {
  readonly db: D1Database;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** `done`: the compacted file stands in place of its inputs, by this try or an earlier one. `dropped`: it never will. */
export type CompactOutcome =
  | { readonly kind: "done"; readonly files: number; readonly rows: number; readonly bytes: number }
  | { readonly kind: "dropped"; readonly reason: string }
  | { readonly kind: "not_planned" };

/** Compacts what was planned under this name. Throws what R2, D1 and reading throw: tried again it goes on. */
export async function compact(deps: CompactDeps, file: string): Promise<CompactOutcome> {
  const { db, bucket, permit } = deps;
  const compaction = await findCompaction(db, file);
  const contract = compaction === undefined ? undefined : contractOf(compaction.topic);
  if (compaction === undefined || contract === undefined) return { kind: "not_planned" };
  const { inputs } = compaction;
  const rows = inputs.reduce((sum, input) => sum + input.rows, 0);
  if (compaction.status === "DONE") return { kind: "done", files: inputs.length, rows, bytes: 0 };
  const retired = inputs.find((input) => input.retired_by !== null);
  if (compaction.status === "DROPPED" || retired !== undefined)
    return drop(db, file, `${retired?.file ?? "an input"} was retired meanwhile`);

  const keys = inputs.map((input) => input.file);
  const digest = inputsDigest(keys);
  try {
    const sources = keys.map((key) => () => tailedSource(bucket, key));
    const merged = await mergeFiles(permit, sources, contract, {
      mixed: isMixed(file),
      metadata: { "sluice.input": digest, "sluice.compacts": String(keys.length) },
    });
    if (merged.rows !== rows) throw new Error(`${file}: ${merged.rows} rows were read, the catalog has ${rows}`);
    const { size: bytes } = await putOnce(bucket, file, merged.bytes, { input: digest });
    const dates = merged.dates.map(({ day, firstRow, rows: count }) => ({
      date: formatDate(day),
      firstRow,
      rows: count,
    }));
    const standing = { ...nameOf(inputs), ...receivedRange(inputs) };
    const status: Compaction["status"] = await registerCompaction(
      db,
      { file, topic: contract.topic, rows, bytes, dates, ...standing },
      keys,
      new Date(deps.now()).toISOString(),
    );
    if (status === "DONE") return { kind: "done", files: keys.length, rows, bytes };
    return { kind: "dropped", reason: "an input was retired meanwhile" };
  } catch (error) {
    if (error instanceof UnknownColumnsError) return drop(db, file, error.message);
    throw error;
  }
}

async function drop(db: D1Database, file: string, reason: string): Promise<CompactOutcome> {
  await db.batch(dropCompaction(db, file, reason));
  return { kind: "dropped", reason };
}

/** The shard is that of all inputs; the flush is the first one's. */
function nameOf(inputs: readonly CompactionInput[]) {
  const [first] = inputs;
  if (first === undefined) throw new Error("a compaction without inputs");
  return { shard: first.shard, shardOf: first.shard_of, incarnation: first.incarnation, seq: first.seq };
}

/** The earliest and the latest of the inputs', as they are written: texts with and without fractions do not compare. */
function receivedRange(inputs: readonly CompactionInput[]): { minReceived: string; maxReceived: string } {
  const byTime = (texts: readonly string[]) =>
    texts.toSorted((a, b) => (parseTimestamp(a) ?? 0) - (parseTimestamp(b) ?? 0));
  return {
    minReceived: byTime(inputs.map((input) => input.min_received))[0] ?? "",
    maxReceived: byTime(inputs.map((input) => input.max_received)).at(-1) ?? "",
  };
}
