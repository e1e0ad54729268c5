/** Refusals to packable dead letters: payloads stored, events encoded, each counted by source topic and error type. */
import { contractOf, currentSchema } from "../../contracts/registry.ts";
import { shardOf } from "../../contracts/shards.ts";
import type { AvroOutput } from "../../schemas/avro-output.ts";
import { codecById } from "../../schemas/codecs.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import type { PackedEvent } from "../../schemas/pack.ts";
import { compileCheckedWriter } from "../admit/checked-writer.ts";
import { writeNoResidue } from "../admit/envelope.ts";
import { INVALID } from "../admit/fast-pass.ts";
import { compilePlan } from "../admit/plan.ts";
import { mapBounded } from "../map-bounded.ts";
import {
  type DeadLetterEvent,
  deadLetterId,
  deadLetterOf,
  type Refusal,
  type RefusalContext,
  type StoredPayload,
} from "./dead-letter.ts";
import { storeConcealed, storePayload } from "./payload.ts";

export const DEAD_LETTERS = "dead_letters";

/** Six connections may wait at once in a Worker (PLATFORM, Limits). */
const CONCURRENT_PUTS = 6;

const WINDOW = 256;

/** The buffer grows; a request of very many refusals may still be one of small ones. */
const MAX_FIRST_ROOM = 4_000_000;

export interface EncodedDeadLetters {
  readonly events: readonly PackedEvent[];
  readonly buffer: AvroOutput;
  /** Indexes of events whose payload could not be stored. */
  readonly unstored: readonly number[];
}

function deadLetterRelease() {
  const contract = contractOf(DEAD_LETTERS);
  const codec = contract === undefined ? undefined : codecById(currentSchema(contract).id);
  if (contract === undefined || codec === undefined)
    throw new Error("the topic dead_letters has no contract or no schema");
  const write = compileCheckedWriter(compilePlan(contract, codec.schema), {
    eventMicros: 0,
    eventStart: 0,
    keyStart: -1,
    masker: null,
  });
  return { contract, codec, write };
}
/** The contract, the current codec and the writer of dead letters. */
export const release = deadLetterRelease();

const NONE: EncodedDeadLetters = { events: [], buffer: createEventBuffer(0), unstored: [] };

/** Encodes in the order of the refusals. Never throws for a payload that cannot be stored: it says which. */
export async function encodeDeadLetters(
  refusals: readonly Refusal[],
  context: RefusalContext,
  lake: Pick<R2Bucket, "put">,
): Promise<EncodedDeadLetters> {
  if (refusals.length === 0) return NONE;
  const buffer = createEventBuffer(Math.min(refusals.length * 1_024, MAX_FIRST_ROOM));
  const events: PackedEvent[] = [];
  const unstored: number[] = [];
  // In windows, so that the texts of all payloads never stand beside their bytes and their encoded form at once.
  for (let start = 0; start < refusals.length; start += WINDOW) {
    const window = refusals.slice(start, start + WINDOW);
    const stored = await mapBounded(window, CONCURRENT_PUTS, async (refusal) => {
      const dlqId = deadLetterId(context.requestId, refusal.index);
      const payload = await keep(refusal, context, dlqId, lake);
      return { refusal, dlqId, payload };
    });
    stored.forEach((outcome, position) => {
      const index = window[position]?.index ?? -1;
      if (outcome.status === "rejected") unstored.push(index);
      else events.push(encode(outcome.value, context, buffer));
    });
  }
  return { events, buffer, unstored };
}

async function keep(
  { payload, schemaVersion }: Refusal,
  context: RefusalContext,
  dlqId: string,
  lake: Pick<R2Bucket, "put">,
): Promise<StoredPayload> {
  const { conceal, received } = context;
  if (conceal === null) return storePayload(payload, dlqId, received, lake);
  return storeConcealed(conceal(payload.bytes, schemaVersion), dlqId, received, lake);
}

interface StoredRefusal {
  readonly refusal: Refusal;
  readonly dlqId: string;
  readonly payload: StoredPayload;
}

function encode({ refusal, dlqId, payload }: StoredRefusal, context: RefusalContext, buffer: AvroOutput): PackedEvent {
  return appendDeadLetter(
    deadLetterOf(refusal, context, dlqId, refusal.payload.offset, payload),
    refusal.index,
    buffer,
  );
}

/**
 * Writes a dead letter to the buffer. `index` is its place among those that are packed with it. The ledger counts an event that was
 * refused once, whatever becomes of its replays.
 */
export function appendDeadLetter(event: DeadLetterEvent, index: number, buffer: AvroOutput): PackedEvent {
  const start = buffer.at;
  buffer.writeLong(event.event_index);
  writeNoResidue(buffer);
  if (release.write(event, buffer) & INVALID) throw new Error("a dead letter is not as its own contract has it");
  const end = buffer.at;
  const { shards } = release.contract;
  const label = event.replay_of === null ? `${event.source_topic}|${event.error_type}` : null;
  return { index, shard: shardOf([event.dlq_id], shards), start, end, label };
}
