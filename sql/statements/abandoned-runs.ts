/** Runs that ended without a commit, until their files have tombstones (`tombstones.ts`). */
import { rowsOf } from "../rows/row.ts";
import { tombstoneColumns } from "./tombstones.ts";

export interface AbandonedRun {
  readonly run_id: string;
  readonly domain: string;
  readonly partition_date: string;
}

const RUNS = rowsOf(
  { table: "abandoned_runs", key: ["run_id"], remedy: "delete the row: the files of its run then stay in the lake" },
  (row): AbandonedRun => ({
    run_id: row.text("run_id"),
    domain: row.text("domain"),
    partition_date: row.date("partition_date"),
  }),
);

export interface AbandonedQuery {
  /** Those of other deploys' tables are left: nobody here knows where their files stand. */
  readonly domains: readonly string[];
  /** ISO 8601 texts: those that ended before, by how they ended. */
  readonly lostBefore: string;
  readonly failedBefore: string;
  readonly limit: number;
}

/**
 * Abandoned runs whose files nobody needs, the longest ago first. The last failed run of a partition that has not been built since
 * is none of them: its candidate is what an operator looks at. Reads the rows that stand there.
 */
export async function abandonedRuns(db: D1Database, query: AbandonedQuery): Promise<AbandonedRun[]> {
  return await RUNS.all(
    db
      .prepare(
        `SELECT run_id, domain, partition_date FROM abandoned_runs a
       WHERE ended_at < iif(status = 'LOST', ?1, ?2) AND domain IN (SELECT value FROM json_each(?3))
         AND NOT (status = 'FAILED' AND run_id IS (
           SELECT r.run_id FROM run_history r JOIN partition_meta m USING (domain, partition_date)
           WHERE r.domain = a.domain AND r.partition_date = a.partition_date AND r.status = 'FAILED' AND m.status <> 'DONE'
           ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1))
       ORDER BY ended_at, run_id LIMIT ?4`,
      )
      .bind(query.lostBefore, query.failedBefore, JSON.stringify(query.domains), query.limit),
  );
}

/**
 * Tombstones the files of a run, if it ended without a commit, and forgets that it was abandoned. No commit follows a FAILED or
 * LOST: its fence is gone. What a candidate has stays, and the keys that progress names: a gate that held the candidate back ended
 * the run, and later steps go on from it. May be done again.
 */
export function buryRun(
  db: D1Database,
  { run_id: runId, domain, partition_date: date }: AbandonedRun,
  files: readonly string[],
): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `INSERT INTO tombstones (object, reason, tombstoned_at, delete_after)
         SELECT ${tombstoneColumns("value", "'abandoned'")} FROM json_each(?2)
         WHERE EXISTS (SELECT 1 FROM abandoned_runs WHERE run_id = ?1)
           AND NOT EXISTS (SELECT 1 FROM data_files f WHERE f.table_name IN (?3, 'silver_' || ?3) AND f.partition_date = ?4
                           AND f.file = value AND f.removed IS NULL)
           AND NOT EXISTS (SELECT 1 FROM silver_progress p WHERE p.topic = ?3 AND p.partition_date = ?4 AND instr(p.progress, value) > 0)
         ON CONFLICT DO NOTHING`,
      )
      .bind(runId, JSON.stringify(files), domain, date),
    db.prepare("DELETE FROM abandoned_runs WHERE run_id = ?").bind(runId),
  ];
}
