/** Where copies of an event stand in the published silver table and in the gold tables made of it. */
import type { Contract } from "../../../contracts/contract.ts";
import { parseTimestamp } from "../../../schemas/time.ts";
import { derivedVersions, filesSeen } from "../../../sql/statements/trace.ts";
import { foldedFiles } from "../../tables/bronze/folded-files.ts";
import { dependentsOf } from "../../tables/catalog.ts";
import { livePartition } from "../../tables/live-files.ts";
import { silverTableName } from "../../tables/silver-columns.ts";
import type { EventCopy, RowPlace } from "./event-copy.ts";
import type { FoundRow, SearchCost } from "./find-rows.ts";
import { searchFiles, type TraceDeps } from "./search-bronze.ts";

/**
 * `kept`: silver's row is this copy. `duplicate`: silver's row is another copy. `waiting`: the published version was built before
 * this copy's file. `held_back`: it was built from the file, and has no row of this id.
 */
export type SilverState = "kept" | "duplicate" | "waiting" | "held_back";

export interface SilverTrace {
  readonly topic: string;
  readonly table: string;
  readonly partition_date: string;
  /** Null where nothing is published for the date. */
  readonly version: number | null;
  readonly committed_at: string | null;
  /** Silver's row; null where it has none. */
  readonly row: (RowPlace & { readonly message_id: string; readonly event_index: number }) | null;
}

export interface GoldTrace {
  readonly table: string;
  readonly partition_date: string;
  readonly version: number;
  readonly committed_at: string;
  /** Whether it was built from all that is published now of what it reads. */
  readonly current: boolean;
}

export interface PublishedTrace {
  readonly silver: SilverTrace;
  readonly gold: readonly GoldTrace[];
  /** For each of the copies, in their order. */
  readonly states: readonly SilverState[];
}

/** Copies of one topic and partition date. Throws what `searchFiles` and D1 throw. */
export async function tracePublished(
  deps: TraceDeps,
  contract: Contract,
  date: string,
  search: { readonly column: string; readonly text: string },
  copies: readonly EventCopy[],
  cost: SearchCost,
  unreadable: string[],
): Promise<PublishedTrace> {
  const table = silverTableName(contract.topic);
  const files = copies.map(({ bronze }) => bronze.file);
  const live = await livePartition(deps.db, deps.bucket, table, date);
  const built = await filesBuilt(deps, contract.topic, date, files, live?.seen ?? 0);
  const data = (live?.files ?? []).filter(({ kind }) => kind === "data");
  const wanted = ["_message", "_event"];
  const inSilver = (received?: readonly bigint[]): Promise<FoundRow[]> => {
    const rows = { ...search, wanted, ...(received === undefined ? {} : { received }) };
    return searchFiles(deps, data, rows, cost, unreadable);
  };
  // Silver is in the order of reception, so the time of a copy that it kept leads to its row; one that these copies are
  // duplicates of may have another.
  let found = await inSilver(copies.map(({ received }) => BigInt(parseTimestamp(received) ?? 0)));
  if (found.length === 0 && built.size > 0) found = await inSilver();
  const [first] = found;
  const row =
    first === undefined
      ? null
      : {
          file: first.file,
          row_group: first.row_group,
          row: first.row,
          message_id: String(first.values["_message"]),
          event_index: Number(first.values["_event"]),
        };
  const gold = live === undefined ? [] : await derivedVersions(deps.db, dependentsOf(table), date);
  return {
    silver: {
      topic: contract.topic,
      table,
      partition_date: date,
      version: live?.version ?? null,
      committed_at: live?.committed_at ?? null,
      row,
    },
    gold: gold.map(({ table_name, version, committed_at, current }) => ({
      table: table_name,
      partition_date: date,
      version,
      committed_at,
      current,
    })),
    states: copies.map((copy): SilverState => {
      if (row?.message_id === copy.message_id && row.event_index === copy.event_index) return "kept";
      if (!built.has(copy.bronze.file)) return "waiting";
      return row === null ? "held_back" : "duplicate";
    }),
  };
}

/** Those of the files with rows of the partition that a build saw up to registration `seen`, in D1 or folded. */
async function filesBuilt(
  { db, bucket }: TraceDeps,
  topic: string,
  date: string,
  files: readonly string[],
  seen: number,
): Promise<ReadonlySet<string>> {
  const listed = await filesSeen(db, topic, date, files, seen);
  if (files.every((file) => listed.has(file))) return listed;
  const folded = await foldedFiles(db, bucket, topic, { dates: [date] });
  const built = folded.filter(({ inputs }) => inputs.some(({ registration }) => registration <= seen));
  return new Set([...listed, ...built.map(({ file }) => file).filter((file) => files.includes(file))]);
}
