/** The queue of a topic among a Worker's bindings. */
import { queueBinding } from "../contracts/registry.ts";

/** Bindings are looked up by name because a new topic is a contract, not code. Throws if wrangler.toml has no such queue. */
export function topicQueue(env: object, topic: string): Queue {
  const binding = queueBinding(topic);
  const queue: unknown = Reflect.get(env, binding);
  if (!isQueue(queue)) throw new Error(`binding ${binding} is missing: wrangler.toml has no queue for topic ${topic}`);
  return queue;
}

function isQueue(value: unknown): value is Queue {
  return typeof value === "object" && value !== null && "send" in value && "sendBatch" in value;
}
