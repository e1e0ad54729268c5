/** Refusals to packable dead letters: payloads stored, events encoded, each counted by source topic and error type. */
import { contractOf, currentSchema } from "../../contracts/registry.ts";
import { shardOf } from "../../contracts/shards.ts";
import { codecById } from "../../schemas/codecs.ts";
import { createEventBuffer, type EventBuffer } from "../admit/event-buffer.ts";
import type { Span } from "../bodies/decoded-body.ts";
import { mapBounded } from "../map-bounded.ts";
import type { PackedEvent } from "../pack.ts";
import {
  deadLetterId,
  deadLetterOf,
  errorTypeOf,
  type Refusal,
  type RefusalContext,
  type StoredPayload,
} from "./dead-letter.ts";
import { storePayload } from "./payload.ts";

export const DEAD_LETTERS = "dead_letters";

/** Six connections may wait at once in a Worker (PLATFORM, Limits). */
const CONCURRENT_PUTS = 6;

export interface EncodedDeadLetters {
  readonly events: readonly PackedEvent[];
  readonly buffer: EventBuffer;
  /** Indexes of events whose payload could not be stored. */
  readonly unstored: readonly number[];
}

function deadLetterRelease() {
  const contract = contractOf(DEAD_LETTERS);
  const codec = contract === undefined ? undefined : codecById(currentSchema(contract).id);
  if (contract === undefined || codec === undefined)
    throw new Error("the topic dead_letters has no contract or no schema");
  return { contract, codec };
}
/** The contract and current codec of dead letters. */
export const release = deadLetterRelease();

/** Encodes in the order of the refusals. Never throws for a payload that cannot be stored: it says which. */
export async function encodeDeadLetters(
  refusals: readonly Refusal[],
  context: RefusalContext,
  body: Uint8Array,
  spanOf: (index: number) => Span,
  lake: Pick<R2Bucket, "put">,
): Promise<EncodedDeadLetters> {
  const stored = await mapBounded(refusals, CONCURRENT_PUTS, async (refusal) => {
    const span = spanOf(refusal.index);
    const dlqId = await deadLetterId(context.requestId, refusal.index);
    const payload = await storePayload(body.subarray(span.start, span.end), dlqId, context.received, lake);
    return { refusal, span, dlqId, payload };
  });
  const buffer = createEventBuffer(refusals.length * 1_024);
  const events: PackedEvent[] = [];
  const unstored: number[] = [];
  stored.forEach((outcome, position) => {
    const index = refusals[position]?.index ?? -1;
    if (outcome.status === "rejected") unstored.push(index);
    else events.push(encode(outcome.value, context, buffer));
  });
  return { events, buffer, unstored };
}

interface StoredRefusal {
  readonly refusal: Refusal;
  readonly span: Span;
  readonly dlqId: string;
  readonly payload: StoredPayload;
}

function encode(
  { refusal, span, dlqId, payload }: StoredRefusal,
  context: RefusalContext,
  buffer: EventBuffer,
): PackedEvent {
  const event = deadLetterOf(refusal, context, dlqId, span.start, payload);
  const start = buffer.length;
  const end = buffer.append(release.codec, { index: refusal.index, extra: null, lexical: null, event });
  const { shards } = release.contract;
  const label = `${context.sourceTopic}|${errorTypeOf(refusal)}`;
  return { index: refusal.index, shard: shardOf([dlqId], shards), start, end, label };
}
