/**
 * The header of a message, and its Avro. It is read by hand: avsc looks for the end of the bytes only after the last
 * value, so that a damaged count of slices keeps it busy for minutes.
 */
import avro from "avsc";
import { keepShape } from "./kept-shape.ts";
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

const headerType = avro.Type.forSchema({
  type: "record",
  name: "MessageHeader",
  namespace: "sluice",
  fields: [
    { name: "message_id", type: "string" },
    { name: "topic", type: "string" },
    { name: "schema_id", type: "int" },
    { name: "contract_version", type: "string" },
    { name: "producer", type: "string" },
    { name: "request_id", type: "string" },
    { name: "received", type: "long" },
    { name: "gateway", type: "string" },
    { name: "sequence", type: "long" },
    { name: "count", type: "int" },
    {
      name: "slices",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "Slice",
          fields: [
            { name: "shard", type: "int" },
            { name: "of", type: "int" },
            { name: "offset", type: "int" },
            { name: "length", type: "int" },
            { name: "count", type: "int" },
            { name: "tally", type: { type: "map", values: "int" } },
          ],
        },
      },
    },
  ],
});

/** Bytes that are not a message or frame of this format: a `data` error of the one who wrote them. */
export class PackedBlockError extends Error {
  override readonly name = "PackedBlockError";
}

// Two arrays may stand behind the header: `unsent`, then `replay_of`. They are told apart by their order, so `unsent` is written, empty
// if need be, wherever `replay_of` follows; neither is where there is nothing to tell. So nearly all headers end as they did before.
const unsentType = avro.Type.forSchema({
  type: "array",
  items: {
    type: "record",
    name: "Unsent",
    namespace: "sluice",
    fields: [
      { name: "first", type: "long" },
      { name: "last", type: "long" },
    ],
  },
});
const replayType = avro.Type.forSchema({ type: "array", items: "string" });

export function encodeHeader(header: MessageHeader): Uint8Array {
  const { unsent = [], replay_of } = header;
  const parts = [headerType.toBuffer(header)];
  if (unsent.length > 0 || replay_of !== undefined) {
    parts.push(unsentType.toBuffer(unsent.map(([first, last]) => ({ first, last }))));
  }
  if (replay_of !== undefined) parts.push(replayType.toBuffer(replay_of));
  return Buffer.concat(parts);
}

/** Reads a header that fills `bytes[start, end)`. Throws `PackedBlockError` where it does not, or says what no buffer could rely on. */
export function decodeHeader(bytes: Buffer, start: number, end: number): MessageHeader {
  const reader = new HeaderReader(bytes, start, end);
  const known: MessageHeader = {
    message_id: reader.text(),
    topic: reader.text(TOPIC),
    schema_id: reader.long(),
    contract_version: reader.text(CONTRACT_VERSION),
    producer: reader.text(PRODUCER),
    request_id: reader.text(),
    received: reader.long(),
    gateway: reader.text(GATEWAY),
    sequence: reader.long(),
    count: reader.long(),
    slices: reader.items(() => ({
      shard: reader.long(),
      of: reader.long(),
      offset: reader.long(),
      length: reader.long(),
      count: reader.long(),
      tally: Object.fromEntries(reader.items(() => [reader.text(), reader.long()] as const)),
    })),
  };
  const header = reader.ended ? known : withTail(known, reader);
  checkHeader(header);
  return header;
}

