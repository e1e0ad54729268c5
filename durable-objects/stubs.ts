/** How the rest of the Worker finds a Durable Object: the only place that makes names of them. */

import type { Backlog } from "../sql/statements/shards.ts";

export type { Backlog } from "../sql/statements/shards.ts";

export interface ShardAddress {
  readonly topic: string;
  readonly shard: number;
  /** The shard count that the message was packed for: it may differ from the contract's present one. */
  readonly of: number;
}

/** What became of the frames of one append. Every message is in exactly one of the lists, by id: that of the first which fits. */
export interface AppendResult {
  /** Durable, now or since an earlier delivery. */
  readonly stored: readonly string[];
  /** Older than the memory of ids: appending could double them, so they must be parked. */
  readonly tooOld: readonly string[];
  /** The buffer is far behind and takes nothing new: to be delivered again, later. */
  readonly refused: readonly string[];
}

/** Events that only a buffer holds. */
export interface Unflushed {
  readonly events: number;
  /** When the oldest of them was appended, milliseconds since the epoch; null if there are none. */
  readonly oldestAppended: number | null;
}

/** The RPC face of a TopicBuffer. */
export interface TopicBufferStub {
  /** Appends frames (`schemas/packed-block.ts`). Resolved means durable; rejected means nothing was appended. */
  append(address: ShardAddress, frames: Uint8Array): Promise<AppendResult>;
  /** Makes sure that an alarm is set if there is anything to flush; what there is. Reaches nothing but the object's own storage. */
  poke(address: ShardAddress): Promise<Backlog>;
  /** True if the shard is empty and every message it ever took would now be refused as too old; its next append lists it anew. */
  retire(address: ShardAddress): Promise<boolean>;
  /** What is appended and not yet registered in bronze. Changes nothing. */
  unflushed(): Promise<Unflushed>;
  /** Flushes what is appended, whatever its age: the alarm is set, and rings after the answer, which says what there is. */
  flush(address: ShardAddress): Promise<Unflushed>;
}

/** The part of a Durable Object namespace that this needs; Cloudflare's own fits it. */
export interface TopicBufferNamespace<Id, Stub = TopicBufferStub> {
  idFromName(name: string): Id;
  get(id: Id): Stub;
}

export function topicBuffer<Id, Stub = TopicBufferStub>(
  namespace: TopicBufferNamespace<Id, Stub>,
  address: ShardAddress,
): Stub {
  return namespace.get(namespace.idFromName(`${address.topic}/${address.shard}/${address.of}`));
}

/** An event that no bronze file has yet. */
export interface BufferedEvent {
  readonly message_id: string;
  /** Its position in its request; null: the deploy cannot decode the bytes, in which the id stands. */
  readonly event_index: number | null;
  /** Times are ISO 8601 UTC. */
  readonly received: string;
  readonly buffered_since: string;
}

/** What a trace asks of a TopicBuffer. */
export interface BufferSearchStub {
  /** The waiting events whose `column` is `text`. */
  find(address: ShardAddress, column: string, text: string): Promise<readonly BufferedEvent[]>;
}

/** An answer as it was first given, to the byte. */
export interface StoredAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A judged request: its answer, and the messages that must be durable before the answer may be given. */
export interface PreparedRequest {
  /** Of the receipt that it was judged for. */
  readonly requestId: string;
  readonly answer: StoredAnswer;
  /** In the order of the request; at most 128 KB each. */
  readonly messages: readonly { readonly topic: string; readonly body: Uint8Array }[];
}

/** What every try of one request has in common. */
export interface RequestStamp {
  readonly requestId: string;
  /** Microseconds since the epoch. */
  readonly received: number;
}

export type ReceiptBegin =
  /** Judge the body with this stamp, then submit it. */
  | ({ readonly state: "begun" } & RequestStamp)
  /** It was judged and is kept: submit the fingerprint alone. */
  | { readonly state: "submitted" };

export type ReceiptOutcome =
  /** All messages are durable. `repeated`: an earlier or concurrent request prepared them. `sent`: how many this call made durable. */
  | { readonly state: "answered"; readonly answer: StoredAnswer; readonly repeated: boolean; readonly sent: number }
  /** The messages are kept, but not all are durable in their queues: the same request again goes on from there. */
  | { readonly state: "unsent"; readonly sent: number }
  /** The key belongs to a request with another fingerprint. */
  | { readonly state: "reused" }
  /** The receipt expired since the request began: begin anew. */
  | { readonly state: "lost" };

/** The RPC face of a receipt. */
export interface ReceiptStub {
  /** `proposal` is taken if there is no receipt yet. */
  begin(proposal: RequestStamp): Promise<ReceiptBegin>;
  /** `fingerprint`: of all that was read. Resolves when the messages are durable in their queues, or as many as could be. */
  submit(fingerprint: string, prepared: PreparedRequest | null): Promise<ReceiptOutcome>;
}

/** The part of a Durable Object namespace that this needs; Cloudflare's own fits it. */
export interface ReceiptNamespace<Id> {
  idFromName(name: string): Id;
  get(id: Id): ReceiptStub;
}

/** The receipt of an idempotency scope: `name` holds topic, key id and the hash of the Idempotency-Key. */
export function receipt<Id>(namespace: ReceiptNamespace<Id>, name: string): ReceiptStub {
  return namespace.get(namespace.idFromName(name));
}

/** What became of a call to wake the container with the native builder, and the hours that it ran this month. */
export interface NativeBuilderState {
  readonly state: "started" | "runs" | "ceiling" | "not set up";
  readonly hours: number;
}

/** The RPC face of the NativeBuilder. */
export interface NativeBuilderStub {
  wake(ceilingHours: number): Promise<NativeBuilderState>;
}

/** The part of a Durable Object namespace that this needs; Cloudflare's own fits it. */
export interface NativeBuilderNamespace<Id> {
  idFromName(name: string): Id;
  get(id: Id): NativeBuilderStub;
}

/** There is one: who wants more builders runs them on machines of their own. */
export function nativeBuilder<Id>(namespace: NativeBuilderNamespace<Id>): NativeBuilderStub {
  return namespace.get(namespace.idFromName("builder"));
}
