/** What the Worker hands to the gateway: storage, time and randomness. Each method's comment is what the gateway relies on. */
import type { BufferedEvent, ReceiptStub, ShardAddress, TopicBufferStub } from "../durable-objects/stubs.ts";
import type { MaskingKeys } from "./masking/keyring.ts";

export interface MessageQueue {
  /** Resolves when the message is durable, and not before. The buffer belongs to the queue from the call on: it is detached. */
  send(body: Uint8Array): Promise<void>;
  /** What waits in it, as far as the platform tells: a batch that a consumer has just been given may be missing. */
  backlog(): Promise<QueueBacklog>;
}

export interface QueueBacklog {
  readonly messages: number;
  /** When the oldest was sent, milliseconds since the epoch; null if there is none. */
  readonly oldestSent: number | null;
}

/** Counts by key. */
export interface RateLimiter {
  /** Counts one request; false if the key is over its limit. */
  take(key: string): Promise<boolean>;
}

export interface GatewayLimits {
  /** The largest body in bytes, as sent and inflated. */
  readonly bodyBytes: number;
  /** The most events of one request. */
  readonly eventsPerRequest: number;
}

/**
 * 20 MiB, inflated: judged piece by piece, a request takes its body once, what is stored of it, and little else, which leaves
 * room for others in an isolate's 128 MB (PLATFORM, Limits). So many events are that body in events of 400 bytes.
 */
export const DEFAULT_LIMITS: GatewayLimits = { bodyBytes: 20 * 1_024 * 1_024, eventsPerRequest: 50_000 };

export type Environment = "local" | "staging" | "production";

export interface GatewayDeps {
  /** The queue of a topic. Throws if there is none: the events then get the verdict `retry`. */
  topicQueue(topic: string): MessageQueue;
  /** The buffer of one shard. */
  topicBuffer(address: ShardAddress): Pick<TopicBufferStub, "unflushed" | "flush">;
  /** Payloads of dead letters that no message can carry (`put` resolves when the object is durable); what is parked; what a trace and a peek read. */
  readonly lake: Pick<R2Bucket, "put" | "get" | "head" | "list">;
  readonly db: D1Database;
  readonly environment: Environment;
  /** Milliseconds since the epoch. */
  readonly clock: { now(): number };
  /** Time-ordered ids, RFC 9562 version 7, canonical text. */
  readonly ids: { uuidv7(): string };
  readonly limits: GatewayLimits;
  /** The keys that mask personal data, or why there are none: only topics with masked fields ask. */
  maskingKeys(): MaskingKeys;
  /** Unpredictable bytes, for the ivs of what is sealed. */
  randomBytes(length: number): Uint8Array;
  readonly requestLimiter: RateLimiter;
  /** The receipt of an Idempotency-Key, by its name (`idempotency/receipt-name.ts`): the same name is the same receipt everywhere. */
  receipt(name: string): ReceiptStub;
  /** The events waiting in a shard's buffer whose `column` is `text`. */
  findBuffered(address: ShardAddress, column: string, text: string): Promise<readonly BufferedEvent[]>;
  /** How many messages this isolate's consumers have acknowledged. */
  acknowledgedMessages(): number;
  /** Takes one line of JSON per request; the console if absent. */
  readonly log?: (line: string) => void;
}
