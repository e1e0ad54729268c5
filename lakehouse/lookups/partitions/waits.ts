/** Why a partition stands where it does, in words, and what a person can do about it. Pure. */
import type { PartitionFacts } from "../../../sql/statements/partition-list.ts";
import { ENOUGH_ROWS } from "../../builds/planning/machine.ts";
import { planPolicy } from "../../builds/planning/policy.ts";
import type { Table } from "../../tables/catalog.ts";
import { type WaitingChecks, waitingChecks } from "./waiting-checks.ts";

export interface Explanation {
  /** What it waits for, or that it waits for nothing. */
  readonly waits: string;
  /** What to do; null: nothing. */
  readonly remedy: string | null;
}

/** A check that fails holds a partition back with an error of this name (builds/gates/gate.ts). */
export function isHeldBack({ status, error_message, failure_class }: PartitionFacts): boolean {
  if (status === "DONE" || failure_class !== "data") return false;
  return error_message?.startsWith("QualityGateError:") === true;
}

/** `table`: undefined when this deploy does not build the domain. */
export function explain(
  facts: PartitionFacts,
  table: Pick<Table, "name" | "layer" | "checks"> | undefined,
): Explanation {
  if (table === undefined) {
    return {
      waits: "this deploy builds no such table: its planner leaves the partition alone",
      remedy: "deploy a version that has the table's contract or model",
    };
  }
  const where = `${table.name} ${facts.partition_date}`;
  if (facts.pinned_version !== null) {
    return {
      waits: `a person: a rollback holds it at version ${facts.pinned_version} (${facts.pinned_reason ?? ""})`,
      remedy: `when the cause is gone: sluice tables release ${table.name} --partition ${facts.partition_date}`,
    };
  }
  switch (facts.status) {
    case "UNDISCOVERED":
      return { waits: `its first input has arrived: ${taken(facts, false)}`, remedy: null };
    case "PENDING":
      return waiting(facts, "a build");
    case "RETRYING":
      return waiting(facts, `retry ${facts.retry_count} of ${planPolicy.maxRetries}`);
    case "REPROCESSING":
      return waiting(facts, "a build with events that came late");
    case "LATE":
      return { waits: `events came after it had closed: ${taken(facts, true)}`, remedy: null };
    case "IN_FLIGHT":
      return inFlight(facts);
    case "DONE":
      return done(facts, waitingChecks(facts, table));
    case "FAILED":
      return failed(facts, table, where);
    case "DEAD":
      return {
        waits: `a person: ${planPolicy.maxRetries} retries failed, the last with: ${errorOf(facts)}`,
        remedy: `see to the cause, then: ${backfillCommand(table, facts, "failed")}`,
      };
    default:
      return {
        waits: `a person: "${facts.status}" is no state that the planner knows`,
        remedy: "set its status to PENDING",
      };
  }
}

function waiting(facts: PartitionFacts, what: string): Explanation {
  const { not_before, queued_at, lease_run, now, lease_until } = facts;
  if (lease_run !== null && lease_until > now) {
    return {
      waits: `the end of run ${lease_run}, which had begun before: then ${what} begins, at ${timeOf(lease_until)} at the latest`,
      remedy: null,
    };
  }
  if (not_before > now) return { waits: `${what}, not before ${timeOf(not_before)}`, remedy: null };
  if (isNative(facts)) return waitingForBuilder(facts, what);
  if (queued_at === 0) return { waits: `${what}: the planner queues it within a minute`, remedy: null };
  const seconds = Math.max(0, Math.round((now - queued_at) / 1_000));
  return {
    waits: `${what}: it was queued ${seconds} s ago, and begins when a builder is free`,
    remedy: seconds < 600 ? null : "no builder took it for ten minutes: see the queue `builds` and its consumers' log",
  };
}

/** Builders that were silent for longer are taken for gone: an idle one asks twice a minute. */
const BUILDER_SILENT_MS = 300_000;

function isNative({ domain, partition_date, native_reason }: PartitionFacts): boolean {
  return planPolicy.isNative(domain, partition_date, native_reason !== null);
}

function waitingForBuilder({ now, builder_seen, native_reason }: PartitionFacts, what: string): Explanation {
  const why = native_reason === null ? "" : ` (${native_reason})`;
  const silentMs = now - builder_seen;
  if (silentMs <= BUILDER_SILENT_MS)
    return { waits: `${what} by a native builder${why}: the next one that asks takes it`, remedy: null };
  const heard =
    builder_seen === 0 ? "none was heard from in the last day" : `none was heard from since ${timeOf(builder_seen)}`;
  return {
    waits: `NEEDS_NATIVE_BUILDER: ${what} by a native builder${why}, and ${heard}`,
    remedy: "start one: npx sluice builder --url URL, with a key of the scope *:build (docs/native-builder.md)",
  };
}

