/** What Cloudflare bills by the piece, and for how much. */

export interface Operations {
  /** Invocations of the Worker: requests and cron ticks; a queue's consumer is not one. */
  requests: number;
  /** Writes, reads and deletes, each per 64 KB of a message. */
  queueOperations: number;
  /** RPC calls and alarms. */
  objectRequests: number;
  /** Milliseconds in which an object handled a call or an alarm. */
  objectMilliseconds: number;
  objectRowsRead: number;
  objectRowsWritten: number;
  databaseRowsRead: number;
  databaseRowsWritten: number;
  /** Writes and lists. */
  bucketClassA: number;
  /** Reads. */
  bucketClassB: number;
}

export function noOperations(): Operations {
  return {
    requests: 0,
    queueOperations: 0,
    objectRequests: 0,
    objectMilliseconds: 0,
    objectRowsRead: 0,
    objectRowsWritten: 0,
    databaseRowsRead: 0,
    databaseRowsWritten: 0,
    bucketClassA: 0,
    bucketClassB: 0,
  };
}

const OPERATIONS = [
  "requests",
  "queueOperations",
  "objectRequests",
  "objectMilliseconds",
  "objectRowsRead",
  "objectRowsWritten",
  "databaseRowsRead",
  "databaseRowsWritten",
  "bucketClassA",
  "bucketClassB",
] as const satisfies readonly (keyof Operations)[];

/** Reads the counts out of JSON. Throws Error for one that is missing. */
export function operationsIn(json: unknown): Operations {
  const counts = noOperations();
  for (const operation of OPERATIONS) {
    const count: unknown = typeof json === "object" && json !== null ? Reflect.get(json, operation) : undefined;
    if (typeof count !== "number") throw new Error(`the count of ${operation} is missing`);
    counts[operation] = count;
  }
  return counts;
}

/** What came between two counts, times a factor. */
export function scaled(after: Operations, before: Operations, factor: number): Operations {
  const counts = noOperations();
  for (const operation of OPERATIONS) counts[operation] = (after[operation] - before[operation]) * factor;
  return counts;
}

/** An object has 128 MB, whatever it uses. */
const OBJECT_GB = 0.128;

/** Dollars for one, past what the plan includes: Cloudflare's price lists for Workers, Queues, Durable Objects, D1 and R2 as of 2026-11. */
export const PRICES: Readonly<Record<keyof Operations, number>> = {
  requests: 0.3e-6,
  queueOperations: 0.4e-6,
  objectRequests: 0.15e-6,
  objectMilliseconds: (12.5e-6 * OBJECT_GB) / 1_000,
  objectRowsRead: 0.001e-6,
  objectRowsWritten: 1e-6,
  databaseRowsRead: 0.001e-6,
  databaseRowsWritten: 1e-6,
  bucketClassA: 4.5e-6,
  bucketClassB: 0.36e-6,
};

/** Dollars for a millisecond of CPU of the Worker. */
export const CPU_MILLISECOND_PRICE = 0.02e-6;

export interface PricedOperation {
  readonly operation: keyof Operations;
  readonly count: number;
  readonly dollars: number;
}

export function priced(operations: Readonly<Operations>): PricedOperation[] {
  return OPERATIONS.map((operation) => ({
    operation,
    count: operations[operation],
    dollars: operations[operation] * PRICES[operation],
  }));
}

/** Queues bill each started 64 KB of a message. */
export function queueChunks(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 64_000));
}
