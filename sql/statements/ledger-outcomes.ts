/** Where the bronze rows of a partition went, as its build says in its commit. */
import type { Guard } from "./removed-rows.ts";

export const OUTCOME_TERMS = ["silver", "superseded", "quarantined", "expired"] as const;

export interface OutcomeLine {
  /** `YYYY-MM-DDTHH:00:00Z`, of reception. */
  readonly hour: string;
  readonly term: (typeof OUTCOME_TERMS)[number];
  readonly events: number;
  /** Of them, events that were refused at first and came in by a replay. */
  readonly replayed: number;
}

export interface Outcomes {
  readonly topic: string;
  /** All of the partition: a line that an earlier build had and this one has not is set to zero. */
  readonly lines: readonly OutcomeLine[];
}

/** The statements of a commit. What did not change is not written: an open partition is built every minute. */
export function outcomeStatements({ topic, lines }: Outcomes, { held, prepare }: Guard): D1PreparedStatement[] {
  const json = JSON.stringify(lines);
  return [
    // Set to zero rather than deleted, so that the ledger's trigger sees it.
    prepare(
      `UPDATE ledger_outcomes SET events = 0, replayed = 0 WHERE topic = ?5 AND partition_date = ?2 AND events <> 0
         AND (hour, term) NOT IN (SELECT value ->> 'hour', value ->> 'term' FROM json_each(?6)) AND ${held}`,
      topic,
      json,
    ),
    prepare(
      `INSERT INTO ledger_outcomes (topic, partition_date, hour, term, events, replayed)
       SELECT ?5, ?2, value ->> 'hour', value ->> 'term', value ->> 'events', value ->> 'replayed' FROM json_each(?6) WHERE ${held}
       ON CONFLICT DO UPDATE SET events = excluded.events, replayed = excluded.replayed
         WHERE events <> excluded.events OR replayed <> excluded.replayed`,
      topic,
      json,
    ),
  ];
}
