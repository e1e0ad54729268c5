/** The senders' log against the lake as DuckDB reads it: every accepted event once, every file registered, nothing stuck, tables as DuckDB has them. */
import { openLake } from "../lake/open.ts";
import { bindingsSource } from "../lake/source.ts";
import type { Platform } from "../local-platform/platform.ts";
import type { SendersLog } from "./senders.ts";
import { judgeTables, type TablesVerdict } from "./tables.ts";

export interface Verdict {
  /** Events of bronze. */
  readonly inBronze: number;
  /** Accepted and not in bronze. */
  readonly lost: number;
  /** Rows of bronze beyond those that were sent of an event, or beyond the first of a place in a message (`_message`, `_event`). */
  readonly doubled: number;
  /** In bronze, and never sent. */
  readonly unknown: number;
  /** Objects of bronze that D1 does not know, and files of D1 that are not there. */
  readonly unregistered: number;
  /** Of the tables that are built; null: they were not looked at, since something is stuck or missing. */
  readonly tables: TablesVerdict | null;
  /** Shards that say that they hold events, partitions that are not built, messages and slices that were parked. */
  readonly stuck: readonly string[];
}

export async function judge(platform: Platform, log: SendersLog): Promise<Verdict> {
  const lake = await openLake({
    source: bindingsSource(platform.db, platform.lake),
    cacheDir: platform.state.cache,
    stateTables: [],
  });
  try {
    const rows = async (sql: string) => (await lake.connection.runAndReadAll(sql)).getRowObjectsJson();
    const counted = await rows("SELECT event_id, count(*)::INT AS n FROM bronze_orders GROUP BY event_id");
    const [places] = await rows(
      "SELECT (count(*) - count(DISTINCT (_message, _event)))::INT AS repeated FROM bronze_orders",
    );
    const notRegistered = await unregistered(platform);
    const notDone = await stuck(platform);
    const found = new Map(counted.map(({ event_id, n }) => [String(event_id), Number(n)]));
    const repeated = [...found].reduce((sum, [id, n]) => sum + Math.max(0, n - (log.sent.get(id) ?? 1)), 0);
    const lost = log.accepted.difference(found).size;
    const isWhole = lost + notRegistered + notDone.length === 0;
    return {
      inBronze: found.size,
      lost,
      doubled: Math.max(repeated, Number(places?.["repeated"] ?? 0)),
      unknown: [...found.keys()].filter((id) => !log.sent.has(id)).length,
      unregistered: notRegistered,
      tables: isWhole ? await judgeTables(platform, lake) : null,
      stuck: notDone,
    };
  } finally {
    lake.close();
  }
}

/** Whether there is nothing that a healed platform still has to do. */
export function isSettled({ lost, unregistered, stuck, tables }: Verdict): boolean {
  if (lost + unregistered + stuck.length > 0 || tables === null) return false;
  return tables.silverWrong + tables.goldWrong + tables.halfPublished === 0;
}

/** Whether the promise held. */
export function isClean(verdict: Verdict): boolean {
  return isSettled(verdict) && verdict.doubled + verdict.unknown === 0;
}

async function unregistered({ db, lake }: Platform): Promise<number> {
  const keys = [...(await keysUnder(lake, "bronze/")), ...(await keysUnder(lake, "bronze_mixed/"))];
  // Beside the data stand pointers, views and manifests.
  const objects = new Set(keys.filter((key) => key.endsWith(".parquet")));
  const { results } = await db.prepare("SELECT file FROM bronze_files").all<{ file: string }>();
  return objects.symmetricDifference(new Set(results.map(({ file }) => file))).size;
}

async function stuck({ db, lake }: Platform): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT 'buffer ' || topic || '/' || shard || ' holds ' || buffered_bytes || ' bytes' AS what FROM shards WHERE oldest_unflushed IS NOT NULL
       UNION ALL SELECT 'partition ' || domain || '/' || partition_date || ' is ' || status FROM partition_meta WHERE status <> 'DONE'
       UNION ALL SELECT 'partition ' || domain || '/' || partition_date || ' is not built from its newest files'
         FROM partition_inputs WHERE version <> built_version
       UNION ALL SELECT 'compaction ' || file || ' is not done' FROM compactions WHERE status = 'PENDING'`,
    )
    .all<{ what: string }>();
  const parked = await keysUnder(lake, "parked/");
  return [...results.map(({ what }) => what), ...parked.map((key) => `parked: ${key}`)];
}

async function keysUnder(lake: Platform["lake"], prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await lake.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
    keys.push(...page.objects.map(({ key }) => key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return keys;
}
