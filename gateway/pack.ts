/** Which events travel in which message. Pure: ranges in, ranges out; `packMessage` cuts the bytes. */
import { encodeMessage, MESSAGE_TARGET_BYTES, type MessageHeader, type Slice } from "../schemas/packed-block.ts";

/** An encoded event: `[start, end)` of the request's buffer, for one shard, in the order of the request. */
export interface PackedEvent {
  readonly index: number;
  readonly shard: number;
  readonly start: number;
  readonly end: number;
  /** Counted in the slice's tally; null for topics that count nothing before decoding. */
  readonly label: string | null;
}

/** The events of one message, in the order of the request. */
export type MessagePlan = readonly PackedEvent[];

// Avro's varints: message id, schema id, times, counts and lengths take less than 128 bytes together.
const FIXED_HEADER_BYTES = 160;
/** Five varints of at most five bytes, and the ends of map and array blocks. */
const SLICE_BYTES = 32;
const TALLY_BYTES = 8;

/**
 * Fills messages in the order of the events, up to `MESSAGE_TARGET_BYTES` with header; an event that is larger alone still
 * travels, alone. `headerTextBytes` is the length of the header's own texts in UTF-8.
 */
export function planMessages(events: readonly PackedEvent[], headerTextBytes: number): MessagePlan[] {
  const plans: MessagePlan[] = [];
  let message: PackedEvent[] = [];
  let seen = new Set<string>();
  let bytes = 0;
  for (const event of events) {
    let added = event.end - event.start + overhead(event, seen);
    if (message.length > 0 && bytes + added > MESSAGE_TARGET_BYTES) {
      plans.push(message);
      message = [];
      seen = new Set();
    }
    if (message.length === 0) {
      bytes = FIXED_HEADER_BYTES + headerTextBytes;
      added = event.end - event.start + overhead(event, seen);
    }
    seen.add(String(event.shard));
    if (event.label !== null) seen.add(`${event.shard} ${event.label}`);
    message.push(event);
    bytes += added;
  }
  if (message.length > 0) plans.push(message);
  return plans;
}

function overhead(event: PackedEvent, seen: ReadonlySet<string>): number {
  const slice = seen.has(String(event.shard)) ? 0 : SLICE_BYTES;
  if (event.label === null || seen.has(`${event.shard} ${event.label}`)) return slice;
  return slice + event.label.length * 3 + TALLY_BYTES;
}

/** Packs one message: slices by shard in ascending order, the order of the request inside each. `read` gives bytes of the request's buffer. */
export function packMessage(
  plan: MessagePlan,
  shards: number,
  header: Omit<MessageHeader, "count" | "slices">,
  read: (start: number, end: number) => Uint8Array,
): Uint8Array {
  const byShard = new Map<number, PackedEvent[]>();
  for (const event of plan) {
    const events = byShard.get(event.shard);
    if (events === undefined) byShard.set(event.shard, [event]);
    else events.push(event);
  }
  const slices: Slice[] = [];
  const bodies: Uint8Array[] = [];
  let offset = 0;
  for (const [shard, events] of [...byShard].sort(([a], [b]) => a - b)) {
    const body = concatenate(events, read);
    slices.push({ shard, of: shards, offset, length: body.byteLength, count: events.length, tally: tallyOf(events) });
    bodies.push(body);
    offset += body.byteLength;
  }
  return encodeMessage({ ...header, count: plan.length, slices }, bodies);
}

function concatenate(events: readonly PackedEvent[], read: (start: number, end: number) => Uint8Array): Uint8Array {
  const length = events.reduce((sum, event) => sum + event.end - event.start, 0);
  const body = new Uint8Array(length);
  let at = 0;
  for (const event of events) {
    body.set(read(event.start, event.end), at);
    at += event.end - event.start;
  }
  return body;
}

function tallyOf(events: readonly PackedEvent[]): Record<string, number> {
  const tally = new Map<string, number>();
  for (const { label } of events) if (label !== null) tally.set(label, (tally.get(label) ?? 0) + 1);
  return Object.fromEntries(tally);
}
