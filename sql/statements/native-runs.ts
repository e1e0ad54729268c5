/** Runs of native builders: which lease an address of `/v1/builds/runs/{run}` is of, how far the build is, and how it ended. */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import type { Guard } from "./guard.ts";
import { leaseGuard } from "./guard.ts";
import type { Lease } from "./leases.ts";
import { endRun } from "./runs.ts";
import { tombstoneColumns } from "./tombstones.ts";

const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const NOW_TEXT = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
/** How long a builder may ask again how a run of its ended. */
const FORGET_MS = 2 * 86_400_000;

const OUTCOMES = ["published", "failed", "released"] as const;
export type NativeOutcome = (typeof OUTCOMES)[number];

export interface NativeRun {
  readonly runId: string;
  readonly domain: string;
  readonly date: string;
  readonly fence: number;
  /** Whether its lease stands: no other took the partition since, and the planner has not called it lost. */
  readonly held: boolean;
  /** How it ended; null: it stands, or was lost. */
  readonly outcome: NativeOutcome | null;
  readonly message: string | null;
}

const RUNS = rowsOf(
  { table: "native_runs", key: ["run_id"], remedy: "delete the row: its build is lost, and done again" },
  (row): NativeRun => ({
    runId: row.text("run_id"),
    domain: row.text("domain"),
    date: row.date("partition_date"),
    fence: row.integer("fence"),
    held: row.flag("held"),
    outcome: row.oneOfOrNull("outcome", OUTCOMES),
    message: row.textOrNull("message"),
  }),
);

const OF_KEY = `SELECT r.*, coalesce(r.outcome IS NULL AND l.run_id = r.run_id AND l.fence = r.fence, 0) AS held
  FROM native_runs r LEFT JOIN partition_leases l USING (domain, partition_date) WHERE r.run_id = ?1 AND r.key_id = ?2`;

/** A run of this key's builders; undefined where there is none of that name, which another key's run is too. Two rows. */
export async function nativeRun(db: D1Database, runId: string, keyId: string): Promise<NativeRun | undefined> {
  return (await RUNS.first(db.prepare(OF_KEY).bind(runId, keyId))) ?? undefined;
}

/** Notes the run of a lease that was just taken, and lets go of those that ended days ago. Nothing happens where the lease is another's. */
export function openNativeRun(
  db: D1Database,
  lease: Lease,
  by: { readonly builderId: string; readonly keyId: string },
): D1PreparedStatement[] {
  const { held, prepare } = leaseGuard(db, lease);
  return [
    prepare(
      `INSERT INTO native_runs (run_id, domain, partition_date, fence, builder_id, key_id, started_at)
       SELECT ?3, ?1, ?2, ?4, ?5, ?6, ${NOW_MS} WHERE ${held} ON CONFLICT DO NOTHING`,
      by.builderId,
      by.keyId,
    ),
    prepare(
      `UPDATE builders SET run_id = ?3, worked_at = ${NOW_MS}, seen_at = ${NOW_MS} WHERE id = ?5 AND ${held}`,
      by.builderId,
    ),
    db.prepare(`DELETE FROM native_runs WHERE started_at < ${NOW_MS} - ${FORGET_MS}`),
  ];
}

/** What a builder says of its build. */
export interface BuildProgress {
  readonly phase: string;
  readonly done: number | null;
}

/**
 * Has the lease stand for `leaseMs` from now; one that ran out, and that nobody took, stands again. Gives the run as it is then: not
 * `held` where the lease is gone. A row is written for the lease, another one where the build is further, and the builder's each minute.
 */
