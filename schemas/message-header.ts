/** The header of a message, and how it is written as Avro; `header-reader.ts` reads it. */
import type { AvroOutput } from "./avro-output.ts";
import type { NumberRange } from "./number-ranges.ts";

/** One shard's part of a message: slices follow each other without gaps, one a shard. `tally` counts events by a label the topic needs counted before decoding (dead letters: source topic and error type). */
export interface Slice {
  readonly shard: number;
  readonly of: number;
  readonly offset: number;
  readonly length: number;
  readonly count: number;
  readonly tally: Readonly<Record<string, number>>;
}

export interface MessageHeader {
  /** UUIDv7, canonical text: time-ordered and unique; what makes redelivery harmless. */
  readonly message_id: string;
  readonly topic: string;
  readonly schema_id: number;
  readonly contract_version: string;
  readonly producer: string;
  readonly request_id: string;
  /** Microseconds since the epoch, when the gateway read the request. */
  readonly received: number;
  /** The gateway isolate and its running number of messages for the topic: a gap is a suspected loss. */
  readonly gateway: string;
  readonly sequence: number;
  readonly count: number;
  readonly slices: readonly Slice[];
  /** Earlier numbers of the topic whose messages the gateway failed to send: their events were answered as `retry`. Absent if there are none. */
  readonly unsent?: readonly NumberRange[];
  /** Of a replay: the first dead letter of each event, in the order of the slices. Absent from what producers sent. */
  readonly replay_of?: readonly string[];
}

/** The first dead letters of a slice's events; undefined if they are no replays. */
export function replaysOf(header: MessageHeader, slice: Slice): readonly string[] | undefined {
  const { replay_of, slices } = header;
  if (replay_of === undefined) return undefined;
  const before = slices.slice(0, slices.indexOf(slice));
  const start = before.reduce((sum, { count }) => sum + count, 0);
  return replay_of.slice(start, start + slice.count);
}

/** Bytes that are not a message or frame of this format: a `data` error of the one who wrote them. */
export class PackedBlockError extends Error {
  override readonly name = "PackedBlockError";
}

/** What a message's header says beside how its events lie in it. */
export type MessageOrigin = Omit<MessageHeader, "count" | "slices" | "replay_of">;

/**
 * Writes a header: a record of the fields of `MessageHeader` in their order, with strings, ints and longs, `slices` an array of
 * records, `tally` a map of ints. Texts are well formed.
 *
 * Two arrays may stand behind it: `unsent`, then `replay_of`. They are told apart by their order, so `unsent` is written, empty if need
 * be, wherever `replay_of` follows; neither is where there is nothing to tell. So nearly all headers end as they did before.
 */
export function writeHeader(
  output: AvroOutput,
  origin: MessageOrigin,
  count: number,
  slices: readonly Slice[],
  replays: readonly string[] | undefined,
): void {
  output.writeString(origin.message_id);
  output.writeString(origin.topic);
  output.writeLong(origin.schema_id);
  output.writeString(origin.contract_version);
  output.writeString(origin.producer);
  output.writeString(origin.request_id);
  output.writeLong(origin.received);
  output.writeString(origin.gateway);
  output.writeLong(origin.sequence);
  output.writeLong(count);
  writeItems(output, slices, writeSlice);
  const { unsent = [] } = origin;
  if (unsent.length > 0 || replays !== undefined) writeItems(output, unsent, writeRange);
  if (replays !== undefined) writeItems(output, replays, writeText);
}

/** An array or a map: one block, if there are any items, and the end. */
function writeItems<Item>(
  output: AvroOutput,
  items: readonly Item[],
  write: (output: AvroOutput, item: Item) => void,
): void {
  if (items.length > 0) {
    output.writeLong(items.length);
    for (const item of items) write(output, item);
  }
  output.writeLong(0);
}

function writeSlice(output: AvroOutput, slice: Slice): void {
  output.writeLong(slice.shard);
  output.writeLong(slice.of);
  output.writeLong(slice.offset);
  output.writeLong(slice.length);
  output.writeLong(slice.count);
  writeItems(output, Object.entries(slice.tally), writeTally);
}

function writeTally(output: AvroOutput, [label, events]: readonly [string, number]): void {
  output.writeString(label);
  output.writeLong(events);
}

function writeRange(output: AvroOutput, [first, last]: NumberRange): void {
  output.writeLong(first);
  output.writeLong(last);
}

function writeText(output: AvroOutput, text: string): void {
  output.writeString(text);
}
