/**
 * A request's events to verdicts: admit each, store what was accepted and what was refused, and only then say so. Nothing
 * here knows HTTP.
 */
import { currentSchema } from "../contracts/registry.ts";
import type { EventError } from "../contracts/verdict.ts";
import type { AdmittedEvent } from "./admit/admitter.ts";
import { createEventBuffer, type EventBuffer } from "./admit/event-buffer.ts";
import type { TopicAdmitter } from "./admit/topics.ts";
import type { DecodedBody } from "./bodies/decoded-body.ts";
import type { Refusal, RefusalContext } from "./dead-letters/dead-letter.ts";
import { encodeDeadLetters, release } from "./dead-letters/encode.ts";
import type { GatewayDeps } from "./deps.ts";
import { instanceId, nextSequence } from "./instance.ts";
import { type PackedEvent, packMessage, planMessages } from "./pack.ts";
import { type OutgoingMessage, sendAll } from "./send.ts";

/** Why an event must be sent again. */
export type RetryCode = "QUEUE_UNAVAILABLE" | "STORAGE_UNAVAILABLE";

export interface IngestRequest {
  readonly admitter: TopicAdmitter;
  readonly requestId: string;
  readonly producer: string;
  /** Microseconds since the epoch, one value for the whole request. */
  readonly received: number;
  /** From the request's header; null: the current one. */
  readonly schemaVersion: number | null;
  readonly body: Uint8Array;
  readonly decoded: DecodedBody;
}

export interface Judged {
  readonly accepted: readonly AdmittedEvent[];
  readonly refusals: readonly Refusal[];
  /** The accepted events' envelopes. */
  readonly buffer: EventBuffer;
}

/** The verdict of every event, with no effect: what a dry run answers. */
export function judge(request: IngestRequest): Judged {
  const { admitter, decoded, schemaVersion } = request;
  const buffer = createEventBuffer(request.body.byteLength);
  const context = { received: request.received, suspectSurrogates: decoded.suspectSurrogates, output: buffer };
  const accepted: AdmittedEvent[] = [];
  const refusals: Refusal[] = [];
  decoded.events.forEach((event, index) => {
    const malformed = decoded.malformed.size === 0 ? undefined : decoded.malformed.get(index);
    if (malformed !== undefined) {
      refusals.push(unreadable(index, malformed));
      return;
    }
    const admission = admitter.admit(event, index, schemaVersion, context);
    if (admission.accepted) {
      accepted.push(admission);
      return;
    }
    refusals.push({
      index,
      stage: "admission",
      errors: admission.errors,
      eventId: admitter.eventIdOf(event),
      schemaVersion: admitter.versionOf(event, schemaVersion),
    });
  });
  return { accepted, refusals, buffer };
}

/** The refusal of bytes that are no event at all. */
function unreadable(index: number, detail: string): Refusal {
  const error: EventError = { error_type: "MALFORMED_PAYLOAD", pointer: "", rule: null, detail };
  return { index, stage: "decode", errors: [error], eventId: null, schemaVersion: null };
}

export interface Stored {
  /** By event index; an event that is not in it stands as it was judged. */
  readonly retry: ReadonlyMap<number, RetryCode>;
  /** Messages that are durable. */
  readonly messages: number;
}

/** Sends accepted events and dead letters, all settled when it resolves. Never throws for a queue or the lake. */
export async function store(judged: Judged, request: IngestRequest, deps: GatewayDeps): Promise<Stored> {
  const { contract } = request.admitter;
  const refusalContext: RefusalContext = {
    requestId: request.requestId,
    sourceTopic: contract.topic,
    producer: request.producer,
    contractVersion: contract.version,
    received: request.received,
  };
  const { spanOf } = request.decoded;
  const letters = await encodeDeadLetters(judged.refusals, refusalContext, request.body, spanOf, deps.lake);
  const messages: OutgoingMessage[] = [];
  for (const [schemaId, events] of Map.groupBy(judged.accepted, (event) => event.schemaId)) {
    messages.push(...pack(events, judged.buffer, { ...contract, schemaId }, request, deps));
  }
  const deadLetters = { ...release.contract, schemaId: currentSchema(release.contract).id };
  messages.push(...pack(letters.events, letters.buffer, deadLetters, request, deps));
  const outcome = await sendAll(messages, (topic) => deps.topicQueue(topic));
  const retry = new Map<number, RetryCode>();
  for (const index of letters.unstored) retry.set(index, "STORAGE_UNAVAILABLE");
  for (const index of outcome.unsent) retry.set(index, "QUEUE_UNAVAILABLE");
  return { retry, messages: outcome.sent };
}

interface Target {
  readonly topic: string;
  readonly version: string;
  readonly shards: number;
  readonly schemaId: number;
}

function pack(
  events: readonly PackedEvent[],
  buffer: EventBuffer,
  target: Target,
  request: IngestRequest,
  deps: GatewayDeps,
): OutgoingMessage[] {
  const header = {
    topic: target.topic,
    schema_id: target.schemaId,
    contract_version: target.version,
    producer: request.producer,
    request_id: request.requestId,
    received: request.received,
    gateway: instanceId(() => deps.ids.uuidv7()),
  };
  const headerTextBytes = Buffer.byteLength(Object.values(header).join("")) + UUID_BYTES;
  return planMessages(events, headerTextBytes).map((plan) => ({
    topic: target.topic,
    body: packMessage(
      plan,
      target.shards,
      { ...header, message_id: deps.ids.uuidv7(), sequence: nextSequence(target.topic) },
      (start, end) => buffer.slice(start, end),
    ),
    indexes: plan.map((event) => event.index),
  }));
}

/** The canonical text of the message id. */
const UUID_BYTES = 36;
