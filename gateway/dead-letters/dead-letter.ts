/** A refused event as an event of the topic `dead_letters` (schemas/dead_letters/v1.avsc). */
import type { EventError } from "../../contracts/verdict.ts";
import { formatTimestamp } from "../../schemas/time.ts";
import type { EventPayload } from "../bodies/event-batch.ts";
import type { ConcealedPayload } from "../masking/payload.ts";
import { sha256Hex } from "../sha256.ts";

/** Which step refused it. */
export type Stage = "decode" | "admission";

/** A refused event; `errors` has at least one. */
export interface Refusal {
  readonly index: number;
  readonly stage: Stage;
  readonly errors: readonly EventError[];
  /** null where the event has none, or could not be read. */
  readonly eventId: string | null;
  /** null where no schema was looked for. */
  readonly schemaVersion: number | null;
  /** What was refused, and where it began. */
  readonly payload: EventPayload;
}

/** What all refusals of a request have in common. */
export interface RefusalContext {
  readonly requestId: string;
  readonly sourceTopic: string;
  readonly producer: string;
  readonly contractVersion: string;
  /** Microseconds since the epoch. */
  readonly received: number;
  /** Masks and seals the bytes of a refused event of a schema version; null for topics without masked fields. */
  readonly conceal: ((bytes: Uint8Array, schemaVersion: number | null) => ConcealedPayload) | null;
}

/** The event's bytes as received, or what may be kept of them: in the dead letter, or apart under an R2 key. */
export type StoredPayload =
  | { readonly payload: string; readonly payload_encoding: "utf-8" | "base64" | "aes-gcm"; readonly payload_ref: null }
  | { readonly payload: null; readonly payload_encoding: "utf-8" | "binary" | "aes-gcm"; readonly payload_ref: string };

const INT_MAX = 2_147_483_647;

/** A producer may claim any number; the column holds an int. */
export function storableVersion(version: number | null): number | null {
  return version !== null && Math.abs(version) <= INT_MAX ? version : null;
}

/** An event of the topic. */
export interface DeadLetterEvent {
  readonly dlq_id: string;
  readonly source_topic: string;
  readonly request_id: string;
  readonly event_index: number;
  readonly byte_offset: number | null;
  readonly event_id: string | null;
  readonly producer: string;
  readonly contract_version: string | null;
  readonly schema_version: number | null;
  readonly stage: string;
  readonly error_type: string;
  readonly errors: readonly EventError[];
  readonly payload: string | null;
  readonly payload_encoding: string;
  readonly payload_ref: string | null;
  readonly received_at: string;
  readonly attempts: number;
  /** The first dead letter of the event, where this one is a later one. */
  readonly replay_of: string | null;
}

/** Deterministic, so that whoever repeats the refusal names the same dead letter: the first 16 bytes of SHA-256, hexadecimal. */
export function deadLetterId(requestId: string, index: number): string {
  return sha256Hex(`${requestId}/${index}`).slice(0, 32);
}

/** The first error's type, which is the dead letter's. */
export function errorTypeOf(refusal: Refusal): EventError["error_type"] {
  return refusal.errors[0]?.error_type ?? "MALFORMED_PAYLOAD";
}

/** The event to encode. `byteOffset` counts from the start of the decoded body. */
export function deadLetterOf(
  refusal: Refusal,
  context: RefusalContext,
  dlqId: string,
  byteOffset: number,
  payload: StoredPayload,
): DeadLetterEvent {
  return {
    dlq_id: dlqId,
    source_topic: context.sourceTopic,
    request_id: context.requestId,
    event_index: refusal.index,
    byte_offset: byteOffset,
    event_id: refusal.eventId,
    producer: context.producer,
    contract_version: context.contractVersion,
    schema_version: storableVersion(refusal.schemaVersion),
    stage: refusal.stage,
    error_type: errorTypeOf(refusal),
    errors: refusal.errors,
    ...payload,
    received_at: formatTimestamp(context.received),
    attempts: 1,
    replay_of: null,
  };
}
