/** Rollbacks: a version of a partition that has the files of an older one, pinned until somebody releases it. */
import { rowsOf, textsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { bronzeTerms, bronzeTermsStatements } from "./bronze-terms.ts";
import { versionStatements } from "./commits.ts";
import { NEWEST } from "./data-files.ts";
import type { Guard } from "./guard.ts";
import { ONE_MORE_CHANGE } from "./input-changes.ts";
import { endRun } from "./runs.ts";
import { markStale, type StalePartition } from "./stale-partitions.ts";

/** What a partition was as of an older version. */
export interface RollbackTarget {
  /** The version of the partition that stood then; null: it had none. */
  readonly version: number | null;
  readonly rows: number;
  readonly seen: number | null;
  readonly complete_through: string | null;
  readonly digest: string;
  readonly generation: string | null;
  /** JSON (`bronzeTerms`); null where the table is not a topic's silver. */
  readonly terms: string | null;
  readonly committed_at: string | null;
}

const TARGETS = rowsOf(
  { table: "versions", key: ["table_name", "version"], remedy: "roll back to another version" },
  (row): RollbackTarget => ({
    version: row.integer("version"),
    rows: row.count("rows"),
    seen: row.integerOrNull("seen"),
    complete_through: row.timeOrNull("complete_through"),
    digest: row.text("digest"),
    generation: row.textOrNull("generation"),
    terms: row.textOrNull("terms"),
    committed_at: row.time("committed_at"),
  }),
);

/** The partition's newest version up to `version`; null: there is none. */
export async function rollbackTarget(
  db: D1Database,
  table: string,
  date: string,
  version: number,
): Promise<RollbackTarget | null> {
  return await TARGETS.first(
    db
      .prepare(
        `SELECT table_name, version, rows, seen, complete_through, digest, generation, terms, committed_at FROM versions
         WHERE table_name = ? AND partition_date = ? AND version <= ? ORDER BY version DESC LIMIT 1`,
      )
      .bind(table, date, version),
  );
}

const DATES = textsOf({ table: "published", remedy: "build the partition again" }, "partition_date");

/** At most `limit` dates of a table of which rows were committed behind `version` and that are not pinned at it, ascending. */
export async function datesBehind(
  db: D1Database,
  table: string,
  domain: string,
  version: number,
  limit: number,
): Promise<string[]> {
  return await DATES.all(
    db
      .prepare(
        `SELECT p.partition_date FROM published p JOIN versions v USING (table_name, version)
         WHERE p.table_name = ?1 AND coalesce(v.rows_of, p.version) > ?3 AND NOT EXISTS (
           SELECT 1 FROM pinned_partitions n WHERE n.domain = ?2 AND n.partition_date = p.partition_date AND n.version = ?3)
         ORDER BY p.partition_date LIMIT ?4`,
      )
      .bind(table, domain, version, limit),
  );
}

export interface Rollback {
  readonly table: string;
  readonly domain: string;
  readonly date: string;
  /** The topic whose silver the table is; null for any other. */
  readonly topic: string | null;
  readonly layer: "silver" | "gold";
  readonly runId: string;
  /** As asked for: what the files were as of it. */
  readonly version: number;
  readonly target: RollbackTarget;
  readonly reason: string;
  /** The partitions that read this one. */
  readonly dependents: readonly StalePartition[];
}

const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/**
 * Makes the partition's next version one with the files, the ledger's terms and the digest of the target. One batch: it takes the lease
 * from whoever holds it, so that a build under way cannot publish any more. Gives whether it happened: not while the partition's files
 * stand in a manifest only (`manifest` of `published`). May be done again with another run.
 */
export async function rollBack(db: D1Database, rollback: Rollback): Promise<boolean> {
  const { table, domain, date, runId, target } = rollback;
  const listed =
    "NOT EXISTS (SELECT 1 FROM published WHERE table_name = ?4 AND partition_date = ?2 AND manifest IS NOT NULL)";
  const guard: Guard = {
    held: `EXISTS (SELECT 1 FROM partition_leases WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3) AND ${listed}`,
    prepare: (sql, ...values) => db.prepare(sql).bind(domain, date, runId, table, ...values),
  };
  const { held, prepare } = guard;
  const terms =
    rollback.topic === null
      ? []
      : bronzeTermsStatements(
          { topic: rollback.topic, ...bronzeTerms.parse(JSON.parse(target.terms ?? NO_TERMS)) },
          guard,
        );
  const version = {
    table,
    kind: "rollback",
    rows: target.rows,
    rowsAdded: 0,
    seen: target.seen,
    completeThrough: target.complete_through,
    digest: target.digest,
    topic: rollback.topic,
    generation: { kept: target.generation },
  } as const;
  const results = await db.batch<RowValues>([
    prepare(`${endRun("LOST")} AND l.run_id IS NOT NULL AND l.run_id <> ?3 AND ${listed}`),
    prepare(
      `INSERT INTO partition_leases (domain, partition_date, fence, run_id, started_at) SELECT ?1, ?2, 1, ?3, ${NOW} WHERE ${listed}
       ON CONFLICT DO UPDATE SET fence = fence + 1, run_id = excluded.run_id, started_at = excluded.started_at, nonce = NULL`,
    ),
    ...terms,
    ...versionStatements(version, filesOf(rollback, guard), guard),
    ...markStale(rollback.dependents, guard),
    ...unbuilt(guard),
    prepare(
      `UPDATE partition_meta SET status = 'DONE', retry_count = 0, error_message = NULL, file_hash = ?5, record_count = ?8, updated_at = ${NOW}, processed_at = ?6,
         silver_records = iif(?7 = 'silver', ?8, silver_records), gold_records = iif(?7 = 'gold', ?8, gold_records)
       WHERE domain = ?1 AND partition_date = ?2 AND ${held}`,
      target.digest,
      target.committed_at,
      rollback.layer,
      target.rows,
    ),
    prepare(
      `INSERT INTO pinned_partitions (domain, partition_date, version, reason, pinned_at) SELECT ?1, ?2, ?5, ?6, ${NOW} WHERE ${held}
       ON CONFLICT DO UPDATE SET version = excluded.version, reason = excluded.reason, pinned_at = excluded.pinned_at`,
      rollback.version,
      rollback.reason,
    ),
    prepare(`${endRun("DONE", { rows_out: "?5" })} AND l.run_id = ?3 AND ${listed}`, target.rows),
    prepare(
      `UPDATE partition_leases SET run_id = NULL, lease_until = 0, queued_at = 0, not_before = 0, failure_class = NULL, failed_version = NULL, late = 0
       WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND ${listed}`,
    ),
    db.prepare("SELECT count(*) AS done FROM versions WHERE table_name = ? AND run_id = ?").bind(table, runId),
  ]);
  return DONE.in(results.at(-1))[0] === 1;
}

const DONE = rowsOf({ table: "versions", key: [], remedy: "roll back again" }, (row) => row.integer("done"));

const NO_TERMS = JSON.stringify({ duplicates: [], outcomes: [] });

/** Files that came since go; those that went since come back, in rows of their own. */
function filesOf({ table, version }: Rollback, { held, prepare }: Guard): D1PreparedStatement[] {
  return [
    prepare(
      `UPDATE data_files SET removed = ${NEWEST}
       WHERE table_name = ?5 AND partition_date = ?2 AND added > ?6 AND removed IS NULL AND ${held}`,
      table,
      version,
    ),
    prepare(
      `INSERT INTO data_files (table_name, partition_date, file, again, kind, added, rows, bytes, stats)
       SELECT table_name, partition_date, file, ${NEWEST}, kind, ${NEWEST}, rows, bytes, stats FROM data_files
       WHERE table_name = ?5 AND partition_date = ?2 AND added <= ?6 AND removed > ?6 AND ${held}`,
      table,
      version,
    ),
  ];
}

/** The partition waits for a build of inputs that are no news, as after a rebuild of them: what it shows is not all that there is. */
function unbuilt({ held, prepare }: Guard): D1PreparedStatement[] {
  return [
    prepare(`UPDATE partition_inputs SET ${ONE_MORE_CHANGE} WHERE domain = ?1 AND partition_date = ?2 AND ${held}`),
    prepare(
      `INSERT INTO partition_replays (domain, partition_date, replays) SELECT ?1, ?2, 1 WHERE ${held}
       ON CONFLICT DO UPDATE SET replays = replays + 1`,
    ),
  ];
}

/** A partition that a rollback holds. */
export interface Pin {
  readonly partition_date: string;
  readonly version: number;
  readonly reason: string;
  readonly pinned_at: string;
}

const PINS = rowsOf(
  { table: "pinned_partitions", key: ["domain", "partition_date"], remedy: "delete it, which releases the partition" },
  (row): Pin => ({
    partition_date: row.date("partition_date"),
    version: row.integer("version"),
    reason: row.text("reason"),
    pinned_at: row.time("pinned_at"),
  }),
);

const PINNED = rowsOf(
  { table: "pinned_partitions", key: ["domain"], remedy: "delete them, which releases the partitions" },
  (row) => ({
    domain: row.text("domain"),
    partitions: row.integer("partitions"),
  }),
);

/** How many partitions of each domain are pinned; domains without any are absent. */
export async function pinnedByDomain(db: D1Database): Promise<ReadonlyMap<string, number>> {
  const rows = await PINNED.all(
    db.prepare("SELECT domain, count(*) AS partitions FROM pinned_partitions GROUP BY domain"),
  );
  return new Map(rows.map(({ domain, partitions }) => [domain, partitions]));
}

/** Lets the planner have a domain's partitions again, or the one of a date; those that were pinned. */
export async function releasePins(db: D1Database, domain: string, date: string | null): Promise<Pin[]> {
  const pins = await PINS.all(
    db
      .prepare("DELETE FROM pinned_partitions WHERE domain = ?1 AND (?2 IS NULL OR partition_date = ?2) RETURNING *")
      .bind(domain, date),
  );
  return pins.sort((a, b) => (a.partition_date < b.partition_date ? -1 : 1));
}
