/** What the comparison of the ledger found wrong, in D1: a few rows, or none. */
import { rowsOf } from "../rows/row.ts";

export interface LedgerFinding {
  readonly kind: "difference" | "suspected_loss" | "incomplete";
  readonly topic: string;
  /** `YYYY-MM-DDTHH:00:00Z`; the first of a day that is incomplete. */
  readonly hour: string;
  /** Events for a difference (below zero: too many) and an incomplete day, messages for a suspected loss. */
  readonly measured: number;
  readonly detail: string;
}

const FINDINGS = rowsOf(
  {
    table: "ledger_findings",
    key: ["kind", "topic", "hour"],
    remedy: "delete the row: the next comparison of the ledger writes it again",
  },
  (row): LedgerFinding => ({
    kind: row.oneOf("kind", ["difference", "suspected_loss", "incomplete"]),
    topic: row.text("topic"),
    hour: row.time("hour"),
    measured: row.integer("measured"),
    detail: row.text("detail"),
  }),
);

/** So many are kept, the oldest hours first: more are one cause with many faces, and would pass what D1 takes at once. */
const MAX_FINDINGS = 2_000;

/** Puts findings in the place of all earlier ones, atomically. What stays as it was is not written again. */
export async function replaceFindings(db: D1Database, findings: readonly LedgerFinding[], now: string): Promise<void> {
  const oldest = findings.toSorted((a, b) => (a.hour < b.hour ? -1 : a.hour > b.hour ? 1 : 0)).slice(0, MAX_FINDINGS);
  const json = JSON.stringify(oldest);
  await db.batch([
    db
      .prepare(
        `DELETE FROM ledger_findings WHERE (kind, topic, hour) NOT IN
           (SELECT value ->> 'kind', value ->> 'topic', value ->> 'hour' FROM json_each(?))`,
      )
      .bind(json),
    db
      .prepare(
        `INSERT INTO ledger_findings (kind, topic, hour, measured, detail, found_at)
         SELECT value ->> 'kind', value ->> 'topic', value ->> 'hour', value ->> 'measured', value ->> 'detail', ?2 FROM json_each(?1) WHERE true
         ON CONFLICT DO UPDATE SET measured = excluded.measured, detail = excluded.detail
         WHERE measured <> excluded.measured OR detail <> excluded.detail`,
      )
      .bind(json, now),
  ]);
}

/** All findings, the oldest hour first, at most `limit`. */
export async function ledgerFindings(db: D1Database, limit: number): Promise<LedgerFinding[]> {
  return await FINDINGS.all(
    db
      .prepare("SELECT kind, topic, hour, measured, detail FROM ledger_findings ORDER BY hour, topic, kind LIMIT ?")
      .bind(limit),
  );
}

const OLDEST = rowsOf(
  {
    table: "ledger_findings",
    key: ["hour"],
    remedy: "delete the row: the next comparison of the ledger writes it again",
  },
  (row) => ({ hour: row.timeOrNull("hour") }),
);

/** The hour of the oldest difference or suspected loss; null when there is none. */
export async function oldestFinding(db: D1Database): Promise<string | null> {
  const oldest = db.prepare("SELECT min(hour) AS hour FROM ledger_findings WHERE kind <> 'incomplete'");
  return (await OLDEST.first(oldest))?.hour ?? null;
}
