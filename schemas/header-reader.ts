/**
 * Reads the header of a message. By hand: avsc looks for the end of the bytes only after the last value, so that a damaged
 * count of slices keeps it busy for minutes.
 */
import { keepShape } from "./kept-shape.ts";
import { type MessageHeader, PackedBlockError, type Slice } from "./message-header.ts";

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
