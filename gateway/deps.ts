/** What the Worker hands to the gateway: storage, time and randomness. Each method's comment is what the gateway relies on. */

export interface MessageQueue {
  /** Resolves when the message is durable, and not before. The buffer belongs to the queue from the call on: it is detached. */
  send(body: Uint8Array): Promise<void>;
}

export interface GatewayLimits {
  /** The largest decoded body, in bytes. */
  readonly bodyBytes: number;
  /** The most events of one request. */
  readonly eventsPerRequest: number;
}

/** 10 MB: parsed it stays far below an isolate's 128 MB, which concurrent requests share (PLATFORM, Limits). */
export const DEFAULT_LIMITS: GatewayLimits = { bodyBytes: 10_000_000, eventsPerRequest: 10_000 };

export type Environment = "local" | "staging" | "production";

export interface GatewayDeps {
  /** The queue of a topic. Throws if there is none: the events then get the verdict `retry`. */
  topicQueue(topic: string): MessageQueue;
  /** Payloads of dead letters that no message can carry. Resolves when the object is durable. */
  readonly lake: Pick<R2Bucket, "put">;
  readonly db: D1Database;
  readonly environment: Environment;
  /** Milliseconds since the epoch. */
  readonly clock: { now(): number };
  /** Time-ordered ids, RFC 9562 version 7, canonical text. */
  readonly ids: { uuidv7(): string };
  readonly limits: GatewayLimits;
  /** How many messages this isolate's consumers have acknowledged. */
  acknowledgedMessages(): number;
  /** Takes one line of JSON per request; the console if absent. */
  readonly log?: (line: string) => void;
}
