/** Open alerts, and the events that tell of them: a change and its event are written in one batch, and sent from there. */
import type * as z from "zod";
import { type ReadableRows, rowsOf } from "../rows/row.ts";

export interface AlertRow {
  readonly alert_key: string;
  readonly source: string;
  readonly since: string;
  readonly announced: number;
  readonly last_announced: string;
  /** JSON. */
  readonly condition: string;
}

/** An alert as it is read; `condition` in the form that the reader asked for. */
export interface StoredAlert<C> extends Omit<AlertRow, "condition"> {
  readonly condition: C;
}

/** The open alerts, by key. One whose row was edited keeps no other from being seen. */
export async function openAlerts<C>(db: D1Database, condition: z.ZodType<C>): Promise<ReadableRows<StoredAlert<C>>> {
  const alerts = rowsOf(
    { table: "alerts", key: ["alert_key"], remedy: "delete the row: the alert then fires anew" },
    (row): StoredAlert<C> => ({
      alert_key: row.text("alert_key"),
      source: row.text("source"),
      since: row.time("since"),
      announced: row.integer("announced"),
      last_announced: row.time("last_announced"),
      condition: row.json("condition", condition),
    }),
  );
  return alerts.readable(
    await db
      .prepare("SELECT alert_key, source, since, announced, last_announced, condition FROM alerts ORDER BY alert_key")
      .all(),
  );
}

/** An event of the alert that stands at this key, since and announced. */
export interface AlertEventRow {
  readonly alert_key: string;
  readonly since: string;
  readonly announced: number;
  readonly event_id: string;
  /** JSON. */
  readonly event: string;
}

export interface AlertChangeRows {
  readonly opened: readonly AlertRow[];
  /** As they are after: `announced` is one more than before. */
  readonly repeated: readonly AlertRow[];
  readonly refreshed: readonly AlertRow[];
  readonly resolved: readonly AlertRow[];
  readonly events: readonly AlertEventRow[];
}

/**
 * The statements of one change, for one batch. Each holds only for the state that it was decided on, so of two ticks at once
 * one changes an alert and says so. `now` is ISO 8601 UTC.
 */
export function applyAlertChanges(db: D1Database, changes: AlertChangeRows, now: string): D1PreparedStatement[] {
  const over = (rows: readonly object[], sql: string, ...values: string[]): D1PreparedStatement[] =>
    rows.length === 0 ? [] : [db.prepare(sql).bind(JSON.stringify(rows), ...values)];
  return [
    ...over(
      changes.opened,
      `INSERT INTO alerts (alert_key, source, since, announced, last_announced, condition)
       SELECT value ->> 'alert_key', value ->> 'source', value ->> 'since', value ->> 'announced', value ->> 'last_announced', value ->> 'condition'
       FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`,
    ),
    ...over(
      changes.repeated,
      `UPDATE alerts SET source = c.value ->> 'source', announced = c.value ->> 'announced', last_announced = c.value ->> 'last_announced', condition = c.value ->> 'condition'
       FROM json_each(?1) c WHERE alert_key = c.value ->> 'alert_key' AND since = c.value ->> 'since' AND announced = (c.value ->> 'announced') - 1`,
    ),
    ...over(
      changes.refreshed,
      `UPDATE alerts SET source = c.value ->> 'source', condition = c.value ->> 'condition'
       FROM json_each(?1) c WHERE alert_key = c.value ->> 'alert_key' AND since = c.value ->> 'since' AND announced = c.value ->> 'announced'`,
    ),
    ...over(
      changes.events,
      `INSERT INTO alert_events (event_id, event, made_at)
       SELECT c.value ->> 'event_id', c.value ->> 'event', ?2 FROM json_each(?1) c
       JOIN alerts a ON a.alert_key = c.value ->> 'alert_key' AND a.since = c.value ->> 'since' AND a.announced = c.value ->> 'announced'
       WHERE true ORDER BY c.key ON CONFLICT DO NOTHING`,
      now,
    ),
    ...over(
      changes.resolved,
      `DELETE FROM alerts WHERE (alert_key, since, announced) IN
         (SELECT value ->> 'alert_key', value ->> 'since', value ->> 'announced' FROM json_each(?1))`,
    ),
  ];
}

export interface WaitingAlertEvent<E> {
  readonly event_id: string;
  readonly event: E;
}

/** Events that are not known to be in the topic's queue, oldest first; at most `limit`. */
export async function alertEventsToEmit<E>(
  db: D1Database,
  event: z.ZodType<E>,
  limit: number,
): Promise<ReadableRows<WaitingAlertEvent<E>>> {
  const events = rowsOf(
    { table: "alert_events", key: ["event_id"], remedy: "delete the row: the event is then not sent" },
    (row): WaitingAlertEvent<E> => ({ event_id: row.text("event_id"), event: row.json("event", event) }),
  );
  return events.readable(
    await db
      .prepare("SELECT event_id, event FROM alert_events WHERE emitted_at IS NULL ORDER BY id LIMIT ?1")
      .bind(limit)
      .all(),
  );
}

export function markEmitted(db: D1Database, eventIds: readonly string[], now: string): D1PreparedStatement {
  return db
    .prepare("UPDATE alert_events SET emitted_at = ?2 WHERE event_id IN (SELECT value FROM json_each(?1))")
    .bind(JSON.stringify(eventIds), now);
}

/** Forgets what was made before `before`, ISO 8601 UTC, and waits for nothing. */
export function forgetAlertEvents(db: D1Database, before: string): D1PreparedStatement {
  return db
    .prepare("DELETE FROM alert_events WHERE made_at < ?1 AND emitted_at IS NOT NULL AND post_state <> 'waiting'")
    .bind(before);
}
