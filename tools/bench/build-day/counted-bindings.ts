/** A Worker's bindings, counting what is billed, with queues that follow the virtual clock. Durable Objects count their own calls. */
import { DEPLOYED_BATCH_SECONDS } from "../../build/batch-wait.ts";
import { countedDatabase } from "./counted-database.ts";
import { HeldQueue } from "./held-queues.ts";
import type { Tally } from "./tally.ts";
import { atVirtualTime } from "./virtual-clock.ts";

const CLASS_A = new Set<PropertyKey>(["put", "list", "createMultipartUpload"]);
const CLASS_B = new Set<PropertyKey>(["get", "head"]);
/** As deployed consumers have it. */
const TOPICS_RULE = { messages: 100, waitMs: DEPLOYED_BATCH_SECONDS * 1_000 };
const BUILDS_RULE = { messages: 1, waitMs: 0 };

/** The held queues, by binding. */
export type HeldQueues = Map<string, HeldQueue>;

/** Wraps the bindings of each env once. */
export function countedBindings(tally: Tally, queues: HeldQueues): (env: Env) => Env {
  const wrapped = new WeakMap<Env, Env>();
  return (env) => {
    let result = wrapped.get(env);
    if (result === undefined) {
      result = counted(env, tally, queues);
      wrapped.set(env, result);
    }
    return result;
  };
}

function counted(env: Env, tally: Tally, queues: HeldQueues): Env {
  const lake = countedBucket(env.LAKE, tally);
  const database = countedDatabase(env.DB, tally, atVirtualTime);
  return new Proxy(env, {
    get(object, name) {
      if (name === "LAKE") return lake;
      if (name === "DB") return database;
      // The limiter has the machine's clock.
      if (name === "REQUEST_LIMIT") return { limit: async () => ({ success: true }) };
      if (typeof name !== "string" || !(name === "BUILDS" || name.startsWith("TOPIC_")))
        return Reflect.get(object, name);
      return name === "TOPIC_BUFFER" ? Reflect.get(object, name) : heldQueue(name, tally, queues);
    },
  });
}

export function heldQueue(binding: string, tally: Tally, queues: HeldQueues): HeldQueue {
  let queue = queues.get(binding);
  if (queue === undefined) {
    const name = binding
      .replace(/^TOPIC_/, "")
      .toLowerCase()
      .replaceAll("_", "-");
    queue = new HeldQueue(`sluice-local-${name}`, binding === "BUILDS" ? BUILDS_RULE : TOPICS_RULE, tally);
    queues.set(binding, queue);
  }
  return queue;
}

export function countedBucket(bucket: R2Bucket, tally: Tally): R2Bucket {
  return new Proxy(bucket, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      return (...values: unknown[]) => {
        if (CLASS_A.has(name)) tally.operations.bucketClassA++;
        if (CLASS_B.has(name)) tally.operations.bucketClassB++;
        if (name === "put")
          return putCounted(tally, String(values[0]), values[1], Reflect.apply(value, object, values));
        return Reflect.apply(value, object, values);
      };
    },
  });
}

/** A put; of a stream it says afterwards how long that was. */
async function putCounted(tally: Tally, key: string, body: unknown, put: ReturnType<R2Bucket["put"]>) {
  const stored = await put;
  tally.wrote(key, body instanceof ReadableStream ? (stored?.size ?? 0) : lengthOf(body));
  return stored;
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value.byteLength : 0;
}
