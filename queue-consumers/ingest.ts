/**
 * A topic's queue to its buffers. Bytes are cut by shard, never decoded; one RPC per shard and batch; a message is
 * acknowledged only when every slice of it is durable.
 */
import { type ShardAddress, type TopicBufferNamespace, topicBuffer } from "../durable-objects/stubs.ts";
import {
  type DecodedMessage,
  decodeMessage,
  encodeFrames,
  type MessageSlice,
  PackedBlockError,
} from "../schemas/packed-block.ts";
import { notAMessage, systemFault } from "./fault.ts";
import { isAcknowledged, type Outcome, settle, unavailable } from "./outcome.ts";
import { bodyBytes, type ParkingBucket, park } from "./parking.ts";

export interface IngestDeps<Id> {
  readonly buffers: TopicBufferNamespace<Id>;
  readonly bucket: ParkingBucket;
  /** Called with the number of messages that the batch acknowledged. */
  countAcknowledged(messages: number): void;
  log(event: Readonly<Record<string, unknown>>): void;
}

interface ShardSlices {
  readonly address: ShardAddress;
  readonly slices: MessageSlice[];
  /** Positions in the batch of the messages that the slices come from. */
  readonly messages: Set<number>;
}

/** Consumes one batch. Never throws: a throw would redeliver what is already stored. */
export async function ingest<Id>(batch: MessageBatch, deps: IngestDeps<Id>): Promise<void> {
  const outcomes: Outcome[] = batch.messages.map(() => ({ kind: "stored" }));
  const shards = cutByShard(batch, outcomes);
  await Promise.all([...shards.values()].map((shard) => appendShard(shard, deps, outcomes, batch)));
  await Promise.all(
    batch.messages.map(async (message, i) => {
      const outcome = outcomes[i];
      if (outcome?.kind !== "parked") return;
      try {
        await park(deps.bucket, batch.queue, message, outcome.fault);
      } catch (error) {
        outcomes[i] = unavailable(`parking failed: ${String(error)}`);
      }
    }),
  );
  batch.messages.forEach((message, i) => {
    settle(message, outcomes[i] ?? unavailable("no outcome"));
  });
  const acknowledged = outcomes.filter(isAcknowledged).length;
  deps.countAcknowledged(acknowledged);
  deps.log({
    event: "ingest",
    queue: batch.queue,
    messages: outcomes.length,
    acknowledged,
    shards: shards.size,
    parked: outcomes.filter((outcome) => outcome.kind === "parked").length,
    postponed: outcomes.filter((outcome) => outcome.kind === "postponed").length,
    reasons: [
      ...new Set(outcomes.flatMap((outcome) => (outcome.kind === "stored" ? [] : [outcome.fault.detail]))),
    ].slice(0, 5),
  });
}

function cutByShard(batch: MessageBatch, outcomes: Outcome[]): Map<string, ShardSlices> {
  const shards = new Map<string, ShardSlices>();
  batch.messages.forEach((message, position) => {
    let decoded: DecodedMessage;
    try {
      decoded = decodeMessage(bodyBytes(message.body));
    } catch (error) {
      outcomes[position] =
        error instanceof PackedBlockError
          ? { kind: "parked", fault: notAMessage(`not a packed message: ${error.message}`) }
          : unavailable(String(error));
      return;
    }
    const { topic, slices } = decoded.header;
    slices.forEach((slice, number) => {
      const key = `${topic}/${slice.shard}/${slice.of}`;
      let shard = shards.get(key);
      if (shard === undefined) {
        shard = { address: { topic, shard: slice.shard, of: slice.of }, slices: [], messages: new Set() };
        shards.set(key, shard);
      }
      shard.slices.push({ message: decoded, number });
      shard.messages.add(position);
    });
  });
  return shards;
}

async function appendShard<Id>(
  shard: ShardSlices,
  deps: IngestDeps<Id>,
  outcomes: Outcome[],
  batch: MessageBatch,
): Promise<void> {
  try {
    const result = await topicBuffer(deps.buffers, shard.address).append(shard.address, encodeFrames(shard.slices));
    if (result.tooOld.length + result.refused.length === 0) return;
    const tooOld = new Set(result.tooOld);
    const refused = new Set(result.refused);
    for (const position of shard.messages) {
      const message = batch.messages[position];
      if (message === undefined) continue;
      const id = decodeMessage(bodyBytes(message.body)).header.message_id;
      const outcome = outcomes[position]?.kind;
      // A slice that failed or was refused in another shard wins: the next delivery finds this one as old as now.
      if (outcome === "retry") continue;
      if (refused.has(id)) {
        outcomes[position] = {
          kind: "postponed",
          fault: systemFault("unavailable", `${nameOf(shard.address)} is far behind`),
        };
      } else if (tooOld.has(id) && outcome !== "postponed") {
        outcomes[position] = {
          kind: "parked",
          fault: systemFault("too_old", `message ${id} is older than the memory of message ids`),
        };
      }
    }
  } catch (error) {
    for (const position of shard.messages) {
      outcomes[position] = unavailable(`append to ${nameOf(shard.address)}: ${String(error)}`);
    }
  }
}

function nameOf({ topic, shard, of }: ShardAddress): string {
  return `${topic}/${shard}/${of}`;
}
