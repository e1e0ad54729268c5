/** Where the bronze rows of a topic's partition went: the ledger's terms of it, as statements of the commit. */
import * as z from "zod";
import type { Guard } from "./guard.ts";

const OUTCOME_TERMS = ["silver", "superseded", "quarantined", "expired"] as const;

export interface HourOfEvents {
  /** `YYYY-MM-DDTHH:00:00Z`, of reception. */
  readonly hour: string;
  readonly events: number;
}

export interface OutcomeLine extends HourOfEvents {
  readonly term: (typeof OUTCOME_TERMS)[number];
  /** Of the events, those that were refused at first and came in by a replay. */
  readonly replayed: number;
}

export interface BronzeTerms {
  readonly topic: string;
  /** Copies that silver removed. */
  readonly duplicates: readonly HourOfEvents[];
  /** All of the rest. */
  readonly outcomes: readonly OutcomeLine[];
}

/**
 * Replaces the partition's terms as a whole; what did not change is not written. A line that there was and that these terms have not is
 * set to zero rather than deleted, so that the ledger's trigger sees it.
 */
export function bronzeTermsStatements(terms: BronzeTerms, { held, prepare }: Guard): D1PreparedStatement[] {
  const duplicates = JSON.stringify(terms.duplicates);
  const outcomes = JSON.stringify(terms.outcomes);
  return [
    prepare(
      `UPDATE ledger_duplicates SET events = 0 WHERE topic = ?5 AND partition_date = ?2 AND events <> 0
         AND hour NOT IN (SELECT value ->> 'hour' FROM json_each(?6)) AND ${held}`,
      terms.topic,
      duplicates,
    ),
    prepare(
      `INSERT INTO ledger_duplicates (topic, partition_date, hour, events)
       SELECT ?5, ?2, value ->> 'hour', value ->> 'events' FROM json_each(?6) WHERE ${held}
       ON CONFLICT DO UPDATE SET events = excluded.events WHERE events <> excluded.events`,
      terms.topic,
      duplicates,
    ),
    prepare(
      `UPDATE ledger_outcomes SET events = 0, replayed = 0 WHERE topic = ?5 AND partition_date = ?2 AND events <> 0
         AND (hour, term) NOT IN (SELECT value ->> 'hour', value ->> 'term' FROM json_each(?6)) AND ${held}`,
      terms.topic,
      outcomes,
    ),
    prepare(
      `INSERT INTO ledger_outcomes (topic, partition_date, hour, term, events, replayed)
       SELECT ?5, ?2, value ->> 'hour', value ->> 'term', value ->> 'events', value ->> 'replayed' FROM json_each(?6) WHERE ${held}
       ON CONFLICT DO UPDATE SET events = excluded.events, replayed = excluded.replayed
         WHERE events <> excluded.events OR replayed <> excluded.replayed`,
      terms.topic,
      outcomes,
    ),
  ];
}

/** Terms as `versions` keeps them. */
export const bronzeTerms = z.object({
  duplicates: z.array(z.object({ hour: z.string(), events: z.int() })),
  outcomes: z.array(z.object({ hour: z.string(), term: z.enum(OUTCOME_TERMS), events: z.int(), replayed: z.int() })),
});

/** An SQL expression: the terms of a topic's partition as they stand, as JSON. `topic` and `date` are expressions too. */
export function bronzeTermsJson(topic: string, date: string): string {
  return `json_object(
    'duplicates', (SELECT json_group_array(json_object('hour', hour, 'events', events)) FROM ledger_duplicates
                   WHERE topic = ${topic} AND partition_date = ${date} AND events > 0),
    'outcomes', (SELECT json_group_array(json_object('hour', hour, 'term', term, 'events', events, 'replayed', replayed))
                 FROM ledger_outcomes WHERE topic = ${topic} AND partition_date = ${date} AND events > 0))`;
}
