/**
 * What a model looks things up in. An open partition reads the table's newest version. One that has closed reads the first version that
 * was published after it had closed, for good: so the same bronze gives the same rows, whenever it is built.
 */
import { pinnedVersion } from "../../../sql/statements/lookup-pins.ts";
import { newestDateAsOf } from "../../../sql/statements/published-dates.ts";
import type { CompiledModel, ModelInput } from "../../engine/ir/ir.ts";
import { isPartitionOf } from "../../engine/ir/relation.ts";
import { grainOf, tableByName } from "../../tables/catalog.ts";
import { filesAsOf } from "../../tables/files-as-of.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import type { ManifestFile } from "../../tables/manifest.ts";
import { closesAt } from "../planning/dependencies.ts";

const DAY_MS = 86_400_000;
/** A lookup that was not published for so long does not change: as many days as `dependencies.ts` looks back. */
const WAIT_DAYS = 100;

/** A date of a table as of one of its versions. */
export interface DateAsOf {
  readonly date: string;
  readonly version: number;
  readonly rows: number;
  readonly files: readonly ManifestFile[];
}

export interface PinnedLookup {
  readonly version: number;
  /** Ascending. */
  readonly dates: readonly DateAsOf[];
}

/** Undefined for what is no lookup, and where no version is pinned. Throws what D1 and `readManifest` throw. */
export async function pinnedLookup(
  db: D1Database,
  bucket: Pick<LakeBucket, "get">,
  { name, grain }: Pick<CompiledModel, "name" | "grain">,
  { table, relation }: ModelInput,
  date: string,
): Promise<PinnedLookup | undefined> {
  if (grain === "one" || (relation.kind !== "all" && relation.kind !== "latest")) return undefined;
  const closes = closesAt(name, date);
  const times = { closed: timeOf(closes), last: timeOf(closes + WAIT_DAYS * DAY_MS) };
  const version = await pinnedVersion(db, name, date, table, times);
  if (version === null) return undefined;
  const ofTable = grainOf(tableByName(table));
  // Of a table with years of dates only the newest is looked for: each closed one costs a read of its manifest.
  const only = relation.kind === "latest" ? await newestDateAsOf(db, { table, grain: ofTable }, version) : undefined;
  if (only === null) return { version, dates: [] };
  const dates: DateAsOf[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const page = await filesAsOf(db, bucket, table, version, only, after);
    for (const [own, files] of Map.groupBy(page.files, (file) => file.partition_date)) {
      if (!isPartitionOf(ofTable, own)) continue;
      const data = files.filter(({ kind }) => kind === "data");
      dates.push({ date: own, version, files, rows: data.reduce((sum, file) => sum + file.rows, 0) });
    }
    after = page.next;
  }
  return { version, dates };
}

/** Times are compared as texts, of years with four digits. */
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function timeOf(millis: number): string {
  return new Date(Math.min(millis, LAST_TIME)).toISOString();
}
