/** Where the bronze rows of a partition went, as its build says in its commit. */

export interface OutcomeLine {
  /** `YYYY-MM-DDTHH:00:00Z`, of reception. */
  readonly hour: string;
  readonly term: "silver" | "superseded" | "quarantined" | "expired";
  readonly events: number;
}

export interface Outcomes {
  readonly topic: string;
  /** All of the partition: a line that an earlier build had and this one has not is set to zero. */
  readonly lines: readonly OutcomeLine[];
}

/**
 * The statements of a commit, guarded by `held`: `guarded` binds the lease's domain, date, run and fence as ?1 to ?4. What did not
 * change is not written: an open partition is built every minute.
 */
export function outcomeStatements(
  { topic, lines }: Outcomes,
  guarded: (sql: string, ...values: (string | number | null)[]) => D1PreparedStatement,
  held: string,
): D1PreparedStatement[] {
  const json = JSON.stringify(lines);
  return [
    // Set to zero rather than deleted, so that the ledger's trigger sees it.
    guarded(
      `UPDATE ledger_outcomes SET events = 0 WHERE topic = ?5 AND partition_date = ?2 AND events <> 0
         AND (hour, term) NOT IN (SELECT value ->> 'hour', value ->> 'term' FROM json_each(?6)) AND ${held}`,
      topic,
      json,
    ),
    guarded(
      `INSERT INTO ledger_outcomes (topic, partition_date, hour, term, events)
       SELECT ?5, ?2, value ->> 'hour', value ->> 'term', value ->> 'events' FROM json_each(?6) WHERE ${held}
       ON CONFLICT DO UPDATE SET events = excluded.events WHERE events <> excluded.events`,
      topic,
      json,
    ),
  ];
}
