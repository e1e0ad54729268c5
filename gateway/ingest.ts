/**
 * A request's events to verdicts: admit each, store what was accepted and what was refused, and only then say so. Nothing
 * here knows HTTP.
 */
import type { Contract } from "../contracts/contract.ts";
import { currentSchema } from "../contracts/registry.ts";
import type { AvroOutput } from "../schemas/avro-output.ts";
import { createEventBuffer } from "../schemas/event-buffer.ts";
import type { NumberRange } from "../schemas/number-ranges.ts";
import { type PackedEvent, type PackedMessage, packMessages } from "../schemas/pack.ts";
import type { MessageHeader } from "../schemas/packed-block.ts";
import type { AdmittedEvent } from "./admit/admitter.ts";
import { createErrorBudget } from "./admit/error-budget.ts";
import type { TopicAdmitter } from "./admit/topics.ts";
import { admitFrom } from "./admit-from.ts";
import { EmptyBody, type EventBatch, TooManyEvents } from "./bodies/event-batch.ts";
import type { Refusal, RefusalContext } from "./dead-letters/dead-letter.ts";
import { encodeDeadLetters, release } from "./dead-letters/encode.ts";
import type { GatewayDeps } from "./deps.ts";
import { instanceId, nextSequence } from "./instance.ts";
import type { Masker } from "./masking/masker.ts";
import { isOtlpRequest, OTLP_ERRORS } from "./otlp.ts";
import { createRepeatFinder, type Duplicates } from "./repeats.ts";
import { sendAll } from "./send.ts";
import { noteUnsent, takeUnsent } from "./unsent.ts";

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
  /** Not null if the topic has masked fields. */
  readonly masker: Masker | null;
  /** Read once, each batch judged before the next is read. */
  readonly batches: AsyncIterable<EventBatch> | Iterable<EventBatch>;
  readonly maxEvents: number;
  /** The length of the body if it is known, else a guess: how much room accepted events get at first. */
  readonly sizeHint: number;
  /** Told how many bytes the request's events and refusals take, as they grow; may throw. */
  readonly hold?: (bytes: number) => void;
}

export interface Judged {
  /** How many events the request has. */
  readonly events: number;
  /** By index: the id of each event as its verdict names it. */
  readonly eventIds: readonly (string | null)[];
  readonly accepted: readonly AdmittedEvent[];
  readonly refusals: readonly Refusal[];
  readonly duplicates: Duplicates;
  /** Whether some refusals list fewer errors than were found, because the request has too many. */
  readonly errorsTruncated: boolean;
  /** The accepted events' envelopes. */
  readonly buffer: AvroOutput;
}

/** What each event, refusal and error takes besides its bytes: ids, verdicts, texts (`npm run bench -- memory`). */
const EVENT_BYTES = 150;
const REFUSAL_BYTES = 300;
const ERROR_BYTES = 300;
/** Of a refused event's bytes: here, in its dead letter and in the message. What is too large for a dead letter is put aside from here. */
const REFUSED_COPIES = 2.5;

/** A short text can have fifty errors: without a bound a body of megabytes would make an answer of gigabytes. */
const MAX_ERRORS_PER_REQUEST = 20_000;

/** Bodies may inflate, so the first room is no more than this; the buffer grows. */
const MAX_FIRST_ROOM = 4_000_000;

/**
 * The verdict of every event, with no effect: what a dry run answers. Throws `EmptyBody`, `TooManyEvents`, and what reading
 * the body throws.
 */
export async function judge(request: IngestRequest): Promise<Judged> {
  const { admitter, maxEvents } = request;
  const buffer = createEventBuffer(Math.min(request.sizeHint, MAX_FIRST_ROOM));
  const accepted: AdmittedEvent[] = [];
  const refusals: Refusal[] = [];
  const eventIds: (string | null)[] = [];
  const repeats = createRepeatFinder(admitter.contract.dedupeKey);
  const errorBudget = createErrorBudget(MAX_ERRORS_PER_REQUEST);
  let refusedBytes = 0;

  function heldBytes(): number {
    // The buffer, and the messages that its events are copied to.
    const acceptedBytes = buffer.bytes.byteLength + buffer.at;
    return acceptedBytes + eventIds.length * EVENT_BYTES + refusedBytes;
  }

  /** Before a refusal of the request as a whole: reading the rest of its body may take long. */
  function forget(): void {
    accepted.length = 0;
    refusals.length = 0;
    eventIds.length = 0;
    buffer.clear();
  }

  function judgeBatch(batch: EventBatch): void {
    const { suspectSurrogates } = batch;
    const schemaVersion = batch.schemaVersion ?? request.schemaVersion;
    const context = { received: request.received, suspectSurrogates, output: buffer, masker: request.masker };
    const first = eventIds.length;
    batch.events.forEach((_event, position) => {
      const index = first + position;
      const admission = admitFrom(batch, position, index, admitter, schemaVersion, context);
      const event = batch.events[position];
      const eventId = admitter.eventIdOf(event, request.masker);
      eventIds.push(eventId);
      repeats.add(event, index);
      if (admission.accepted) {
        accepted.push(admission);
        return;
      }
      const fault = batch.faults.get(position);
      const { offset, bytes, text } = batch.payloadOf(position);
      const errors = errorBudget.spend(isOtlpRequest(event) ? OTLP_ERRORS : admission.errors);
      refusedBytes += bytes.byteLength * REFUSED_COPIES + REFUSAL_BYTES + errors.length * ERROR_BYTES;
      refusals.push({
        index,
        stage: fault === undefined ? "admission" : "decode",
        errors,
        eventId,
        schemaVersion: fault === undefined ? admitter.versionOf(event, schemaVersion) : batch.schemaVersion,
        // A copy, so that one refused line does not keep the piece of the body that it stands in.
        payload: { offset, bytes: new Uint8Array(bytes), text },
      });
    });
  }

  for await (const batch of request.batches) {
    if (eventIds.length + batch.events.length > maxEvents) {
      forget();
      throw new TooManyEvents(maxEvents);
    }
    judgeBatch(batch);
    try {
      request.hold?.(heldBytes());
    } catch (error) {
      forget();
      throw error;
    }
  }
  if (eventIds.length === 0) throw new EmptyBody("the body has no event");
  const { exhausted: errorsTruncated } = errorBudget;
  const duplicates = repeats.found();
  return { events: eventIds.length, eventIds, accepted, refusals, duplicates, errorsTruncated, buffer };
}