export async function renewNativeRun(
  db: D1Database,
  runId: string,
  keyId: string,
  leaseMs: number,
  progress: BuildProgress | null,
): Promise<NativeRun | undefined> {
  const own = "run_id = ?1 AND key_id = ?2 AND outcome IS NULL";
  const results = await db.batch<RowValues>([
    db
      .prepare(
        `UPDATE partition_leases SET lease_until = ${NOW_MS} + ?3
         WHERE (domain, partition_date) = (SELECT domain, partition_date FROM native_runs WHERE ${own})
           AND run_id = ?1 AND fence = (SELECT fence FROM native_runs WHERE run_id = ?1)`,
      )
      .bind(runId, keyId, leaseMs),
    ...(progress === null
      ? []
      : [
          db
            .prepare(
              `UPDATE native_runs SET phase = ?3, done = ?4 WHERE ${own} AND (phase IS NOT ?3 OR done IS NOT ?4)`,
            )
            .bind(runId, keyId, progress.phase, progress.done),
        ]),
    db
      .prepare(
        `UPDATE builders SET seen_at = ${NOW_MS} WHERE seen_at < ${NOW_MS} - 60000
           AND id = (SELECT builder_id FROM native_runs WHERE ${own})`,
      )
      .bind(runId, keyId),
    db.prepare(OF_KEY).bind(runId, keyId),
  ]);
  return RUNS.in(results.at(-1))[0];
}

/** Statements of what ends a run, before its lease is freed: what its builder is told when it asks again. `order`: its object, which goes. */
export function endNativeRun(
  outcome: NativeOutcome,
  message: string | null,
  order: string,
  { held, prepare }: Guard,
): D1PreparedStatement[] {
  return [
    prepare(`UPDATE native_runs SET outcome = ?5, message = ?6 WHERE run_id = ?3 AND ${held}`, outcome, message),
    prepare(
      `UPDATE builders SET run_id = NULL WHERE run_id = ?3 AND id = (SELECT builder_id FROM native_runs WHERE run_id = ?3) AND ${held}`,
    ),
    prepare(
      `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
       SELECT ${tombstoneColumns("?5", "'of no build any more'")} WHERE ${held} ON CONFLICT DO NOTHING`,
      order,
    ),
  ];
}

const ENDED = rowsOf({ table: "native_runs", key: ["run_id"], remedy: "ask again" }, (row) => row.integer("ended"));

/** Does what ends a run, in one batch; gives whether the run has ended: not where its lease is another's. */
export async function endedBy(
  db: D1Database,
  runId: string,
  statements: readonly D1PreparedStatement[],
): Promise<boolean> {
  const results = await db.batch<RowValues>([
    ...statements,
    db.prepare("SELECT count(*) AS ended FROM native_runs WHERE run_id = ? AND outcome IS NOT NULL").bind(runId),
  ]);
  return ENDED.in(results.at(-1))[0] === 1;
}

/**
 * Gives a partition back: it waits for a build as it did, with as many retries, and the first one that asks gets it. Its run ends as
 * LOST or FAILED, so that what it staged is found. A status that an operator set meanwhile stays.
 */
export function releaseRun(
  db: D1Database,
  lease: Pick<Lease, "domain" | "date" | "runId" | "fence">,
  message: string,
  ended: "LOST" | "FAILED" = "LOST",
): D1PreparedStatement[] {
  const { held, prepare } = leaseGuard(db, lease);
  return [
    prepare(
      `UPDATE partition_meta SET updated_at = ${NOW_TEXT}, status = iif((SELECT late FROM partition_leases WHERE domain = ?1 AND partition_date = ?2),
           'REPROCESSING', iif(retry_count > 0, 'RETRYING', 'PENDING'))
       WHERE domain = ?1 AND partition_date = ?2 AND status = 'IN_FLIGHT' AND ${held}`,
    ),
    prepare(`${endRun(ended, { error_message: "?5" })} AND l.run_id = ?3 AND l.fence = ?4`, message),
    prepare(
      `UPDATE partition_leases SET lease_until = 0, run_id = NULL WHERE domain = ?1 AND partition_date = ?2 AND run_id = ?3 AND fence = ?4`,
    ),
  ];
}
