/** A Worker's bindings, counting what is billed. Durable Objects count their own calls. */

import { type Operations, queueChunks } from "../../prices.ts";
import { countedDatabase } from "./counted-database.ts";

const CLASS_A = new Set<PropertyKey>(["put", "list", "createMultipartUpload"]);
const CLASS_B = new Set<PropertyKey>(["get", "head"]);

/** Wraps the bindings of each env once. */
export function countedBindings(operations: Operations): (env: Env) => Env {
  const wrapped = new WeakMap<Env, Env>();
  return (env) => {
    let result = wrapped.get(env);
    if (result === undefined) {
      result = counted(env, operations);
      wrapped.set(env, result);
    }
    return result;
  };
}

function counted(env: Env, operations: Operations): Env {
  const lake = countedBucket(env.LAKE, operations);
  const database = countedDatabase(env.DB, operations);
  const queues = new Map<PropertyKey, Queue>();
  return new Proxy(env, {
    get(object, name) {
      if (name === "LAKE") return lake;
      if (name === "DB") return database;
      const value: unknown = Reflect.get(object, name);
      if (!isQueue(value)) return value;
      const queue = queues.get(name) ?? countedQueue(value, operations);
      queues.set(name, queue);
      return queue;
    },
  });
}

function countedBucket(bucket: R2Bucket, operations: Operations): R2Bucket {
  return new Proxy(bucket, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      return (...values: unknown[]) => {
        if (CLASS_A.has(name)) operations.bucketClassA++;
        if (CLASS_B.has(name)) operations.bucketClassB++;
        return Reflect.apply(value, object, values);
      };
    },
  });
}

/** A write and, as every message is deleted once, a delete. Sizes are taken first: a sent buffer is detached. */
function countedQueue(queue: Queue, operations: Operations): Queue {
  const count = (body: unknown) => {
    operations.queueOperations += 2 * queueChunks(sizeOf(body));
  };
  return {
    metrics: () => queue.metrics(),
    send(message, options) {
      count(message);
      return queue.send(message, options);
    },
    sendBatch(messages, options) {
      const list = [...messages];
      for (const { body } of list) count(body);
      return queue.sendBatch(list, options);
    },
  };
}

export function sizeOf(body: unknown): number {
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  return JSON.stringify(body).length;
}

function isQueue(value: unknown): value is Queue {
  return typeof value === "object" && value !== null && "send" in value && "sendBatch" in value;
}
