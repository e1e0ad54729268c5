/**
 * What a topic costs a month, from its rate and its settings. Pure. The counts of a flush, an append and a build were measured on the
 * bundle with bindings that count what is billed (tools/bench/build-day), of orders with a gold table, 2026-11-30; docs/cost.md has the formulas.
 */
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
const BATCH_SECONDS = 10;
const BATCH_MESSAGES = 100;
/** The gateway cuts a request's events into messages of so many bytes; a queue bills each started 64 KB three times: write, read, delete. */
const MESSAGE_BYTES = 60_000;
const OPERATIONS_A_MESSAGE = 3;
/** CPU of an event from HTTP to gold: an upper bound. */
const CPU_MS_AN_EVENT = 0.04;

/** Counted: what one call that appends to a buffer touches. */
const APPEND: Partial<Operations> = {
  objectRequests: 1,
  objectMilliseconds: 10,
  objectRowsWritten: 2,
  objectRowsRead: 4,
};
/** Counted: an alarm with its flush, the file's put, its registration in D1. */
const FLUSH: Partial<Operations> = {
  ...{ objectRequests: 1.5, objectMilliseconds: 100, objectRowsWritten: 9.5, objectRowsRead: 54 },
  ...{ databaseRowsWritten: 10.5, databaseRowsRead: 10, bucketClassA: 1 },
};
/** Counted: a build of one table: its message, lease, commit, file and pointer. Beside it each flush's file is read once. */
const BUILD: Partial<Operations> = {
  ...{ queueOperations: OPERATIONS_A_MESSAGE, databaseRowsWritten: 17, databaseRowsRead: 95 },
  ...{ bucketClassA: 2.25, bucketClassB: 3 },
};
/** Counted: a minute of the cron that finds nothing to do. */
const TICK: Partial<Operations> = { requests: 1, databaseRowsRead: 78, bucketClassA: 1 };

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
  const building = dollars(BUILD, builds * tables) + dollars({ bucketClassB: 1 }, flushes);
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
