/** Composes the Worker: the only place where bindings meet code. */
import parquetWasm from "parquet-wasm/esm/parquet_wasm_bg.wasm";
import { v7 as uuidv7 } from "uuid";
import { contractOf, contracts } from "./contracts/registry.ts";
import { receipt, topicBuffer } from "./durable-objects/stubs.ts";
import { pressureLimits } from "./durable-objects/topic-buffer/limits.ts";
import { topicQueue } from "./durable-objects/topic-queue.ts";
import { admitPlatformEvent } from "./gateway/admit/platform-events.ts";
import { createGateway } from "./gateway/app.ts";
import { DEFAULT_LIMITS, type Environment, type MessageQueue } from "./gateway/deps.ts";
import { countSent } from "./gateway/in-flight.ts";
import { type MaskingKeys, readMaskingKeys } from "./gateway/masking/keyring.ts";
import { COMPACTION_POLICY } from "./lakehouse/compaction/plan.ts";
import { planCompaction } from "./lakehouse/compaction/schedule.ts";
import { installParquetWasm } from "./lakehouse/parquet/wasm.ts";
import { plan } from "./lakehouse/partitions/planner.ts";
import { planPolicy } from "./lakehouse/tables/policy.ts";
import { deleteTombstones } from "./lakehouse/tombstones/delete-due.ts";
import { consumeBuilds } from "./queue-consumers/builds.ts";
import { parkExhausted } from "./queue-consumers/exhausted.ts";
import { ingest } from "./queue-consumers/ingest.ts";
import { routeQueue } from "./queue-consumers/route.ts";
import { alertDuty } from "./scheduled/alerts/duty.ts";
import { blockedPartitionsSource } from "./scheduled/conditions/blocked-partitions.ts";
import { heldOffTopics, overdueBuffers, parkedSlices } from "./scheduled/conditions/buffers.ts";
import type { ConditionSource } from "./scheduled/conditions/condition.ts";
import { deadLetterRateSource } from "./scheduled/conditions/dead-letter-rate.ts";
import { failedPartitionsSource } from "./scheduled/conditions/failed-partitions.ts";
import { lateDataSource } from "./scheduled/conditions/late-data.ts";
import { ledgerSource } from "./scheduled/conditions/ledger.ts";
import { parkedMessagesSource } from "./scheduled/conditions/parked-messages.ts";
import { staleTopicsSource } from "./scheduled/conditions/stale-topics.ts";
import { type Duty, runDuties } from "./scheduled/duties.ts";
import { compareLedger } from "./scheduled/ledger.ts";
import type { EmitDeps } from "./scheduled/platform-events/emit.ts";
import { announceReleases } from "./scheduled/releases/announce.ts";
import { retentionDuty } from "./scheduled/retention.ts";
import { watchdog } from "./scheduled/watchdog/watchdog.ts";
import { deliverAlerts, type WebhookDeps } from "./scheduled/webhook/deliver.ts";

export { Receipts } from "./durable-objects/receipts/object.ts";
export { TopicBuffer } from "./durable-objects/topic-buffer/object.ts";

installParquetWasm(parquetWasm);

/** Messages that this isolate's consumers acknowledged: with the gateway's count of sends, what a local drain waits for. */
let acknowledged = 0;

function log(event: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(event));
}

function replan(env: Env) {
  return plan({ db: env.DB, builds: env.BUILDS, policy: planPolicy, log });
}

function emitDeps(env: Env): EmitDeps {
  return {
    admit: admitPlatformEvent,
    topicQueue: (topic) => messageQueue(env, topic),
    uuidv7: () => uuidv7(),
    countSent,
  };
}

function messageQueue(env: Env, topic: string): MessageQueue {
  const queue = topicQueue(env, topic);
  return {
    send: async (body) => void (await queue.send(body, { contentType: "bytes" })),
    backlog: async () => {
      const { backlogCount: messages, oldestMessageTimestamp: oldest } = await queue.metrics();
      return { messages, oldestSent: messages === 0 ? null : (oldest?.getTime() ?? null) };
    },
  };
}

function webhookDeps(env: Env): WebhookDeps {
  const { DB: db, ENVIRONMENT: environment, ALERT_WEBHOOK_URL: url } = env;
  return { db, environment, url, fetch: (address, init) => fetch(address, init) };
}

/** What an operator is told of. */
function conditionSources(env: Env): readonly ConditionSource[] {
  const buffers = { db: env.DB, contracts, flushAgeSeconds: env.FLUSH_AGE_SECONDS };
  return [
    failedPartitionsSource(env.DB, (domain) => planPolicy.knows(domain)),
    blockedPartitionsSource(env.DB),
    parkedMessagesSource(env.LAKE),
    parkedSlices(buffers),
    overdueBuffers(buffers),
    heldOffTopics(buffers),
    staleTopicsSource(env.DB, contracts),
    deadLetterRateSource(env.DB),
    ledgerSource(env.DB),
    lateDataSource(
      env.DB,
      contracts.map(({ topic }) => topic),
    ),
  ];
}

