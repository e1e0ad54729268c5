/** What has changed between the alerts that are open and the conditions that hold. Pure; `duty.ts` carries it out. */
import { type Condition, MAX_CONDITIONS } from "../conditions/condition.ts";
import { type PipelineAlert, pipelineAlert } from "../platform-events/pipeline-alert.ts";

/** An alert that fires since `since` (ISO 8601 UTC); `announced` events have said so, the last at `lastAnnounced`. */
export interface OpenAlert {
  readonly key: string;
  readonly source: string;
  readonly since: string;
  readonly announced: number;
  readonly lastAnnounced: string;
  /** As it was found last. */
  readonly condition: Condition;
}

/** What a source found; `failed`: it could not look. */
export interface Findings {
  readonly source: string;
  readonly conditions: readonly Condition[] | "failed";
}

/** An event, and the state of its alert that it belongs to. */
export interface AlertEvent {
  readonly key: string;
  readonly since: string;
  readonly announced: number;
  readonly event: PipelineAlert;
}

export interface AlertChanges {
  readonly opened: readonly OpenAlert[];
  /** Still firing, and said again: it lasts for long, or became more severe. */
  readonly repeated: readonly OpenAlert[];
  /** Still firing, with other words or numbers. */
  readonly refreshed: readonly OpenAlert[];
  readonly resolved: readonly OpenAlert[];
  /** One for each opened, repeated and resolved. */
  readonly events: readonly AlertEvent[];
}

/** More wait for the next tick, so that what is written at once stays small. */
export const MAX_CHANGES = 200;

const SEVERITIES = ["info", "warning", "critical"] as const;

/**
 * Level-triggered: what holds is open, what is gone is resolved, however often it came and went in between. A source that
 * failed changes nothing of its own; alerts of a source that is no more are resolved. `now` and `repeatMs` in milliseconds.
 */
export function diffAlerts(
  open: readonly OpenAlert[],
  findings: readonly Findings[],
  now: number,
  repeatMs: number,
): AlertChanges {
  const at = new Date(now).toISOString();
  const found = foundConditions(findings);
  const openByKey = new Map(open.map((alert) => [alert.key, alert]));
  const resolved = open.filter((alert) => !found.has(alert.key) && isGone(alert, findings)).slice(0, MAX_CHANGES);

  const opened: OpenAlert[] = [];
  const repeated: OpenAlert[] = [];
  const refreshed: OpenAlert[] = [];
  for (const { source, condition } of found.values()) {
    const alert = openByKey.get(condition.key);
    const room = resolved.length + opened.length + repeated.length < MAX_CHANGES;
    if (alert === undefined) {
      if (room) opened.push({ key: condition.key, source, since: at, announced: 1, lastAnnounced: at, condition });
    } else if (room && (isWorse(condition, alert.condition) || isDueAgain(alert, now, repeatMs))) {
      repeated.push({ ...alert, source, announced: alert.announced + 1, lastAnnounced: at, condition });
    } else if (refreshed.length < MAX_CHANGES && isOther(condition, alert.condition)) {
      refreshed.push({ ...alert, source, condition: { ...condition, severity: alert.condition.severity } });
    }
  }
  const events = [
    ...resolved.map((alert) => eventOf(alert, "resolved", at)),
    ...[...opened, ...repeated].map((alert) => eventOf(alert, "firing", at)),
  ];
  return { opened, repeated, refreshed, resolved, events };
}

function foundConditions(findings: readonly Findings[]): Map<string, { source: string; condition: Condition }> {
  const found = new Map<string, { source: string; condition: Condition }>();
  for (const { source, conditions } of findings) {
    if (conditions === "failed") continue;
    for (const condition of conditions.slice(0, MAX_CONDITIONS)) {
      if (!found.has(condition.key)) found.set(condition.key, { source, condition });
    }
  }
  return found;
}

function isGone(alert: OpenAlert, findings: readonly Findings[]): boolean {
  const own = findings.find(({ source }) => source === alert.source);
  if (own === undefined) return true;
  return own.conditions !== "failed" && own.conditions.length <= MAX_CONDITIONS;
}

/** An `info` is said once: nobody has to do anything about it. */
function isDueAgain({ condition, lastAnnounced }: OpenAlert, now: number, repeatMs: number): boolean {
  return condition.severity !== "info" && now - Date.parse(lastAnnounced) >= repeatMs;
}

function isWorse(condition: Condition, before: Condition): boolean {
  return SEVERITIES.indexOf(condition.severity) > SEVERITIES.indexOf(before.severity);
}

function isOther(condition: Condition, before: Condition): boolean {
  return condition.message !== before.message || condition.measured !== before.measured;
}

function eventOf(alert: OpenAlert, state: PipelineAlert["state"], at: string): AlertEvent {
  const { key, since, announced, condition } = alert;
  return { key, since, announced, event: pipelineAlert(condition, { state, since, announced }, at) };
}
