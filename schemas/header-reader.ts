/**
 * Reads the header of a message. Not with avsc: looks for the end of the bytes only after the last value, so that a damaged
 * count of slices keeps it busy for minutes.
 */
import { ByteReader } from "./byte-reader.ts";
import { keepShape } from "./kept-shape.ts";
import { type MessageHeader, PackedBlockError, type Slice } from "./message-header.ts";

/** Reads a header that fills `bytes[start, end)`. Throws `PackedBlockError` where it does not, or says what no buffer could rely on. */
export function decodeHeader(bytes: Buffer, start: number, end: number): MessageHeader {
  const header = withoutRangeErrors(() => readHeader(new HeaderReader(bytes.subarray(start, end))));
  checkHeader(header);
  return header;
}

/** What the cursor says of bytes that end too early. */
function withoutRangeErrors(read: () => MessageHeader): MessageHeader {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new PackedBlockError(`the header is cut short: ${error.message}`);
    throw error;
  }
}

function readHeader(reader: HeaderReader): MessageHeader {
  const known: MessageHeader = {
    message_id: reader.text(),
    topic: reader.text(),
    schema_id: reader.long(),
    contract_version: reader.text(),
    producer: reader.text(),
    request_id: reader.text(),
    received: reader.long(),
    gateway: reader.text(),
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
  return reader.ended ? known : withTail(known, reader);
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

/** The values of a header, in its own errors. */
class HeaderReader {
  readonly #reader: ByteReader;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#reader = new ByteReader(bytes);
    this.#bytes = bytes;
  }

  /** A number within ±(2^53 - 1). */
  long(): number {
    const value = this.#reader.readLong();
    if (!Number.isSafeInteger(value)) throw new PackedBlockError("a number of the header is too large");
    return value;
  }

  text(): string {
    const start = this.#reader.readSpan();
    return this.#bytes.toString("utf8", start, this.#reader.at);
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
    return this.#reader.done;
  }

  end(): void {
    if (!this.ended) throw new PackedBlockError("the header has bytes past its end");
  }
}

keepShape(new HeaderReader(Buffer.alloc(0)));
