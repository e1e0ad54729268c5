/** How the rest of the Worker finds a Durable Object: the only place that makes names of them. */

export interface ShardAddress {
  readonly topic: string;
  readonly shard: number;
  /** The shard count that the message was packed for: it may differ from the contract's present one. */
  readonly of: number;
}

/** What became of the frames of one append. Every message is in exactly one of the lists, by id. */
export interface AppendResult {
  /** Durable, now or since an earlier delivery. */
  readonly stored: readonly string[];
  /** Older than the memory of ids: appending could double them, so they must be parked. */
  readonly tooOld: readonly string[];
}

/** The RPC face of a TopicBuffer. */
export interface TopicBufferStub {
  /** Appends frames (`schemas/packed-block.ts`). Resolved means durable; rejected means nothing was appended. */
  append(address: ShardAddress, frames: Uint8Array): Promise<AppendResult>;
  /** Makes sure that an alarm is set if there is anything to flush; true if there is. */
  poke(address: ShardAddress): Promise<boolean>;
}

/** The part of a Durable Object namespace that this needs; Cloudflare's own fits it. */
export interface TopicBufferNamespace<Id> {
  idFromName(name: string): Id;
  get(id: Id): TopicBufferStub;
}

export function topicBuffer<Id>(namespace: TopicBufferNamespace<Id>, address: ShardAddress): TopicBufferStub {
  return namespace.get(namespace.idFromName(`${address.topic}/${address.shard}/${address.of}`));
}
