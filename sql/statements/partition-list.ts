/** Partitions in lists: the newest dates first, by domain within a date. Each statement follows an index and has a LIMIT. */

import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";

/** A partition with what its state hangs on. Times in milliseconds are D1's clock, 0 when not set; other times ISO 8601 UTC. */
export interface PartitionFacts {
  readonly domain: string;
  readonly partition_date: string;
  readonly status: string;
  readonly run_id: string | null;
  readonly record_count: number;
  readonly silver_records: number;
  readonly gold_records: number;
  readonly retry_count: number;
  readonly error_message: string | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
  readonly processed_at: string | null;
  /** How often its inputs changed, and how much of that the last build saw. */
  readonly version: number;
  readonly built_version: number;
  readonly failed_version: number | null;
  readonly failure_class: "data" | "system" | null;
  readonly fence: number;
  /** The run that holds the lease, and since when. */
  readonly lease_run: string | null;
  readonly lease_since: string | null;
  readonly lease_until: number;
  readonly queued_at: number;
  readonly not_before: number;
  readonly revisions: number;
  /** The version at which a rollback holds it, and why; null: none does. */
  readonly pinned_version: number | null;
  readonly pinned_reason: string | null;
  /** What is published of it is of an older generation of its table (`generations.ts`). */
  readonly stale: boolean;
  /** Its bronze is retired, it cannot be built again. */
  readonly sealed: boolean;
  /** Of a topic: steps of the candidate so far, 0 when there is none, and bronze rows that no step has read. */
  readonly steps: number;
  readonly unread_rows: number;
  /** Builders that the present step lost at its present size, and how often it was halved. */
  readonly vanished: number;
  readonly splits: number;
  /** What is published was not judged by the checks that wait for the closing. */
  readonly awaits_closing: boolean;
  /** Why a native builder builds it although the edge could; null: it does not, or its model says so. */
  readonly native_reason: string | null;
  /** Of a native builder's build under way: what it said of it. */
  readonly native_phase: string | null;
  readonly native_done: number | null;
  /** When any native builder was heard from, to a minute; 0: none in the last day. */
  readonly builder_seen: number;
  /** D1's clock when the row was read. */
  readonly now: number;
}

const PARTITIONS = rowsOf(
  {
    table: "partition_meta",
    key: ["domain", "partition_date"],
    remedy: "set the column right, or delete the row: the planner discovers the partition anew",
  },
  (row): PartitionFacts => ({
    domain: row.text("domain"),
    partition_date: row.text("partition_date"),
    status: row.text("status"),
    run_id: row.textOrNull("run_id"),
    record_count: row.integer("record_count"),
    silver_records: row.integer("silver_records"),
    gold_records: row.integer("gold_records"),
    retry_count: row.integer("retry_count"),
    error_message: row.textOrNull("error_message"),
    created_at: row.textOrNull("created_at"),
    updated_at: row.textOrNull("updated_at"),
    processed_at: row.textOrNull("processed_at"),
    version: row.integer("version"),
    built_version: row.integer("built_version"),
    failed_version: row.integerOrNull("failed_version"),
    failure_class: row.oneOfOrNull("failure_class", ["data", "system"]),
    fence: row.integer("fence"),
    lease_run: row.textOrNull("lease_run"),
    lease_since: row.textOrNull("lease_since"),
    lease_until: row.integer("lease_until"),
    queued_at: row.integer("queued_at"),
    not_before: row.integer("not_before"),
    revisions: row.integer("revisions"),
    pinned_version: row.integerOrNull("pinned_version"),
    pinned_reason: row.textOrNull("pinned_reason"),
    stale: row.flag("stale"),
    sealed: row.flag("sealed"),
    steps: row.integer("steps"),
    unread_rows: row.integer("unread_rows"),
    vanished: row.integer("vanished"),
    splits: row.integer("splits"),
    awaits_closing: row.flag("awaits_closing"),
    native_reason: row.textOrNull("native_reason"),
    native_phase: row.textOrNull("native_phase"),
    native_done: row.numberOrNull("native_done"),
    builder_seen: row.integer("builder_seen"),
    now: row.integer("now"),
  }),
);

export interface PartitionFilter {
  /** null: every domain. A list is read domain by domain, so that no row of another is. */
  readonly domains: readonly string[] | null;
  /** Dates in [from, to]. */
  readonly from: string;
  readonly to: string;
  readonly status: string | null;
  /** Only what stands behind this one; null: from the beginning. */
  readonly after: { readonly date: string; readonly domain: string } | null;
}

export const UNDISCOVERED = "UNDISCOVERED";

const META = `m.domain, m.partition_date, m.status, m.run_id, m.record_count, m.silver_records, m.gold_records, m.retry_count,
  m.error_message, m.created_at, m.updated_at, m.processed_at`;
