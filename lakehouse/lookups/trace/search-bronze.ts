/** Looks through bronze files for one event, a bounded number at once; where it stopped is where the next call goes on. */

import { type BronzeSearch, bronzeCandidates, type TraceFile } from "../../../sql/statements/trace.ts";
import { CorruptParquetError } from "../../engine/parquet/reader.ts";
import { ThriftError } from "../../engine/parquet/thrift.ts";
import type { WasmPermit } from "../../engine/parquet/wasm.ts";
import { foldedFiles } from "../../tables/bronze/folded-files.ts";
import { type LakeBucket, MissingObjectError, sizedSource } from "../../tables/lake.ts";
import {
  type FoundRow,
  findRows,
  type OpenedFile,
  openForSearch,
  type RowSearch,
  type SearchCost,
} from "./find-rows.ts";

export interface TraceDeps {
  readonly db: D1Database;
  readonly bucket: Pick<LakeBucket, "get">;
  /** Waits for the isolate's permit for parquet-wasm. Throws `LakeBusyError`. */
  permit(): Promise<WasmPermit>;
}

/** Other work of the isolate held parquet-wasm for too long. */
export class LakeBusyError extends Error {
  override readonly name = "LakeBusyError";
}

/** One topic's bronze. */
export interface TraceSource {
  readonly where: BronzeSearch;
  readonly rows: RowSearch;
}

export interface SearchPosition {
  /** Index of the source. */
  readonly source: number;
  readonly after: string;
}

export interface SearchResult {
  /** `source`: its index. */
  readonly found: readonly { readonly source: number; readonly row: FoundRow }[];
  /** Files that could not be read: lost or damaged. What they hold is not known. */
  readonly unreadable: readonly string[];
  /** Null when all was looked through. */
  readonly next: SearchPosition | null;
}

/** Footers read at once: six connections may wait in a Worker (PLATFORM, Limits). */
const AT_ONCE = 6;

/** Reads at most about `maxFiles` files. Throws `LakeBusyError`, and what D1 and R2 throw. */
export async function searchBronze(
  deps: TraceDeps,
  sources: readonly TraceSource[],
  start: SearchPosition,
  maxFiles: number,
  cost: SearchCost,
): Promise<SearchResult> {
  const found: { source: number; row: FoundRow }[] = [];
  const unreadable: string[] = [];
  const limit = cost.files + maxFiles;
  for (const [index, source] of sources.entries()) {
    if (index < start.source) continue;
    let after = index === start.source ? start.after : "";
    for (;;) {
      if (cost.files >= limit) return { found, unreadable, next: { source: index, after } };
      const files = await bronzeCandidates(deps.db, source.where, after, AT_ONCE);
      for (const row of await searchFiles(deps, files, source.rows, cost, unreadable)) {
        found.push({ source: index, row });
      }
      after = files.at(-1)?.position ?? after;
      if (files.length < AT_ONCE) break;
    }
    const folded = (await foldedCandidates(deps, source.where)).filter(({ position }) => position > after);
    for (let at = 0; at < folded.length; at += AT_ONCE) {
      if (cost.files >= limit) return { found, unreadable, next: { source: index, after } };
      const files = folded.slice(at, at + AT_ONCE);
      for (const row of await searchFiles(deps, files, source.rows, cost, unreadable)) {
        found.push({ source: index, row });
      }
      after = files.at(-1)?.position ?? after;
    }
  }
  return { found, unreadable, next: null };
}

/** Behind the positions of files in D1, which begin with a date or a folder. */
const FOLDED = "~";

/** The files of folded dates that a search goes through, in order. Looked for when D1's were searched, so that what is folded meanwhile is found. */
async function foldedCandidates(
  { db, bucket }: Pick<TraceDeps, "db" | "bucket">,
  { topic, dates, from, to, receivedFrom, shards }: BronzeSearch,
): Promise<TraceFile[]> {
  const range = dates === null ? { registered: { from, to } } : { dates };
  const files = await foldedFiles(db, bucket, topic, range);
  return files
    .filter(
      ({ retired, registered_at, max_received, shard, shard_of }) =>
        retired !== true &&
        (dates !== null || (registered_at >= from && registered_at < to)) &&
        max_received >= receivedFrom &&
        (shards === null || shards[String(shard_of)] === shard),
    )
    .map(({ file, bytes }) => ({ file, bytes, position: `${FOLDED}${file}` }))
    .sort((a, b) => (a.position < b.position ? -1 : 1));
}

/** The rows of a few files, whose keys go to `unreadable` where they cannot be read. */
export async function searchFiles(
  { bucket, permit: waitForPermit }: Pick<TraceDeps, "bucket" | "permit">,
  files: readonly Pick<TraceFile, "file" | "bytes">[],
  search: RowSearch,
  cost: SearchCost,
  unreadable: string[],
): Promise<FoundRow[]> {
  const readable = async <T>(file: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unreadable.push(file);
      return undefined;
    }
  };
  const opened: (OpenedFile | undefined)[] = await Promise.all(
    files.map(({ file, bytes }) => readable(file, () => openForSearch(sizedSource(bucket, file, bytes), search))),
  );
  cost.files += files.length;
  const hopeful = opened.filter((file) => file !== undefined && file.rowGroups.length > 0);
  cost.files_pruned += files.length - hopeful.length;
  if (hopeful.length === 0) return [];
  using permit = await waitForPermit();
  const found: FoundRow[] = [];
  for (const file of hopeful) {
    if (file !== undefined)
      found.push(...((await readable(file.name, () => findRows(permit, file, search, cost))) ?? []));
  }
  return found;
}

/** Statistics are parsed when they are asked for: of a damaged footer they may throw what the parser does. */
function isUnreadable(error: unknown): boolean {
  return error instanceof MissingObjectError || error instanceof CorruptParquetError || error instanceof ThriftError;
}
