/** What the Worker hands to the gateway: storage, time and randomness. Each method's comment is what the gateway relies on. */
import type { BufferedEvent, ReceiptStub, ShardAddress, TopicBufferStub } from "../durable-objects/stubs.ts";
import type { Deploy } from "../lakehouse/builds/generations/record.ts";
import type { Redriven } from "../lakehouse/upkeep/parked/redrive.ts";
import type { MaskingKeys } from "./masking/keyring.ts";
import type { BodyDeadlines } from "./middleware/body-limit/body-deadline.ts";
import type { ByteBudgetOptions } from "./middleware/memory-budget/byte-budget.ts";

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
  /** The largest body in bytes, as sent and inflated. Lines (NDJSON) may have so many: they are judged as they arrive. */
  readonly bodyBytes: number;
  /** The same of every other format, whose body is held until its end is known to be well formed. */
  readonly documentBytes: number;
  /** The same with an Idempotency-Key, whose messages stand in the receipt's storage, in a call to it, and here at once. */
  readonly idempotentBytes: number;
  /** The most events of one request. */
  readonly eventsPerRequest: number;
  /** What all requests of an isolate may hold at once. */
  readonly memory: ByteBudgetOptions;
  readonly deadlines: BodyDeadlines;
}

const MIB = 1_024 * 1_024;

/** Measured by `npm run bench -- memory`. So many events are the largest body in events of 400 bytes. */
export const DEFAULT_LIMITS: GatewayLimits = {
  bodyBytes: 20 * MIB,
  documentBytes: 10 * MIB,
  idempotentBytes: 5 * MIB,
  eventsPerRequest: 50_000,
  // With garbage that waits for its collection requests stay under 90 MB above idle.
  memory: { totalBytes: 56_000_000, requestBytes: 44_000_000, smallShareBytes: 6_000_000, smallBytes: 1_000_000 },
  // 20 MB over 1.5 Mbit/s arrive in time.
  deadlines: { idleMs: 15_000, totalMs: 120_000 },
};

export type Environment = "local" | "staging" | "production";

export interface GatewayDeps {
  /** The queue of a topic. Throws if there is none: the events then get the verdict `retry`. */
  topicQueue(topic: string): MessageQueue;
  /** The buffer of one shard. */
  topicBuffer(address: ShardAddress): Pick<TopicBufferStub, "unflushed" | "flush">;
  /** Payloads of dead letters that no message can carry; the lake's tables; parked messages. A put resolves when the object is durable. */
  readonly lake: Pick<
    R2Bucket,
    "put" | "get" | "head" | "list" | "delete" | "createMultipartUpload" | "resumeMultipartUpload"
  >;
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
  /** Sends a parked message on, by its key. Rejects with what storage or queue throw; it is parked then. */
  redrive(key: string): Promise<Redriven>;
  /** The events waiting in a shard's buffer whose `column` is `text`. */
  findBuffered(address: ShardAddress, column: string, text: string): Promise<readonly BufferedEvent[]>;
  /** How many messages this isolate's consumers have acknowledged. */
  acknowledgedMessages(): number;
  /** The deploy that answers: native builders are given its models. Asked for by their calls alone: a local edge does not know it. */
  deploy(): Deploy;
  /** A tick of the planner. Never rejects. */
  replan(): Promise<unknown>;
  /** Takes one line of JSON per request; the console if absent. */
  readonly log?: (line: string) => void;
}