const NO_META = `i.domain, i.partition_date, '${UNDISCOVERED}' AS status, NULL AS run_id, 0 AS record_count, 0 AS silver_records, 0 AS gold_records,
  0 AS retry_count, NULL AS error_message, NULL AS created_at, NULL AS updated_at, NULL AS processed_at`;
/** Of the partition in the row `x`: its table is named after a topic, or as its domain. */
const STALE = `EXISTS (SELECT 1 FROM table_generations g JOIN published p USING (table_name) JOIN versions v USING (table_name, version)
    WHERE g.table_name IN (x.domain, 'silver_' || x.domain) AND p.partition_date = x.partition_date AND v.generation IS NOT g.generation)`;
const SEALED =
  "EXISTS (SELECT 1 FROM sealed_partitions s WHERE s.topic = x.domain AND s.partition_date = x.partition_date)";
const ownOf = (of: "m" | "i") =>
  `${STALE.replaceAll("x.", `${of}.`)} AS stale, ${SEALED.replaceAll("x.", `${of}.`)} AS sealed`;
const REST = `coalesce(i.version, 0) AS version, coalesce(i.built_version, 0) AS built_version, l.failed_version, l.failure_class,
  coalesce(l.fence, 0) AS fence, l.run_id AS lease_run, l.started_at AS lease_since, coalesce(l.lease_until, 0) AS lease_until,
  coalesce(l.queued_at, 0) AS queued_at, coalesce(l.not_before, 0) AS not_before, coalesce(l.revisions, 0) AS revisions,
  n.version AS pinned_version, n.reason AS pinned_reason, coalesce(l.vanished, 0) AS vanished, coalesce(l.splits, 0) AS splits,
  coalesce(l.awaits_closing, 0) AS awaits_closing,
  coalesce(c.steps, 0) AS steps, z.reason AS native_reason, r.phase AS native_phase, r.done AS native_done,
  coalesce((SELECT max(seen_at) FROM builders), 0) AS builder_seen,
  CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now`;
// Where the candidate has come to, else the published version. A row that somebody edited counts as none.
const read = (member: string) => `iif(json_valid(c.progress), c.progress ->> '${member}', NULL)`;
const unread = (of: "m" | "i") => `(SELECT coalesce(sum(d.rows), 0) FROM bronze_file_dates d
     WHERE d.topic = ${of}.domain AND d.partition_date = ${of}.partition_date AND d.registration > coalesce(${read("seen")},
       (SELECT v.seen FROM published p JOIN versions v USING (table_name, version)
        WHERE p.table_name = 'silver_' || ${of}.domain AND p.partition_date = ${of}.partition_date), 0))
  - coalesce(${read("partRead")}, 0) AS unread_rows`;
const WITH_INPUTS = "LEFT JOIN partition_inputs i USING (domain, partition_date)";
const withLease = (of: "m" | "i") => `LEFT JOIN partition_leases l USING (domain, partition_date)
  LEFT JOIN pinned_partitions n USING (domain, partition_date)
  LEFT JOIN native_partitions z USING (domain, partition_date)
  LEFT JOIN native_runs r ON r.run_id = l.run_id
  LEFT JOIN silver_progress c ON c.topic = ${of}.domain AND c.partition_date = ${of}.partition_date AND c.line = 'candidate'`;
const IS_UNDISCOVERED = `i.version <> i.built_version
  AND NOT EXISTS (SELECT 1 FROM partition_meta m WHERE m.domain = i.domain AND m.partition_date = i.partition_date)`;

/** At most `limit` partitions in the order of the list, with those that no planner has seen yet. */
export async function listPartitions(
  db: D1Database,
  filter: PartitionFilter,
  limit: number,
): Promise<PartitionFacts[]> {
  const { domains, status } = filter;
  const statements = (domains ?? [null]).flatMap((domain) => [
    ...(status === UNDISCOVERED ? [] : [known(db, filter, domain, limit)]),
    ...(status === null || status === UNDISCOVERED ? [undiscovered(db, filter, domain, limit)] : []),
  ]);
  if (statements.length === 0) return [];
  const results = await db.batch<RowValues>(statements);
  return results
    .flatMap((result) => PARTITIONS.in(result))
    .sort(newestFirst)
    .slice(0, limit);
}

/** One partition; null: there is neither a row nor an input of it. */
export async function partitionFacts(db: D1Database, domain: string, date: string): Promise<PartitionFacts | null> {
  const filter = { domains: [domain], from: date, to: date, status: null, after: null };
  return (await listPartitions(db, filter, 1))[0] ?? null;
}

function newestFirst(a: PartitionFacts, b: PartitionFacts): number {
  if (a.partition_date !== b.partition_date) return a.partition_date < b.partition_date ? 1 : -1;
  return a.domain < b.domain ? -1 : 1;
}

