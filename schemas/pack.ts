/** Which events travel in which message, and the messages. Pure: `planMessages` decides on ranges, `packMessage` cuts the bytes. */
import type { AvroOutput } from "./avro-output.ts";
import {
  beginMessage,
  MESSAGE_TARGET_BYTES,
  type MessageHeader,
  type MessageOrigin,
  type Slice,
} from "./packed-block.ts";

/** An encoded event: `[start, end)` of the request's buffer, for one shard, in the order of the request. */
export interface PackedEvent {
  readonly index: number;
  readonly shard: number;
  readonly start: number;
  readonly end: number;
  /** Counted in the slice's tally; null for topics that count nothing before decoding. */
  readonly label: string | null;
  /** Of a replay: the event's first dead letter. All events of a message have one, or none has. */
  readonly replayOf?: string;
}

/** The events of one message, in the order of the request. */
export type MessagePlan = readonly PackedEvent[];

// Avro's varints: message id, schema id, times, counts and lengths take less than 128 bytes together.
const FIXED_HEADER_BYTES = 160;
/** Five varints of at most five bytes, and the ends of map and array blocks. */
const SLICE_BYTES = 32;
const TALLY_BYTES = 8;
/** A dead letter's id and its length. */
const REPLAY_BYTES = 34;

/**
 * Fills messages in the order of the events, up to `MESSAGE_TARGET_BYTES` with header; an event that is larger alone still
 * travels, alone. `headerTextBytes` is the length of the header's own texts in UTF-8.
 */
export function planMessages(events: readonly PackedEvent[], headerTextBytes: number): MessagePlan[] {
  const plans: MessagePlan[] = [];
  const empty = FIXED_HEADER_BYTES + headerTextBytes;
  let message: PackedEvent[] = [];
  let seen: Seen = { shards: new Set(), labels: new Set() };
  let bytes = empty;
  for (const event of events) {
    let added = event.end - event.start + overhead(event, seen);
    if (message.length > 0 && bytes + added > MESSAGE_TARGET_BYTES) {
      plans.push(message);
      message = [];
      seen = { shards: new Set(), labels: new Set() };
      bytes = empty;
      added = event.end - event.start + overhead(event, seen);
    }
    seen.shards.add(event.shard);
    if (event.label !== null) seen.labels.add(`${event.shard} ${event.label}`);
    message.push(event);
    bytes += added;
  }
  if (message.length > 0) plans.push(message);
  return plans;
}

/** What the header of the message already has room for. */
interface Seen {
  readonly shards: Set<number>;
  readonly labels: Set<string>;
}

function overhead(event: PackedEvent, seen: Seen): number {
  const slice = (seen.shards.has(event.shard) ? 0 : SLICE_BYTES) + (event.replayOf === undefined ? 0 : REPLAY_BYTES);
  if (event.label === null || seen.labels.has(`${event.shard} ${event.label}`)) return slice;
  return slice + event.label.length * 3 + TALLY_BYTES;
}

/** What all messages of one packing have in common. */
export type SharedHeader = Omit<MessageOrigin, keyof MessageName>;

/** What tells a message from others of its sender. */
export type MessageName = Pick<MessageHeader, "message_id" | "sequence" | "unsent">;

/** A packed message and the indexes of its events. */
export interface PackedMessage {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly indexes: readonly number[];
}

/** Packs events of one schema, in their order, into as many messages as it takes; `next` names each. */
export function packMessages(
  events: readonly PackedEvent[],
  buffer: AvroOutput,
  shards: number,
  header: SharedHeader,
  next: () => MessageName,
): PackedMessage[] {
  if (events.length === 0) return [];
  const { topic, schema_id, contract_version, producer, request_id, received, gateway } = header;
  const texts = [topic, contract_version, producer, request_id, gateway].join("");
  return planMessages(events, Buffer.byteLength(texts) + UUID_BYTES).map((plan) => {
    const { message_id, sequence, unsent = [] } = next();
    // Named one by one: V8 keeps the shape of a literal without spreads for good, and code that reads it is compiled once.
    const origin: MessageOrigin = {
      message_id,
      topic,
      schema_id,
      contract_version,
      producer,
      request_id,
      received,
      gateway,
      sequence,
      unsent,
    };
    return {
      topic,
      body: packMessage(plan, shards, origin, (start, end) => buffer.slice(start, end)),
      indexes: plan.map((event) => event.index),
    };
  });
}

/** The canonical text of the message id. */
const UUID_BYTES = 36;

/** Packs one message: slices by shard in ascending order, the order of the request inside each. `read` gives bytes of the request's buffer. */
export function packMessage(
  plan: MessagePlan,
  shards: number,
  origin: MessageOrigin,
  read: (start: number, end: number) => Uint8Array,
): Uint8Array {
  const inOrder: PackedEvent[] = [];
  const slices: Slice[] = [];
  let offset = 0;
  for (const [shard, events] of [...byShard(plan)].sort(([a], [b]) => a - b)) {
    let length = 0;
    for (const event of events) {
      length += event.end - event.start;
      inOrder.push(event);
    }
    slices.push({ shard, of: shards, offset, length, count: events.length, tally: tallyOf(events) });
    offset += length;
  }
  const { message, bodyStart } = beginMessage(origin, plan.length, slices, replaysOf(inOrder), offset);
  copyEvents(inOrder, read, message, bodyStart);
  return message;
}

function byShard(plan: MessagePlan): Map<number, PackedEvent[]> {
  const slices = new Map<number, PackedEvent[]>();
  for (const event of plan) {
    const events = slices.get(event.shard);
    if (events === undefined) slices.set(event.shard, [event]);
    else events.push(event);
  }
  return slices;
}

/** The first dead letters of replays; undefined if the events are none. */
function replaysOf(events: readonly PackedEvent[]): readonly string[] | undefined {
  return events[0]?.replayOf === undefined ? undefined : events.flatMap(({ replayOf }) => replayOf ?? []);
}

// Neighbours in the buffer are copied at once: with one shard that is the whole message.
function copyEvents(
  events: readonly PackedEvent[],
  read: (start: number, end: number) => Uint8Array,
  message: Uint8Array,
  bodyStart: number,
): void {
  let at = bodyStart;
  let start = 0;
  let end = 0;
  for (const event of events) {
    if (event.start !== end) {
      if (end > start) message.set(read(start, end), at);
      at += end - start;
      start = event.start;
    }
    end = event.end;
  }
  if (end > start) message.set(read(start, end), at);
}

function tallyOf(events: readonly PackedEvent[]): Record<string, number> {
  const tally = new Map<string, number>();
  for (const { label } of events) if (label !== null) tally.set(label, (tally.get(label) ?? 0) + 1);
  return Object.fromEntries(tally);
}
