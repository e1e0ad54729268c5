/** Composes the Worker: the only place where bindings meet code. */
import parquetWasm from "parquet-wasm/esm/parquet_wasm_bg.wasm";
import { v7 as uuidv7 } from "uuid";
import { receipt, topicBuffer } from "./durable-objects/stubs.ts";
import { isRemembered } from "./durable-objects/topic-buffer/remembered-ids.ts";
import { packedQueue } from "./durable-objects/topic-queue.ts";
import { admitPlatformEvent } from "./gateway/admit/platform-events.ts";
import { createGateway } from "./gateway/app.ts";
import { DEFAULT_LIMITS, type Environment } from "./gateway/deps.ts";
import { countSent } from "./gateway/in-flight.ts";
import { type MaskingKeys, readMaskingKeys } from "./gateway/masking/keyring.ts";
import { type Deploy, thisDeploy } from "./lakehouse/builds/generations/record.ts";
import { nativeRowsOf, stepRowsOf } from "./lakehouse/builds/outcome.ts";
import { planWithBackfills } from "./lakehouse/builds/planning/backfills.ts";
import { plan } from "./lakehouse/builds/planning/planner.ts";
import { planPolicyFor } from "./lakehouse/builds/planning/policy.ts";
import { installParquetWasm, tryAcquireWasm } from "./lakehouse/engine/parquet/wasm.ts";
import { frameFault } from "./lakehouse/upkeep/parked/frame-fault.ts";
import { redrive } from "./lakehouse/upkeep/parked/redrive.ts";
import { consumeBuilds } from "./queue-consumers/builds.ts";
import { parkExhausted } from "./queue-consumers/exhausted.ts";
import { ingest } from "./queue-consumers/ingest.ts";
import { routeQueue } from "./queue-consumers/route.ts";
import { type Duty, runDuties } from "./scheduled/duties.ts";
import { dutyRoster } from "./scheduled/roster.ts";
import { dutyBacklogs, noteDutyBacklogs } from "./sql/statements/duty-backlogs.ts";

export { NativeBuilder } from "./durable-objects/native-builder/object.ts";
export { Receipts } from "./durable-objects/receipts/object.ts";
export { TopicBuffer } from "./durable-objects/topic-buffer/object.ts";

installParquetWasm(parquetWasm);

/** Messages that this isolate's consumers acknowledged: with the gateway's count of sends, what a local drain waits for. */
let acknowledged = 0;

function log(event: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(event));
}

/** The release's time is kept in milliseconds, as the catalog orders them by their texts. */
function deployOf({ RELEASE }: Env): Deploy {
  return thisDeploy(new Date(RELEASE.timestamp).toISOString());
}

function replan(env: Env) {
  return planWithBackfills({
    db: env.DB,
    plan: () =>
      plan({
        db: env.DB,
        builds: env.BUILDS,
        policy: planPolicyFor(env.BUILD_AFTER_SECONDS),
        newNonce: () => crypto.randomUUID(),
        log,
      }),
  });
}

/** What sends parked messages on: asked by the gateway and by the cron. */
function redriveDeps(env: Env) {
  return {
    db: env.DB,
    bucket: env.LAKE,
    send: async (topic: string, body: Uint8Array) => {
      await packedQueue(env, topic).send(body);
      countSent(1);
    },
    remembers: (messageId: string) => isRemembered(messageId, Date.now()),
    hasUnflushed: async (topic: string, shard: number, of: number) => {
      const { oldestAt } = await topicBuffer(env.TOPIC_BUFFER, { topic, shard, of }).poke({ topic, shard, of });
      return oldestAt !== null;
    },
    frameFault,
    newMessageId: () => uuidv7(),
    permit: tryAcquireWasm,
  };
}

/** What the cron does: a tick at a time, so nothing of it is kept. */
function dutiesOf(env: Env): Duty[] {
  const { DB: db, LAKE: lake, ENVIRONMENT: environment, ALERT_WEBHOOK_URL: url } = env;
  return dutyRoster({
    db,
    lake,
    buffers: env.TOPIC_BUFFER,
    builds: env.BUILDS,
    emit: {
      admit: admitPlatformEvent,
      topicQueue: (topic) => packedQueue(env, topic),
      uuidv7: () => uuidv7(),
      countSent,
    },
    redrive: redriveDeps(env),
    webhook: { environment, url, fetch: (address, init) => fetch(address, init) },
    flushAgeSeconds: env.FLUSH_AGE_SECONDS,
    backPressureBytes: env.BACK_PRESSURE_BYTES,
    catalogLimitBytes: env.CATALOG_LIMIT_BYTES,
    replan: () => replan(env),
    deploy: deployOf(env),
    nativeBuilder: { namespace: env.NATIVE_BUILDER, hours: env.BUILDER_HOURS },
    newBackfillId: () => uuidv7(),
    log,
  });
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
      topicQueue: (topic) => packedQueue(env, topic),
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
      redrive: (key) => redrive(key, redriveDeps(env)),
      findBuffered: (address, column, text) => topicBuffer(env.TOPIC_BUFFER, address).find(address, column, text),
      acknowledgedMessages: () => acknowledged,
      deploy: () => deployOf(env),
      replan: () => replan(env).catch((error) => log({ event: "replan_failed", error: String(error) })),
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
          deploy: deployOf(env),
          newRunId: () => uuidv7(),
          stepRows: stepRowsOf(env.BUILD_STEP_ROWS),
          nativeRows: nativeRowsOf(env.NATIVE_ROWS),
          builderOnCall: Number(env.BUILDER_HOURS) > 0,
          builds: env.BUILDS,
          now: () => Date.now(),
          replan: () => replan(env),
          log,
        });
      case "exhausted":
        return parkExhausted(batch, { bucket: env.LAKE, log });
    }
  },

  async scheduled(controller, env) {
    const now = controller.scheduledTime;
    await runDuties(dutiesOf(env), now, {
      log,
      clock: () => Date.now(),
      left: () => dutyBacklogs(env.DB),
      note: (left, done) => noteDutyBacklogs(env.DB, left, done, new Date(now).toISOString()),
    });
  },
} satisfies ExportedHandler<Env>;