function inFlight(facts: PartitionFacts): Explanation {
  const { lease_run, lease_since, lease_until, native_phase, native_done, now } = facts;
  const since = lease_since === null ? "" : ` since ${lease_since}`;
  if (lease_until >= now && isNative(facts)) {
    const done = native_done === null ? "" : `, ${Math.floor(native_done * 100)} %`;
    const phase = native_phase === null ? "" : ` (${native_phase}${done})`;
    return {
      waits: `run ${lease_run ?? "unknown"}, which a native builder builds${since}${phase}; if it dies, another one gets it at ${timeOf(lease_until)} at the latest`,
      remedy: null,
    };
  }
  if (lease_until >= now) {
    return {
      waits: `run ${lease_run ?? "unknown"}, which builds it${since}; if it dies, its message comes again within seconds, and a retry begins at ${timeOf(lease_until)} at the latest`,
      remedy: null,
    };
  }
  return { waits: "a retry: its builder is gone, and the planner sees that within a minute", remedy: null };
}

function done(facts: PartitionFacts, waiting: WaitingChecks): Explanation {
  const { version, built_version, failed_version, stale, sealed } = facts;
  if (stale && sealed)
    return { waits: "nothing: its bronze is retired, so it stays of an older generation of its table", remedy: null };
  if (stale && version === built_version)
    return {
      waits: "a build by its table's newer contract or model: a backfill that the deploy filed comes to it",
      remedy: null,
    };
  if (version === built_version && waiting.checks.length > 0)
    return { waits: `its closing: it is built with all its inputs, and ${judgedThen(waiting)}`, remedy: null };
  if (version === built_version) return { waits: "nothing: it is built with all its inputs", remedy: null };
  if (version === failed_version) {
    return { waits: "new input: what its last build was held back with was discarded", remedy: null };
  }
  return { waits: `new input has arrived: ${taken(facts, false)}`, remedy: null };
}

function judgedThen({ checks, at }: WaitingChecks): string {
  return `${checks.length === 1 ? "one check is" : `${checks.length} checks are`} judged then, at ${timeOf(at)}`;
}

/** How long news waits for a build (`planning/machine.ts`). A deployment may shorten it: that is not known here. */
function taken({ domain }: PartitionFacts, closed: boolean): string {
  const minutes = planPolicy.waitMs(domain, closed) / 60_000;
  if (minutes === 0) return "the planner takes it up within a minute";
  const rows = ENOUGH_ROWS[closed ? "closed" : "open"].toLocaleString("en");
  return `the planner takes it up once it has waited ${minutes} minutes (BUILD_AFTER_SECONDS may say less) or ${rows} rows have come`;
}

function failed(facts: PartitionFacts, table: Pick<Table, "name" | "layer">, where: string): Explanation {
  if (facts.failure_class === "system") {
    const at = facts.not_before > facts.now ? ` at ${timeOf(facts.not_before)}` : " within a minute";
    return {
      waits: `retry ${facts.retry_count + 1} of ${planPolicy.maxRetries}${at}, after: ${errorOf(facts)}`,
      remedy: null,
    };
  }
  const waits = `new input, another contract or model, or a person, since the same data fails the same way: ${errorOf(facts)}`;
  if (!isHeldBack(facts)) {
    return { waits, remedy: `see to the cause, then: ${backfillCommand(table, facts, "failed")}` };
  }
  const actions = table.layer === "silver" ? "accept|quarantine|discard" : "accept|discard";
  return { waits, remedy: `mend what sends such rows, or decide: sluice partitions ${actions} ${where} --reason TEXT` };
}

function backfillCommand({ name }: Pick<Table, "name">, { partition_date: date }: PartitionFacts, reprocess: string) {
  return `sluice backfill --table ${name} --from ${date} --to ${date} --reprocess ${reprocess}`;
}

function errorOf({ error_message }: PartitionFacts): string {
  return error_message ?? "no message";
}

/** A time of D1 as ISO 8601 UTC. A lease that somebody set to the end of days by hand ends with the last date there is. */
export function timeOf(millis: number): string {
  return `${new Date(Math.min(millis, LAST_TIME)).toISOString().slice(0, -5)}Z`;
}

const LAST_TIME = 8.64e15;
