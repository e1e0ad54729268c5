/**
 * What a topic costs a month, from its rate and its settings. Pure. The counts of a flush, an append and a build were measured on the
 * bundle with bindings that count what is billed (tools/bench/build-day), of clickstream with a gold table, 2026-11-30; docs/cost.md has the formulas.
 */
import { DEPLOYED_BATCH_SECONDS } from "../../build/batch-wait.ts";
import { CPU_MILLISECOND_PRICE, noOperations, type Operations, priced } from "../../prices.ts";

export interface TopicLoad {
  readonly eventsPerSecond: number;
  readonly eventsPerRequest: number;
  /** Of an event in a message. */
  readonly eventBytes: number;
  readonly shards: number;
  /** A buffer is flushed when its oldest event is as old, or it has as many rows or bytes. */
  readonly flush: { readonly ageSeconds: number; readonly rows: number; readonly bytes: number };
  /** A partition with new rows is built so often at most. */
  readonly buildSeconds: number;
  /** Its silver table and the gold tables that read it. */
  readonly tables: number;
}

/** Dollars a month by what they are for, past what the plan includes. */
export interface MonthlyCost {
  /** Requests, the queue, and CPU: what the events themselves cost. */
  readonly ingest: number;
  /** Calls of buffers and their rows. */
  readonly buffers: number;
  readonly flushes: number;
  readonly builds: number;
  readonly total: number;
  /** Seconds from acceptance to the published table at worst, without the work itself. */
  readonly ageSeconds: number;
}

export const MONTH_SECONDS = 30.4375 * 86_400;
/** `max_batch_timeout` of deployed queues, and `max_batch_size` (wrangler.toml). */
const BATCH_SECONDS = DEPLOYED_BATCH_SECONDS;
const BATCH_MESSAGES = 100;
/** The gateway cuts a request's events into messages of so many bytes; a queue bills each started 64 KB three times: write, read, delete. */
const MESSAGE_BYTES = 60_000;
const OPERATIONS_A_MESSAGE = 3;
/** CPU of an event from HTTP to gold: an upper bound. */
const CPU_MS_AN_EVENT = 0.06;

/** Counted: a call that appends to a buffer, and the flush's deletion of its block. */
const APPEND: Partial<Operations> = {
  objectRequests: 1,
  objectMilliseconds: 10,
  objectRowsWritten: 2.3,
  objectRowsRead: 7,
};
/** Counted: an alarm with its flush, the file's put, its registration in D1; its part of the hourly compaction, and its reading by a build. */
const FLUSH: Partial<Operations> = {
  ...{ objectRequests: 1, objectMilliseconds: 100, objectRowsWritten: 7.2, objectRowsRead: 75 },
  ...{ databaseRowsWritten: 10.7, databaseRowsRead: 46, bucketClassA: 1, bucketClassB: 2 },
};
/** Counted: a build of one table: its message, lease, commit, files and pointer. */
const BUILD: Partial<Operations> = {
  ...{ queueOperations: OPERATIONS_A_MESSAGE, databaseRowsWritten: 17, databaseRowsRead: 130 },
  ...{ bucketClassA: 4.5, bucketClassB: 8 },
};
/** Counted: a minute of the cron that finds nothing to do. */
const TICK: Partial<Operations> = {
  ...{ requests: 1, objectRequests: 1, bucketClassA: 0.25, bucketClassB: 1 },
  ...{ databaseRowsRead: 800, databaseRowsWritten: 0.9 },
};

export function monthlyCost(load: TopicLoad): MonthlyCost {
  const { eventsPerSecond: rate, eventsPerRequest, eventBytes, shards, flush, buildSeconds, tables } = load;
  const ageSeconds = BATCH_SECONDS + flush.ageSeconds + buildSeconds;
  if (rate === 0) return { ingest: 0, buffers: 0, flushes: 0, builds: 0, total: 0, ageSeconds };
  const requests = rate / eventsPerRequest;
  const messages =
    requests * Math.ceil((Math.min(eventsPerRequest, rate * MONTH_SECONDS) * eventBytes) / MESSAGE_BYTES);
  // A batch is closed when it is full, or so long after its first message.
  const batches = Math.max(messages / BATCH_MESSAGES, 1 / (BATCH_SECONDS + 1 / messages));
  const eventsABatch = rate / batches;
  const shardsABatch = shards * (1 - (1 - 1 / shards) ** eventsABatch);
  const shardRate = rate / shards;
  const flushSeconds = Math.min(
    flush.ageSeconds + 1 / shardRate,
    flush.rows / shardRate,
    flush.bytes / (shardRate * eventBytes),
  );
  const flushes = shards / flushSeconds;
  const builds = Math.min(flushes, 1 / buildSeconds);
  const cpu = rate * MONTH_SECONDS * CPU_MS_AN_EVENT * CPU_MILLISECOND_PRICE;
  const ingest =
    dollars({ requests: 1 }, requests) + dollars({ queueOperations: OPERATIONS_A_MESSAGE }, messages) + cpu;
  const buffers = dollars(APPEND, batches * shardsABatch);
  const flushing = dollars(FLUSH, flushes);
  const building = dollars(BUILD, builds * tables);
  return {
    ingest,
    buffers,
    flushes: flushing,
    builds: building,
    total: ingest + buffers + flushing + building,
    ageSeconds,
  };
}

/** The cron, and the two tables of the ledger, which all topics share. `buildSeconds`: how often some topic has something new. */
export function platformCost(buildSeconds: number): number {
  return dollars(TICK, 1 / 60) + dollars(BUILD, 2 / buildSeconds);
}

/** Dollars a month for this so many times a second. */
function dollars(counts: Partial<Operations>, perSecond: number): number {
  return (
    priced({ ...noOperations(), ...counts }).reduce((sum, each) => sum + each.dollars, 0) * perSecond * MONTH_SECONDS
  );
}
