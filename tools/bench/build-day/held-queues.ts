/**
 * Queues in the Worker's memory, whose waits follow the virtual clock: a batch goes out when it is full or its first message has
 * waited as long as deployed consumers let it. Each operation is counted as it is billed.
 */
import { queueChunks } from "../../prices.ts";
import type { Tally } from "./tally.ts";
import { virtualNow } from "./virtual-clock.ts";

export interface BatchRule {
  readonly messages: number;
  readonly waitMs: number;
}

interface HeldMessage {
  readonly id: string;
  readonly body: unknown;
  readonly chunks: number;
  readonly timestamp: Date;
  /** When it may be delivered. */
  from: number;
  attempts: number;
}

let sent = 0;

export class HeldQueue implements Queue {
  readonly name: string;
  /** Told of each message's body. */
  onHeld?: (body: unknown) => void;
  readonly #rule: BatchRule;
  readonly #tally: Tally;
  #messages: HeldMessage[] = [];

  constructor(name: string, rule: BatchRule, tally: Tally) {
    this.name = name;
    this.#rule = rule;
    this.#tally = tally;
  }

  async metrics(): Promise<QueueMetrics> {
    const oldest = this.#messages[0]?.timestamp;
    return {
      backlogCount: this.#messages.length,
      backlogBytes: 0,
      ...(oldest === undefined ? {} : { oldestMessageTimestamp: oldest }),
    };
  }

  async send(message: unknown): Promise<QueueSendResponse> {
    this.hold(message);
    return { metadata: { metrics: { backlogCount: this.#messages.length, backlogBytes: 0 } } };
  }

  async sendBatch(messages: Iterable<MessageSendRequest>): Promise<QueueSendBatchResponse> {
    for (const { body } of messages) this.hold(body);
    return { metadata: { metrics: { backlogCount: this.#messages.length, backlogBytes: 0 } } };
  }

  /** A write. The body is copied, as a real queue does. */
  hold(body: unknown): void {
    const own: unknown = structuredClone(body);
    this.onHeld?.(own);
    const chunks = queueChunks(sizeOf(own));
    this.#tally.operations.queueOperations += chunks;
    const now = virtualNow();
    this.#messages.push({ id: String(++sent), body: own, chunks, timestamp: new Date(now), from: now, attempts: 0 });
  }

  /** When its next batch goes out; infinity for none. */
  due(): number {
    const [first] = this.#messages;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const earliest = Math.min(...this.#messages.map(({ from }) => from));
    const waiting = this.#messages.filter(({ from }) => from <= virtualNow()).length;
    return waiting >= this.#rule.messages ? virtualNow() : earliest + this.#rule.waitMs;
  }

  /** The body of the message that the next batch begins with. */
  next(): unknown {
    return this.#messages.find(({ from }) => from <= virtualNow())?.body;
  }

  /** Delivers one batch: a read for each message, and a delete for what is not to be delivered again. */
  async deliver(consume: (batch: MessageBatch) => Promise<void>): Promise<void> {
    const now = virtualNow();
    const batch = this.#messages.filter(({ from }) => from <= now).slice(0, this.#rule.messages);
    const retries = new Map<HeldMessage, number>();
    const messages = batch.map((held): Message => {
      held.attempts++;
      this.#tally.operations.queueOperations += held.chunks;
      return {
        id: held.id,
        timestamp: held.timestamp,
        body: held.body,
        attempts: held.attempts,
        ack: () => {},
        retry: (options) => void retries.set(held, options?.delaySeconds ?? 0),
      };
    });
    const metrics = { backlogCount: this.#messages.length, backlogBytes: 0 };
    await consume({ queue: this.name, messages, metadata: { metrics }, ackAll: () => {}, retryAll: () => {} });
    for (const held of batch) {
      const delay = retries.get(held);
      if (delay !== undefined) held.from = now + delay * 1_000;
      else this.#tally.operations.queueOperations += held.chunks;
    }
    this.#messages = this.#messages.filter((held) => !batch.includes(held) || retries.has(held));
  }
}

function sizeOf(body: unknown): number {
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  return JSON.stringify(body).length;
}
