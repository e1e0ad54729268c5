/** Which bronze files become one. Pure: small live files in, compactions out. */
import { createHash } from "node:crypto";
import type { SmallFile } from "../../../sql/statements/compactions.ts";
import { isMixed } from "../../bronze/table.ts";

export interface CompactionPolicy {
  /** Fewer files than this are not worth a rewrite. */
  readonly minFiles: number;
  /** One compaction takes at most so many files and compressed bytes: an isolate holds its output. */
  readonly maxFiles: number;
  readonly maxBytes: number;
  /** Of files with several dates, whose rows are put in order in memory. */
  readonly maxMixedRows: number;
  /** A file larger than this is left alone. */
  readonly smallBytes: number;
}

/**
 * At 8 shards and a flush a minute a day has 11,520 files, more than a build may ask for (PROTOCOLS 8); compacted by shard
 * and hour it has 192. 16 MB of compressed output is held twice while it is put.
 */
export const COMPACTION_POLICY: CompactionPolicy = {
  minFiles: 8,
  maxFiles: 1_000,
  maxBytes: 16_000_000,
  maxMixedRows: 50_000,
  smallBytes: 4_000_000,
};

export interface CompactionPlan {
  /** R2 key of the file to write: the same for the same inputs. */
  readonly file: string;
  readonly topic: string;
  /** R2 keys, ascending: the order of their rows, and of their registrations. */
  readonly inputs: readonly string[];
}

/**
 * Groups files by folder (a date, or the mixed ones), incarnation of a shard and hour of registration, so that shards stay apart and
 * the order of the names is that of the registrations; cuts each group to size.
 */
export function planCompactions(files: readonly SmallFile[], policy: CompactionPolicy): CompactionPlan[] {
  const free = files.filter(({ bytes }) => bytes <= policy.smallBytes);
  const groups = Map.groupBy(free, (file) =>
    [folderOf(file.file), file.shard, file.shard_of, file.incarnation, file.registered_at.slice(0, 13)].join("|"),
  );
  return [...groups.values()].flatMap((group) =>
    cut(group, policy)
      .filter((part) => part.length >= policy.minFiles)
      .map(planOf),
  );
}

function cut(group: readonly SmallFile[], policy: CompactionPolicy): SmallFile[][] {
  const parts: SmallFile[][] = [];
  let bytes = 0;
  let rows = 0;
  for (const file of group.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    const last = parts.at(-1);
    const maxRows = isMixed(file.file) ? policy.maxMixedRows : Number.POSITIVE_INFINITY;
    const fits =
      last !== undefined &&
      last.length < policy.maxFiles &&
      bytes + file.bytes <= policy.maxBytes &&
      rows + file.rows <= maxRows;
    if (fits) last.push(file);
    else {
      parts.push([file]);
      bytes = 0;
      rows = 0;
    }
    bytes += file.bytes;
    rows += file.rows;
  }
  return parts;
}

function planOf(part: readonly SmallFile[]): CompactionPlan {
  const inputs = part.map(({ file }) => file);
  const folder = folderOf(inputs[0] ?? "");
  const shard = String(part[0]?.shard ?? 0).padStart(3, "0");
  return {
    file: `${folder}${shard}-compacted-${inputsDigest(inputs).slice(0, 16)}.parquet`,
    topic: part[0]?.topic ?? "",
    inputs,
  };
}

/** SHA-256 of the inputs' names, in hex: files are immutable, so it stands for their rows. */
export function inputsDigest(inputs: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex");
}

/** With its slash. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}
