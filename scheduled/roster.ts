/** What the cron does, in which order and how often. */
import { contractOf, contracts } from "../contracts/registry.ts";
import type { TopicBufferNamespace } from "../durable-objects/stubs.ts";
import { pressureLimits } from "../durable-objects/topic-buffer/limits.ts";
import { REMEMBERED_HOURS } from "../durable-objects/topic-buffer/remembered-ids.ts";
import type { Deploy } from "../lakehouse/builds/generations/record.ts";
import { walkGenerations } from "../lakehouse/builds/generations/walk.ts";
import { nativeDomains } from "../lakehouse/builds/native/routing.ts";
import { planPolicy } from "../lakehouse/builds/planning/policy.ts";
import { COMPACTION_POLICY } from "../lakehouse/upkeep/compaction/plan.ts";
import { type CompactionRequest, planCompaction } from "../lakehouse/upkeep/compaction/schedule.ts";
import { forgetResends } from "../lakehouse/upkeep/parked/forget-resends.ts";
import { deleteTombstones } from "../lakehouse/upkeep/retention/delete-due.ts";
import { planTableCompaction, type TableCompactionRequest } from "../lakehouse/upkeep/table-compaction/schedule.ts";
import { nativeWork } from "../sql/statements/native-waiting.ts";
import { alertDuty } from "./alerts/duty.ts";
import { conditionSources } from "./conditions/sources.ts";
import type { Duty, DutyLog } from "./duties.ts";
import { compareLedger } from "./ledger.ts";
import { type NativeBuilderDeps, nativeBuilderUpkeep } from "./native-builder.ts";
import type { EmitDeps } from "./platform-events/emit.ts";
import { type RedriveDutyDeps, redriveDuty } from "./redrive.ts";
import { announceReleases } from "./releases/announce.ts";
import { announceDrift } from "./releases/announce-drift.ts";
import { retentionDuties } from "./retention.ts";
import { watchdog } from "./watchdog/watchdog.ts";
import { deliverAlerts, type WebhookDeps } from "./webhook/deliver.ts";

export interface RosterDeps<Id> {
  readonly db: D1Database;
  readonly lake: Pick<R2Bucket, "list" | "delete" | "get" | "head" | "put">;
  readonly buffers: TopicBufferNamespace<Id>;
  readonly builds: { sendBatch(messages: { body: CompactionRequest | TableCompactionRequest }[]): Promise<unknown> };
  readonly emit: EmitDeps;
  readonly redrive: Omit<RedriveDutyDeps, "log">;
  readonly webhook: Omit<WebhookDeps, "db">;
  /** `FLUSH_AGE_SECONDS` and `BACK_PRESSURE_BYTES`. */
  readonly flushAgeSeconds: string;
  readonly backPressureBytes: string;
  /** `CATALOG_LIMIT_BYTES`. */
  readonly catalogLimitBytes: string;
  /** One tick of the planner. */
  replan(): Promise<object>;
  readonly deploy: Deploy;
  /** The container with the native builder. */
  readonly nativeBuilder: Pick<NativeBuilderDeps<Id>, "namespace" | "hours">;
  newBackfillId(): string;
  readonly log: DutyLog;
}

export function dutyRoster<Id>(deps: RosterDeps<Id>): Duty[] {
  const { db, lake, buffers, builds, emit, flushAgeSeconds, catalogLimitBytes, log } = deps;
  const knows = (domain: string) => planPolicy.knows(domain);
  const { releasedAt } = deps.deploy;
  const native = nativeDomains(deps.deploy.tables);
  const builder = nativeBuilderUpkeep({ ...deps.nativeBuilder, waiting: () => nativeWork(db, native) });
  const sources = [
    ...conditionSources({ db, lake, contracts, flushAgeSeconds, catalogLimitBytes, releasedAt, knows }),
    ...builder.sources,
  ];
  const completenessPromises = new Map(
    contracts.flatMap(({ topic, sla }) =>
      sla.completenessPercent === undefined ? [] : [[topic, sla.completenessPercent] as const],
    ),
  );
  const compaction = { db, builds, policy: COMPACTION_POLICY, now: () => Date.now(), log };
  const resends = { bucket: deps.redrive.bucket, rememberedMs: REMEMBERED_HOURS * 3_600_000 };
  return [
    each("generations", 1, () =>
      walkGenerations({ db, bucket: lake, deploy: deps.deploy, newBackfillId: deps.newBackfillId, log }),
    ),
    each("plan", 1, () => deps.replan()),
    ...builder.duties,
    watchdog({ db, buffers, contractOf, flushAgeSeconds, pressure: pressureLimits(deps.backPressureBytes), log }),
    redriveDuty({ ...deps.redrive, log }),
    each("announce", 1, (now) => announceReleases({ ...emit, db }, now)),
    each("drift", 1, (now) => announceDrift({ ...emit, db }, now)),
    each("alerts", 1, (now) => alertDuty({ ...emit, db, sources }, now)),
    each("webhook", 1, (now) => deliverAlerts({ ...deps.webhook, db }, now)),
    each("ledger", 15, (now) => compareLedger(db, completenessPromises, now)),
    each("compaction", 10, (_, cursor) => planCompaction(compaction, cursor)),
    each("table_compaction", 60, (now, cursor) => planTableCompaction({ db, bucket: lake, builds }, now, cursor)),
    ...retentionDuties({ db, bucket: lake, contracts }),
    each("resends", 60, (now) => forgetResends(resends, now)),
    each("tombstones", 1, () => deleteTombstones({ db, bucket: lake, log })),
  ];
}

/** A duty whose report is what the log shows. */
function each(name: string, everyMinutes: number, run: (now: number, cursor: string | null) => Promise<object>): Duty {
  return { name, everyMinutes, run: async (now, cursor) => ({ ...(await run(now, cursor)) }) };
}
