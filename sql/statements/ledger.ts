/** The ledger's terms in D1, as the table `silver_ledger` publishes them. */
import { rowsOf } from "../rows/row.ts";

export interface LedgerTerm {
  readonly hour: string;
  readonly topic: string;
  /**
   * `accepted`: appended to a buffer; `rejected`: stands in the dead letters; `bronze`: a row of a bronze file. Of these, `duplicate`:
   * a copy that silver removed, and `silver`, `superseded`, `quarantined`, `expired`: what became of the rest.
   */
  readonly term: "accepted" | "rejected" | "bronze" | "duplicate" | "silver" | "superseded" | "quarantined" | "expired";
  readonly error_type: string | null;
  readonly events: number;
}

const TERMS = [
  "accepted",
  "rejected",
  "bronze",
  "duplicate",
  "silver",
  "superseded",
  "quarantined",
  "expired",
] as const;

const TERM_ROWS = rowsOf(
  {
    table: "ledger",
    key: ["topic", "hour", "term"],
    remedy: "delete the row: its buffer or build tells its totals again",
  },
  (row): LedgerTerm => ({
    hour: row.text("hour"),
    topic: row.text("topic"),
    term: row.oneOf("term", TERMS),
    error_type: row.textOrNull("error_type"),
    events: row.integer("events"),
  }),
);

/** All terms of the hours of one UTC date, in a fixed order. A dead letter counts as `rejected` of the topic it came from and as `accepted` of `dead_letters`. */
export async function ledgerTerms(db: D1Database, date: string): Promise<LedgerTerm[]> {
  const from = `${date}T00`;
  const to = `${date}T24`;
  return await TERM_ROWS.all(
    db
      .prepare(
        `SELECT hour, topic, 'accepted' AS term, NULL AS error_type, sum(events) AS events
         FROM ledger WHERE hour >= ?1 AND hour < ?2 GROUP BY hour, topic
       UNION ALL
       SELECT hour, substr(detail, 1, instr(detail, '|') - 1), 'rejected', substr(detail, instr(detail, '|') + 1), sum(events)
         FROM ledger WHERE hour >= ?1 AND hour < ?2 AND topic = 'dead_letters' AND detail <> '' GROUP BY hour, detail
       UNION ALL
       SELECT hour, topic, 'bronze', NULL, sum(rows)
         FROM bronze_file_hours WHERE hour >= ?1 AND hour < ?2 GROUP BY hour, topic
       UNION ALL
       SELECT hour, topic, 'duplicate', NULL, sum(events)
         FROM ledger_duplicates WHERE hour >= ?1 AND hour < ?2 AND events > 0 GROUP BY hour, topic
       UNION ALL
       SELECT hour, topic, term, NULL, sum(events)
         FROM ledger_outcomes WHERE hour >= ?1 AND hour < ?2 AND events > 0 GROUP BY hour, topic, term
       ORDER BY 1, 2, 3, 4`,
      )
      .bind(from, to),
  );
}
