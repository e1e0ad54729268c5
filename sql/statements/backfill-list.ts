/** Backfills as people see them: how far they are, and which partitions they have. */
import * as z from "zod";
import { rowsOf } from "../rows/row.ts";
import { BACKFILL_REMEDY, type Backfill, OPEN } from "./backfills.ts";

export type BackfillState = "WAITING" | "STARTED" | "DONE" | "FAILED" | "CANCELLED";

export interface CountedBackfill extends Backfill {
  /** How many partitions stand at which state; none at a state that is absent. */
  readonly counts: Readonly<Partial<Record<BackfillState, number>>>;
}

const STATES = ["WAITING", "STARTED", "DONE", "FAILED", "CANCELLED"] as const satisfies readonly BackfillState[];
const countsSchema = z.partialRecord(z.enum(STATES), z.int());

const BACKFILLS = rowsOf(
  { table: "backfills", key: ["backfill_id"], remedy: BACKFILL_REMEDY },
  (row): CountedBackfill => ({
    backfill_id: row.text("backfill_id"),
    domain: row.text("domain"),
    layer: row.oneOf("layer", ["silver", "gold"]),
    from_date: row.text("from_date"),
    to_date: row.text("to_date"),
    reprocess: row.oneOf("reprocess", ["none", "failed", "completed"]),
    max_active_runs: row.integer("max_active_runs"),
    created_by: row.text("created_by"),
    created_at: row.text("created_at"),
    cancelled_at: row.textOrNull("cancelled_at"),
    ended_at: row.textOrNull("ended_at"),
    counts: row.json("counts", countsSchema),
  }),
);

const COUNTED = `SELECT b.*, (
    SELECT json_group_object(state, n) FROM (SELECT state, count(*) AS n FROM backfill_partitions p WHERE p.backfill_id = b.backfill_id GROUP BY state)
  ) AS counts FROM backfills b`;

/** Backfills of these domains (null: of all) that were created before `before`, the newest first. */
export async function listBackfills(
  db: D1Database,
  domains: readonly string[] | null,
  before: string | null,
  limit: number,
): Promise<CountedBackfill[]> {
  return await BACKFILLS.all(
    db
      .prepare(
        `${COUNTED} WHERE (?1 IS NULL OR b.domain IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR b.backfill_id < ?2)
       ORDER BY b.backfill_id DESC LIMIT ?3`,
      )
      .bind(domains === null ? null : JSON.stringify(domains), before, limit),
  );
}

export async function backfillById(db: D1Database, id: string): Promise<CountedBackfill | null> {
  return await BACKFILLS.first(db.prepare(`${COUNTED} WHERE b.backfill_id = ?`).bind(id));
}

export interface BackfillPartition {
  readonly domain: string;
  readonly partition_date: string;
  readonly state: BackfillState;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly status: string | null;
  readonly error_message: string | null;
}

const PARTITIONS = rowsOf(
  { table: "backfill_partitions", key: ["domain", "partition_date"], remedy: BACKFILL_REMEDY },
  (row): BackfillPartition => ({
    domain: row.text("domain"),
    partition_date: row.text("partition_date"),
    state: row.oneOf("state", STATES),
    started_at: row.textOrNull("started_at"),
    ended_at: row.textOrNull("ended_at"),
    status: row.textOrNull("status"),
    error_message: row.textOrNull("error_message"),
  }),
);

/** Its partitions in these states, the newest dates first. */
export async function backfillPartitions(
  db: D1Database,
  id: string,
  states: readonly BackfillState[],
  limit: number,
): Promise<BackfillPartition[]> {
  return await PARTITIONS.all(
    db
      .prepare(
        `SELECT p.domain, p.partition_date, p.state, p.started_at, p.ended_at, m.status, m.error_message
       FROM backfill_partitions p LEFT JOIN partition_meta m USING (domain, partition_date)
       WHERE p.backfill_id = ?1 AND p.state IN (SELECT value FROM json_each(?2)) ORDER BY p.partition_date DESC, p.domain LIMIT ?3`,
      )
      .bind(id, JSON.stringify(states), limit),
  );
}

/** The open backfill in which a partition waits or is under way; null: none. */
export async function openBackfillOf(
  db: D1Database,
  domain: string,
  date: string,
): Promise<{ readonly backfill_id: string; readonly state: string } | null> {
  const open = rowsOf({ table: "backfill_partitions", key: ["backfill_id"], remedy: BACKFILL_REMEDY }, (row) => ({
    backfill_id: row.text("backfill_id"),
    state: row.text("state"),
  }));
  return await open.first(
    db
      .prepare(
        `SELECT p.backfill_id, p.state FROM backfills b JOIN backfill_partitions p ON p.backfill_id = b.backfill_id
       WHERE b.ended_at IS NULL AND p.partition_date = ?2 AND p.domain = ?1 AND p.${OPEN} ORDER BY p.backfill_id LIMIT 1`,
      )
      .bind(domain, date),
  );
}
