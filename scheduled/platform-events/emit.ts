/** Events of the topics that only the platform writes (`platformOnly` in their contracts), from the Worker itself to the topic's queue. */
import { contractOf, currentSchema } from "../../contracts/registry.ts";
import { shardOf } from "../../contracts/shards.ts";
import { codecById } from "../../schemas/codecs.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import { type PackedMessage, packMessages } from "../../schemas/pack.ts";
import type { PipelineAlert } from "./pipeline-alert.ts";
import type { SchemaChange } from "./schema-change.ts";

/** In the JSON form that admission takes, what is absent left out; a test holds each against its contract. */
export interface PlatformEvents {
  readonly pipeline_alerts: PipelineAlert;
  readonly schema_changes: SchemaChange;
}

export interface EmitDeps {
  /** `send` resolves when the message is durable; the buffer is its own from then on. */
  topicQueue(topic: keyof PlatformEvents): { send(body: Uint8Array): Promise<void> };
  /** Time-ordered ids, RFC 9562 version 7. */
  uuidv7(): string;
  /** Counts messages that are durable. */
  countSent(messages: number): void;
}

/** The name that rows of platform topics have as their producer. */
export const PLATFORM_PRODUCER = "sluice";

const FIRST_ROOM = 4_096;

/** Emits events; resolves when all are durable. Throws the queue's error: then some may be, and all may be emitted again. */
export async function emit<Topic extends keyof PlatformEvents>(
  topic: Topic,
  events: readonly PlatformEvents[Topic][],
  now: number,
  deps: EmitDeps,
): Promise<void> {
  for (const { body } of packPlatformEvents(topic, events, now, deps.uuidv7)) {
    await deps.topicQueue(topic).send(body);
    deps.countSent(1);
  }
}

/** The messages of events, in their order; `now` is milliseconds since the epoch. An emission is a gateway instance of its own. */
export function packPlatformEvents<Topic extends keyof PlatformEvents>(
  topic: Topic,
  events: readonly PlatformEvents[Topic][],
  now: number,
  uuidv7: () => string,
): PackedMessage[] {
  const contract = contractOf(topic);
  const codec = contract === undefined ? undefined : codecById(currentSchema(contract).id);
  if (contract === undefined || codec === undefined) throw new Error(`the topic ${topic} has no contract or no schema`);
  const buffer = createEventBuffer(FIRST_ROOM);
  const packed = events.map((event, index) => {
    const start = buffer.length;
    const end = buffer.append(codec, { index, extra: null, lexical: null, event });
    const key = contract.shardKey.map((name): unknown => Reflect.get(event, name));
    return { index, shard: shardOf(key, contract.shards), start, end, label: null };
  });
  const emission = uuidv7();
  const header = {
    topic,
    schema_id: codec.id,
    contract_version: contract.version,
    producer: PLATFORM_PRODUCER,
    request_id: emission,
    received: now * 1_000,
    gateway: emission,
  };
  let sequence = 0;
  return packMessages(packed, buffer, contract.shards, header, () => {
    sequence++;
    return { message_id: uuidv7(), sequence };
  });
}
