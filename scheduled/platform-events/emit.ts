/** Events of the topics that only the platform writes (`platformOnly` in their contracts), from the Worker itself to the topic's queue. */
import { contractOf, currentSchema } from "../../contracts/registry.ts";
import type { AvroOutput } from "../../schemas/avro-output.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import { type PackedEvent, type PackedMessage, packMessages } from "../../schemas/pack.ts";
import type { PipelineAlert } from "./pipeline-alert.ts";
import type { SchemaChange } from "./schema-change.ts";

/** In the JSON form that admission takes, what is absent left out. */
export interface PlatformEvents {
  readonly pipeline_alerts: PipelineAlert;
  readonly schema_changes: SchemaChange;
}

/**
 * Admits an event by its topic's contract, as any producer's, and appends its envelope to `output`. `received` is microseconds
 * since the epoch. Throws an Error that names what the contract refuses.
 */
export type AdmitPlatformEvent = (
  topic: string,
  event: unknown,
  index: number,
  received: number,
  output: AvroOutput,
) => PackedEvent;

export interface EmitDeps {
  readonly admit: AdmitPlatformEvent;
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
  for (const { body } of packPlatformEvents(topic, events, now, deps)) {
    await deps.topicQueue(topic).send(body);
    deps.countSent(1);
  }
}

/** The messages of events, in their order; `now` is milliseconds since the epoch. An emission is a gateway instance of its own. */
export function packPlatformEvents<Topic extends keyof PlatformEvents>(
  topic: Topic,
  events: readonly PlatformEvents[Topic][],
  now: number,
  { admit, uuidv7 }: Pick<EmitDeps, "admit" | "uuidv7">,
): PackedMessage[] {
  const contract = contractOf(topic);
  if (contract === undefined) throw new Error(`the topic ${topic} has no contract`);
  const received = now * 1_000;
  const buffer = createEventBuffer(FIRST_ROOM);
  const packed = events.map((event, index) => admit(topic, event, index, received, buffer));
  const emission = uuidv7();
  const header = {
    topic,
    schema_id: currentSchema(contract).id,
    contract_version: contract.version,
    producer: PLATFORM_PRODUCER,
    request_id: emission,
    received,
    gateway: emission,
  };
  let sequence = 0;
  return packMessages(packed, buffer, contract.shards, header, () => {
    sequence++;
    return { message_id: uuidv7(), sequence };
  });
}
