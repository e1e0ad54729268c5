/** What people decided of partitions that a check kept from being published. */
import * as z from "zod";
import { rowsOf } from "../rows/row.ts";

export type DecisionAction = "accept" | "quarantine" | "discard";

/** A check that held a run back, and what it measured. */
export interface HeldCheck {
  readonly layer: string;
  readonly check_name: string;
  readonly measured: number | null;
}

export interface Decision {
  readonly decision_id: string;
  readonly action: DecisionAction;
  readonly reason: string;
  /** Key id. */
  readonly decided_by: string;
  /** ISO 8601 UTC. */
  readonly decided_at: string;
  readonly run_id: string;
  readonly checks: readonly HeldCheck[];
}

const heldChecks = z.array(z.object({ layer: z.string(), check_name: z.string(), measured: z.number().nullable() }));

const DECISIONS = rowsOf(
  {
    table: "partition_decisions",
    key: ["domain", "partition_date", "decision_id"],
    remedy: "restore it with D1's Time Travel: builds of the partition go by it",
  },
  (row): Decision => ({
    decision_id: row.text("decision_id"),
    action: row.oneOf("action", ["accept", "quarantine", "discard"]),
    reason: row.text("reason"),
    decided_by: row.text("decided_by"),
    decided_at: row.text("decided_at"),
    run_id: row.text("run_id"),
    checks: row.json("checks", heldChecks),
  }),
);

/** Every decision on a partition, the last first. */
export async function decisionsOf(db: D1Database, domain: string, date: string): Promise<Decision[]> {
  return await DECISIONS.all(
    db
      .prepare(
        `SELECT domain, partition_date, decision_id, action, reason, decided_by, decided_at, run_id, checks FROM partition_decisions
         WHERE domain = ? AND partition_date = ? ORDER BY decision_id DESC`,
      )
      .bind(domain, date),
  );
}

/**
 * Notes a decision and does what it says, if the partition's last run still is the one that was decided on and it still waits: with
 * `accept` and `quarantine` it is built again, with `discard` it is DONE as it stands, and what its inputs are is forgotten as seen
 * until there are others. Gives whether it held.
 */
export async function decide(
  db: D1Database,
  domain: string,
  date: string,
  { decision_id, action, reason, decided_by, decided_at, run_id, checks }: Decision,
): Promise<boolean> {
  const made =
    "EXISTS (SELECT 1 FROM partition_decisions WHERE domain = ?1 AND partition_date = ?2 AND decision_id = ?3)";
  const [noted] = await db.batch([
    db
      .prepare(
        `INSERT INTO partition_decisions (domain, partition_date, decision_id, action, reason, decided_by, decided_at, run_id, checks)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
         FROM partition_meta m JOIN partition_leases l USING (domain, partition_date)
         WHERE m.domain = ?1 AND m.partition_date = ?2 AND m.status IN ('FAILED', 'RETRYING', 'PENDING') AND m.run_id = ?8
           AND l.run_id IS NULL AND l.failure_class = 'data'
         RETURNING decision_id`,
      )
      .bind(domain, date, decision_id, action, reason, decided_by, decided_at, run_id, JSON.stringify(checks)),
    db
      .prepare(
        `UPDATE partition_meta SET status = ?4, retry_count = 0, error_message = iif(?4 = 'DONE', NULL, error_message),
           updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
         WHERE domain = ?1 AND partition_date = ?2 AND ${made}`,
      )
      .bind(domain, date, decision_id, action === "discard" ? "DONE" : "PENDING"),
  ]);
  return noted?.results.length === 1;
}