function withTail(known: MessageHeader, reader: HeaderReader): MessageHeader {
  const unsent = reader.items(() => [reader.long(), reader.long()] as const);
  const replays = reader.ended ? undefined : reader.items(() => reader.text());
  reader.end();
  return {
    ...known,
    ...(unsent.length === 0 ? {} : { unsent }),
    ...(replays === undefined ? {} : { replay_of: replays }),
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// What the consumer and the buffers rely on: one message that broke it would fail the append of all that travel with it.
function checkHeader(header: MessageHeader): void {
  if (!UUID.test(header.message_id)) throw new PackedBlockError(`message id "${header.message_id}" is not a UUID`);
  const seen = new Set<string>();
  let offset = 0;
  let count = 0;
  for (const slice of header.slices) {
    if (slice.shard < 0 || slice.shard >= slice.of)
      throw new PackedBlockError(`slice of shard ${nameOf(slice)}: there is no such shard`);
    // A buffer tells deliveries apart by message id: of two slices for one shard it would keep only the first.
    if (header.slices.length > 1) {
      const key = nameOf(slice);
      if (seen.has(key)) throw new PackedBlockError(`slice of shard ${key} stands twice in the header`);
      seen.add(key);
    }
    if (slice.offset !== offset || slice.length < 0 || slice.count < 1) {
      throw new PackedBlockError(
        `slice of shard ${nameOf(slice)} is ${slice.count} events in ${slice.length} bytes at ${slice.offset}, not at ${offset}`,
      );
    }
    offset += slice.length;
    count += slice.count;
  }
  for (const [first, last] of header.unsent ?? []) {
    if (first < 1 || last < first || last >= header.sequence) {
      throw new PackedBlockError(`message ${header.sequence} says that ${first} to ${last} were not sent`);
    }
  }
  if (count !== header.count) throw new PackedBlockError(`the header says ${header.count} events, its slices ${count}`);
  const replays = header.replay_of?.length ?? count;
  if (replays !== count) throw new PackedBlockError(`the header names ${replays} dead letters for ${count} events`);
}

function nameOf({ shard, of }: Slice): string {
  return `${shard} of ${of}`;
}

/** Longer texts are not worth comparing. */
const MAX_REPEATED_BYTES = 64;

/** A text of the header that messages which follow each other have in common: most are compared with the last one's bytes and not decoded. */
class RepeatedText {
  #bytes: Uint8Array = new Uint8Array(0);
  #text = "";

  read(bytes: Buffer, start: number, end: number): string {
    if (this.#stands(bytes, start, end)) return this.#text;
    const text = bytes.toString("utf8", start, end);
    if (end - start <= MAX_REPEATED_BYTES) {
      this.#bytes = new Uint8Array(bytes.subarray(start, end));
      this.#text = text;
    }
    return text;
  }

  #stands(bytes: Buffer, start: number, end: number): boolean {
    const own = this.#bytes;
    if (own.length !== end - start) return false;
    for (let i = 0; i < own.length; i++) if (own[i] !== bytes[start + i]) return false;
    return true;
  }
}

const TOPIC = new RepeatedText();
const CONTRACT_VERSION = new RepeatedText();
const PRODUCER = new RepeatedText();
const GATEWAY = new RepeatedText();

/** Avro binary (specification 1.12, "Binary Encoding") that never reads past its end. */
class HeaderReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** A zigzag varint within ±(2^53 - 1). */
  long(): number {
    const first = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    // Most are lengths and counts of one byte.
    if (first !== undefined && first < 0x80) {
      this.#at++;
      return (first >>> 1) ^ -(first & 1);
    }
    let half = 0;
    let odd = 0;
    let factor = 0.5;
    for (;;) {
      const byte = this.#at < this.#end ? this.#bytes[this.#at++] : undefined;
      if (byte === undefined) throw new PackedBlockError("the header is cut short");
      // The sign bit is kept apart: the whole zigzag value may be too long for a double.
      if (factor === 0.5) {
        odd = byte & 1;
        half = (byte & 0x7f) >>> 1;
      } else {
        half += (byte & 0x7f) * factor;
      }
      factor *= 128;
      if (half > Number.MAX_SAFE_INTEGER) throw new PackedBlockError("a number of the header is too large");
      if (byte < 0x80) return odd === 0 ? half : -half - 1;
      // Ten bytes hold 64 bits; more would be padding without end.
      if (factor > 2 ** 69) throw new PackedBlockError("a number of the header has too many bytes");
    }
  }

  text(repeated?: RepeatedText): string {
    const length = this.long();
    const start = this.#at;
    if (length < 0 || length > this.#end - start) throw new PackedBlockError("a text runs past the header");
    this.#at = start + length;
    if (repeated !== undefined) return repeated.read(this.#bytes, start, this.#at);
    return this.#bytes.toString("utf8", start, this.#at);
  }

  /** Blocks of an array or a map. Every item takes at least a byte, so a count that lies meets the end of the bytes. */
  items<T>(read: () => T): T[] {
    const items: T[] = [];
    for (;;) {
      let count = this.long();
      if (count === 0) return items;
      if (count < 0) {
        count = -count;
        this.long();
      }
      for (let i = 0; i < count; i++) items.push(read());
    }
  }

  get ended(): boolean {
    return this.#at === this.#end;
  }

  end(): void {
    if (!this.ended) throw new PackedBlockError("the header has bytes past its end");
  }
}

keepShape(new HeaderReader(Buffer.alloc(0), 0, 0));