function known(
  db: D1Database,
  { from, to, status, after }: PartitionFilter,
  domain: string | null,
  limit: number,
): D1PreparedStatement {
  const index =
    domain !== null
      ? "m"
      : status === null || status === "DONE"
        ? "m INDEXED BY partition_meta_by_date"
        : "m INDEXED BY partition_meta_active";
  const conditions = [
    domain === null ? "?6 IS NULL" : "m.domain = ?6",
    status === null ? "?7 IS NULL" : "m.status = ?7",
    // The index of active partitions is partial: SQLite uses it for a query that says so itself.
    ...(domain === null && status !== null && status !== "DONE" ? ["m.status <> 'DONE'"] : []),
  ];
  return db
    .prepare(
      `SELECT ${META}, ${ownOf("m")}, ${REST}, ${unread("m")} FROM partition_meta ${index} ${WITH_INPUTS} ${withLease("m")}
       WHERE ${[...conditions, ...range("m")].join(" AND ")} ORDER BY m.partition_date DESC, m.domain LIMIT ?5`,
    )
    .bind(from, to, after?.date ?? null, after?.domain ?? null, limit, domain, status);
}

function undiscovered(
  db: D1Database,
  { from, to, after }: PartitionFilter,
  domain: string | null,
  limit: number,
): D1PreparedStatement {
  const conditions = [domain === null ? "?6 IS NULL" : "i.domain = ?6", ...range("i"), IS_UNDISCOVERED];
  return db
    .prepare(
      `SELECT ${NO_META}, ${ownOf("i")}, ${REST}, ${unread("i")} FROM partition_inputs i INDEXED BY partition_inputs_unbuilt ${withLease("i")}
       WHERE ${conditions.join(" AND ")} ORDER BY i.partition_date DESC, i.domain LIMIT ?5`,
    )
    .bind(from, to, after?.date ?? null, after?.domain ?? null, limit, domain);
}

function range(of: "m" | "i"): string[] {
  return [
    `${of}.partition_date >= ?1 AND ${of}.partition_date <= min(?2, coalesce(?3, ?2))`,
    `(?3 IS NULL OR ${of}.partition_date < ?3 OR ${of}.domain > ?4)`,
  ];
}

export interface StatusCount {
  readonly status: string;
  readonly partitions: number;
}

const COUNTS = rowsOf(
  { table: "partition_meta", key: ["status"], remedy: "see its statuses" },
  (row): StatusCount => ({ status: row.text("status"), partitions: row.integer("partitions") }),
);

/** Rows that a count reads at most. */
export const MOST_COUNTED = 100_000;

/**
 * How many partitions stand at which status. `DONE` counts what is left of all of them, which the index by date tells without a look
 * at the rows; it is a lower bound where there are more than MOST_COUNTED.
 */
export async function countPartitions(
  db: D1Database,
  { domains, from, to }: Pick<PartitionFilter, "domains" | "from" | "to">,
): Promise<StatusCount[]> {
  const names = domains === null ? null : JSON.stringify(domains);
  const own = (of: string) => (domains === null ? "?3 IS NULL" : `${of}.domain IN (SELECT value FROM json_each(?3))`);
  const dates = (of: string) => `${of}.partition_date BETWEEN ?1 AND ?2`;
  const index = domains === null ? "INDEXED BY partition_meta_by_date" : "";
  const results = await db.batch<RowValues>([
    db
      .prepare(
        `SELECT m.status, count(*) AS partitions FROM partition_meta m INDEXED BY partition_meta_active
         WHERE m.status <> 'DONE' AND ${dates("m")} AND ${own("m")} GROUP BY m.status`,
      )
      .bind(from, to, names),
    db
      .prepare(
        `SELECT 'DONE' AS status, count(*) AS partitions FROM (
           SELECT 1 FROM partition_meta m ${index} WHERE ${dates("m")} AND ${own("m")} LIMIT ${MOST_COUNTED})`,
      )
      .bind(from, to, names),
    db
      .prepare(
        `SELECT '${UNDISCOVERED}' AS status, count(*) AS partitions FROM partition_inputs i INDEXED BY partition_inputs_unbuilt
         WHERE ${IS_UNDISCOVERED} AND ${dates("i")} AND ${own("i")}`,
      )
      .bind(from, to, names),
  ]);
  const [active = [], all = [], unseen = []] = results.map((result) => COUNTS.in(result));
  const counts = new Map<string, number>();
  for (const { status, partitions } of [...active, ...unseen]) {
    counts.set(status, (counts.get(status) ?? 0) + partitions);
  }
  const notDone = active.reduce((sum, { partitions }) => sum + partitions, 0);
  counts.set("DONE", Math.max(0, (all[0]?.partitions ?? 0) - notDone));
  return [...counts]
    .filter(([, partitions]) => partitions > 0)
    .map(([status, partitions]) => ({ status, partitions }))
    .sort((a, b) => (a.status < b.status ? -1 : 1));
}
