/** A duty: the conditions that hold become alerts, and what changed becomes events of the topic `pipeline_alerts`. */
import {
  type AlertRow,
  alertEventsToEmit,
  applyAlertChanges,
  forgetAlertEvents,
  markEmitted,
  openAlerts,
  type StoredAlert,
} from "../../sql/statements/alerts.ts";
import { type Condition, type ConditionSource, conditionSchema } from "../conditions/condition.ts";
import { type EmitDeps, emit } from "../platform-events/emit.ts";
import { pipelineAlertSchema } from "../platform-events/pipeline-alert.ts";
import { type AlertChanges, diffAlerts, type Findings, type OpenAlert } from "./diff.ts";

export interface AlertsDeps extends EmitDeps {
  readonly db: D1Database;
  readonly sources: readonly ConditionSource[];
}

/** An alert that lasts is said again this often: Alertmanager's default (`repeat_interval`). */
const REPEAT_MS = 4 * 3_600_000;
const KEEP_MS = 7 * 86_400_000;
const EMITTED_AT_ONCE = 500;

/** What the duty did; `failed`: sources that could not look, by their names, and rows that could not be read, by their tables. */
export interface AlertsReport {
  readonly firing: number;
  readonly opened: number;
  readonly repeated: number;
  readonly resolved: number;
  readonly emitted: number;
  readonly failed: Readonly<Record<string, string>>;
}

/**
 * Looks, records what changed together with its events, then emits every event that is not known to be emitted. A crash in
 * between leaves events to the next tick, whole and under their ids. Throws what the catalog or the queue throws.
 */
export async function alertDuty(deps: AlertsDeps, now: number): Promise<AlertsReport> {
  const { findings, failed } = await lookEverywhere(deps.sources, now);
  const stored = await openAlerts(deps.db, conditionSchema);
  const open = stored.rows.map(alertOf);
  const changes = diffAlerts(open, findings, now, REPEAT_MS);
  await record(deps.db, changes, now);
  const { emitted, unreadable } = await emitWaiting(deps, now);
  for (const { table, message } of [...stored.unreadable, ...unreadable]) failed[table] = message;
  const { length: opened } = changes.opened;
  const { length: repeated } = changes.repeated;
  const { length: resolved } = changes.resolved;
  return { firing: open.length + opened - resolved, opened, repeated, resolved, emitted, failed };
}

async function lookEverywhere(sources: readonly ConditionSource[], now: number) {
  const failed: Record<string, string> = {};
  const findings: Findings[] = [];
  // One after another: none of them is in a hurry, and they share one database.
  for (const source of sources) {
    try {
      findings.push({ source: source.name, conditions: await source.find(now) });
    } catch (error) {
      findings.push({ source: source.name, conditions: "failed" });
      failed[source.name] = String(error).slice(0, 300);
    }
  }
  return { findings, failed };
}

async function record(db: D1Database, changes: AlertChanges, now: number): Promise<void> {
  const rows = {
    opened: changes.opened.map(rowOf),
    repeated: changes.repeated.map(rowOf),
    refreshed: changes.refreshed.map(rowOf),
    resolved: changes.resolved.map(rowOf),
    events: changes.events.map(({ key, since, announced, event }) => ({
      alert_key: key,
      since,
      announced,
      event_id: event.event_id,
      event: JSON.stringify(event),
    })),
  };
  const statements = applyAlertChanges(db, rows, new Date(now).toISOString());
  if (statements.length > 0) await db.batch(statements);
}

async function emitWaiting(deps: AlertsDeps, now: number) {
  const { rows: waiting, unreadable } = await alertEventsToEmit(deps.db, pipelineAlertSchema, EMITTED_AT_ONCE);
  if (waiting.length === 0) return { emitted: 0, unreadable };
  const events = waiting.map(({ event }) => event);
  await emit("pipeline_alerts", events, now, deps);
  const ids = waiting.map(({ event_id: id }) => id);
  await deps.db.batch([
    markEmitted(deps.db, ids, new Date(now).toISOString()),
    forgetAlertEvents(deps.db, new Date(now - KEEP_MS).toISOString()),
  ]);
  return { emitted: waiting.length, unreadable };
}

function rowOf({ key, source, since, announced, lastAnnounced, condition }: OpenAlert): AlertRow {
  return {
    alert_key: key,
    source,
    since,
    announced,
    last_announced: lastAnnounced,
    condition: JSON.stringify(condition),
  };
}

function alertOf(row: StoredAlert<Condition>): OpenAlert {
  const { alert_key: key, source, since, announced, last_announced: lastAnnounced, condition } = row;
  return { key, source, since, announced, lastAnnounced, condition };
}