export interface Stored {
  /** By event index; an event that is not in it stands as it was judged. */
  readonly retry: ReadonlyMap<number, RetryCode>;
  /** Messages that are durable. */
  readonly messages: number;
}

/** Sends accepted events and dead letters, all settled when it resolves. Never throws for a queue or the lake. */
export async function store(judged: Judged, request: IngestRequest, deps: GatewayDeps): Promise<Stored> {
  const names: MessageName[] = [];
  const { messages, unstored } = await prepareMessages(judged, request, deps.lake, isolateNaming(deps, names));
  const outcome = await sendAll(messages, (topic) => deps.topicQueue(topic));
  noteFailed(names, outcome.failed);
  const retry = new Map<number, RetryCode>();
  for (const index of unstored) retry.set(index, "STORAGE_UNAVAILABLE");
  for (const index of outcome.unsent) retry.set(index, "QUEUE_UNAVAILABLE");
  return { retry, messages: outcome.sent };
}

/** Who a message says it comes from. */
export interface MessageNaming {
  readonly gateway: string;
  /** Names the next message of a topic. */
  next(topic: string): Pick<MessageHeader, "message_id" | "sequence" | "unsent">;
}

/** What a message was named. */
export interface MessageName {
  readonly topic: string;
  readonly sequence: number;
  readonly unsent: readonly NumberRange[];
}

/** Messages named by this isolate; notes in `names` whom it named. */
export function isolateNaming(deps: Pick<GatewayDeps, "ids">, names: MessageName[]): MessageNaming {
  return {
    gateway: instanceId(() => deps.ids.uuidv7()),
    next(topic) {
      const name = { topic, sequence: nextSequence(topic), unsent: takeUnsent(topic) };
      names.push(name);
      return { message_id: deps.ids.uuidv7(), sequence: name.sequence, unsent: name.unsent };
    },
  };
}

/** Notes the messages that were not sent, by position: messages stand in the order in which they were named. */
export function noteFailed(names: readonly MessageName[], failed: readonly number[]): void {
  for (const position of failed) {
    const name = names[position];
    if (name !== undefined) noteUnsent(name.topic, [[name.sequence, name.sequence], ...name.unsent]);
  }
}

export interface PreparedMessages {
  readonly messages: readonly PackedMessage[];
  /** Indexes of refused events whose payload could not be stored: no message has their dead letter. */
  readonly unstored: readonly number[];
}

/** Packs accepted events and dead letters; payloads that no message can carry are stored. Never throws for the lake. */
export async function prepareMessages(
  judged: Judged,
  request: IngestRequest,
  lake: Pick<GatewayDeps["lake"], "put">,
  naming: MessageNaming,
): Promise<PreparedMessages> {
  const { admitter, masker } = request;
  const { contract } = admitter;
  const refusalContext: RefusalContext = {
    requestId: request.requestId,
    sourceTopic: contract.topic,
    producer: request.producer,
    contractVersion: contract.version,
    received: request.received,
    conceal: masker === null ? null : (bytes, schemaVersion) => admitter.conceal(bytes, schemaVersion, masker),
  };
  const letters = await encodeDeadLetters(judged.refusals, refusalContext, lake);
  const messages: PackedMessage[] = [];
  for (const [schemaId, events] of Map.groupBy(judged.accepted, (event) => event.schemaId)) {
    messages.push(...pack(events, judged.buffer, targetOf(contract, schemaId), request, naming));
  }
  if (letters.events.length > 0) {
    const deadLetters = targetOf(release.contract, currentSchema(release.contract).id);
    messages.push(...pack(letters.events, letters.buffer, deadLetters, request, naming));
  }
  return { messages, unstored: letters.unstored };
}

/** Whose events travel: what a request and the first reception of a replay have in common. */
export type Origin = Pick<IngestRequest, "requestId" | "producer" | "received">;

/** What a message is packed for. */
export interface Target extends Pick<Contract, "topic" | "version" | "shards"> {
  readonly schemaId: number;
}

function targetOf({ topic, version, shards }: Contract, schemaId: number): Target {
  return { topic, version, shards, schemaId };
}

/** The messages of events of one origin. */
export function pack(
  events: readonly PackedEvent[],
  buffer: AvroOutput,
  { topic, version, shards, schemaId }: Target,
  { requestId, producer, received }: Origin,
  naming: MessageNaming,
): PackedMessage[] {
  const header = {
    topic,
    schema_id: schemaId,
    contract_version: version,
    producer,
    request_id: requestId,
    received,
    gateway: naming.gateway,
  };
  return packMessages(events, buffer, shards, header, () => naming.next(topic));
}
