/** The row of a topic whose buffers are far behind. */
import { rowsOf } from "../rows/row.ts";

export interface BackPressureRow {
  readonly topic: string;
  /** ISO 8601 UTC. */
  readonly until: string;
  readonly reason: string;
}

const HELD = rowsOf(
  {
    table: "back_pressure",
    key: ["topic"],
    remedy: "delete the row: the watchdog writes it again where a buffer is far behind",
  },
  (row): BackPressureRow => ({
    topic: row.text("topic"),
    until: row.time("until"),
    reason: row.text("reason"),
  }),
);

/** Asks the gateway to hold a topic's producers off until then. The later of two askers counts. */
export function putBackPressure(db: D1Database, row: BackPressureRow, now: string): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO back_pressure (topic, until, reason, written_at) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO UPDATE SET until = max(until, excluded.until), reason = excluded.reason, written_at = excluded.written_at`,
    )
    .bind(row.topic, row.until, row.reason, now);
}

/** Lets all topics go but those named, as far as nobody asked since `before` (ISO 8601). */
export function releaseBackPressure(db: D1Database, kept: readonly string[], before: string): D1PreparedStatement {
  return db
    .prepare("DELETE FROM back_pressure WHERE written_at < ?2 AND topic NOT IN (SELECT value FROM json_each(?1))")
    .bind(JSON.stringify(kept), before);
}

/** Topics that are held off now: few rows, or none. */
export async function backPressure(db: D1Database, now: string): Promise<BackPressureRow[]> {
  return await HELD.all(db.prepare("SELECT topic, until, reason FROM back_pressure WHERE until > ?").bind(now));
}