function compactionDeps(env: Env) {
  return { db: env.DB, builds: env.BUILDS, policy: COMPACTION_POLICY, now: () => Date.now(), log };
}

/** What the cron does, in this order. */
function dutiesOf(env: Env): readonly Duty[] {
  return [
    { name: "plan", everyMinutes: 1, run: async () => ({ ...(await replan(env)) }) },
    watchdog({
      db: env.DB,
      buffers: env.TOPIC_BUFFER,
      contractOf,
      flushAgeSeconds: env.FLUSH_AGE_SECONDS,
      pressure: pressureLimits(env.BACK_PRESSURE_BYTES),
      log,
    }),
    retentionDuty({ db: env.DB, contracts }),
    { name: "announce", everyMinutes: 1, run: (now) => announceReleases({ ...emitDeps(env), db: env.DB }, now) },
    {
      name: "alerts",
      everyMinutes: 1,
      run: async (now) => ({
        ...(await alertDuty({ ...emitDeps(env), db: env.DB, sources: conditionSources(env) }, now)),
      }),
    },
    { name: "webhook", everyMinutes: 1, run: async (now) => ({ ...(await deliverAlerts(webhookDeps(env), now)) }) },
    { name: "ledger", everyMinutes: 15, run: (now) => compareLedger(env.DB, now) },
    {
      name: "compaction",
      everyMinutes: 10,
      run: async () => ({ ...(await planCompaction(compactionDeps(env))) }),
    },
    {
      name: "tombstones",
      everyMinutes: 1,
      run: async () => ({ ...(await deleteTombstones({ db: env.DB, bucket: env.LAKE, log })) }),
    },
  ];
}

function environmentOf(env: Env): Environment {
  const { ENVIRONMENT } = env;
  if (ENVIRONMENT === "local" || ENVIRONMENT === "staging" || ENVIRONMENT === "production") return ENVIRONMENT;
  throw new Error(`vars.ENVIRONMENT is "${ENVIRONMENT}"; it must be local, staging or production (wrangler.toml)`);
}

type Gateway = ReturnType<typeof createGateway>;
const gateways = new WeakMap<Env, Gateway>();

/** One gateway per isolate: `env` is the same object for every request of one. */
function gatewayOf(env: Env): Gateway {
  let gateway = gateways.get(env);
  if (gateway === undefined) {
    let maskingKeys: MaskingKeys | undefined;
    gateway = createGateway({
      topicQueue: (topic) => messageQueue(env, topic),
      topicBuffer: (address) => topicBuffer(env.TOPIC_BUFFER, address),
      lake: env.LAKE,
      db: env.DB,
      environment: environmentOf(env),
      limits: DEFAULT_LIMITS,
      clock: { now: () => Date.now() },
      ids: { uuidv7: () => uuidv7() },
      maskingKeys: () => {
        maskingKeys ??= readMaskingKeys(env, env.ENVIRONMENT === "local");
        return maskingKeys;
      },
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      requestLimiter: { take: async (key) => (await env.REQUEST_LIMIT.limit({ key })).success },
      receipt: (name) => receipt(env.RECEIPTS, name),
      findBuffered: (address, column, text) => topicBuffer(env.TOPIC_BUFFER, address).find(address, column, text),
      acknowledgedMessages: () => acknowledged,
    });
    gateways.set(env, gateway);
  }
  return gateway;
}

export default {
  fetch(request, env, context) {
    return gatewayOf(env).fetch(request, env, context);
  },

  async queue(batch, env) {
    const route = routeQueue(batch.queue, env.ENVIRONMENT);
    switch (route.kind) {
      case "topic":
        return ingest(batch, {
          buffers: env.TOPIC_BUFFER,
          bucket: env.LAKE,
          countAcknowledged: (messages) => {
            acknowledged += messages;
          },
          log,
        });
      case "builds":
        return consumeBuilds(batch, {
          db: env.DB,
          bucket: env.LAKE,
          newRunId: () => uuidv7(),
          now: () => Date.now(),
          replan: () => replan(env),
          log,
        });
      case "exhausted":
        return parkExhausted(batch, { bucket: env.LAKE, log });
    }
  },

  async scheduled(controller, env) {
    await runDuties(dutiesOf(env), controller.scheduledTime, log);
  },
} satisfies ExportedHandler<Env>;
