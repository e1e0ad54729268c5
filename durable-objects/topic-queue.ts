/** The queue of a topic among a Worker's bindings, and how packed messages go into it. */
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

/** A topic's queue as senders of packed messages see it. */
export interface PackedQueue {
  /** Resolves when the message is durable, and not before; the buffer is detached. */
  send(body: Uint8Array): Promise<void>;
  /** `oldestSent`: milliseconds since the epoch, null if there is none. */
  backlog(): Promise<{ readonly messages: number; readonly oldestSent: number | null }>;
}

export function packedQueue(env: object, topic: string): PackedQueue {
  const queue = topicQueue(env, topic);
  return {
    send: async (body) => void (await queue.send(body, { contentType: "bytes" })),
    backlog: async () => {
      const { backlogCount: messages, oldestMessageTimestamp: oldest } = await queue.metrics();
      return { messages, oldestSent: messages === 0 ? null : (oldest?.getTime() ?? null) };
    },
  };
}
