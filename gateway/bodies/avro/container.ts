/**
 * Avro container files (specification 1.12, "Object Container Files"). The schema in the file must be a
 * released one of the topic: nothing can be resolved or guessed at, because nothing may be compiled while a request runs.
 */
import type { Contract } from "../../../contracts/contract.ts";
import { ByteReader } from "../../../schemas/byte-reader.ts";
import { InvalidSchema, parseSchema } from "../../../schemas/canonical/parse.ts";
import { UNSCANNED_BYTES } from "../../../schemas/json-bounds.ts";
import { type EventBatch, InflatedTooLarge, MalformedBody, textOf, unreadableBody } from "../event-batch.ts";
import { CODEC_NAMES, codecOf } from "./codecs.ts";
import { datumBatches } from "./datum-batches.ts";
import { releasedVersions, type WriterSchema, writerSchemaOf } from "./writer-schemas.ts";

/** "Obj", then the version of the format. */
const MAGIC = [0x4f, 0x62, 0x6a, 0x01] as const;
const SYNC_BYTES = 16;

export interface ContainerOptions {
  readonly contract: Contract;
  /** What all blocks together may inflate to. */
  readonly maxBytes: number;
  /** Told how many bytes are held, whenever that changes; may throw. */
  readonly hold?: (bytes: number) => void;
}

/**
 * Reads a file. One of another schema is a single event with the fault UNKNOWN_SCHEMA. Throws `MalformedBody`, maybe after some
 * of the batches, and `InflatedTooLarge`.
 */
export function* containerBatches(body: Uint8Array, options: ContainerOptions): Generator<EventBatch> {
  const { header, reader } = readOrMalformed(body, () => readHeader(body));
  const found = schemaOf(header, body, options.contract);
  if (typeof found === "string") {
    yield unreadableBody(body, "binary", { error_type: "UNKNOWN_SCHEMA", detail: found });
    return;
  }
  const { maxBytes } = options;
  let room = maxBytes;
  while (!reader.done) {
    const block = readOrMalformed(body, () => readBlock(reader, header.sync));
    if (block.count === 0) continue;
    const data = decompressed(body, block, header, { room, maxBytes });
    options.hold?.(body.byteLength + data.byteLength);
    room -= data.byteLength;
    // Compressed data stands nowhere in the body: its events are said to begin where their block does.
    const offsetOf = (at: number) => (data === block.data ? block.offset + at : block.offset);
    yield* datumBatches(data, block.count, found, offsetOf);
  }
}

interface Header {
  readonly schema: string;
  readonly codec: string;
  readonly decompress: NonNullable<ReturnType<typeof codecOf>>;
  readonly sync: Uint8Array;
}

function readHeader(body: Uint8Array): { readonly header: Header; readonly reader: ByteReader } {
  if (MAGIC.some((byte, at) => body[at] !== byte)) throw new RangeError('it does not begin with "Obj" and 1');
  const reader = new ByteReader(body);
  reader.at = MAGIC.length;
  const metadata = readMetadata(reader);
  const sync = take(reader, SYNC_BYTES);
  const codec = metadata.get("avro.codec") ?? "null";
  const decompress = codecOf(codec);
  if (decompress === undefined) {
    throw new RangeError(`its codec is ${codec.slice(0, 20)}: write it with one of ${CODEC_NAMES.join(", ")}`);
  }
  const schemaLength = metadata.get("avro.schema")?.length ?? 0;
  if (schemaLength > UNSCANNED_BYTES) {
    throw new RangeError(`its avro.schema has ${schemaLength} characters: at most ${UNSCANNED_BYTES} are read`);
  }
  return { header: { schema: metadata.get("avro.schema") ?? "", codec, decompress, sync }, reader };
}

function readMetadata(reader: ByteReader): Map<string, string> {
  const metadata = new Map<string, string>();
  for (;;) {
    let count = reader.readLong();
    if (count === 0) return metadata;
    // A negative count is followed by the size of the block in bytes, which only skipping needs.
    if (count < 0) {
      count = -count;
      reader.readLong();
    }
    for (; count > 0; count--) {
      const key = readText(reader);
      const value = readText(reader);
      // A file may claim millions of others.
      if (key === "avro.schema" || key === "avro.codec") metadata.set(key, value);
    }
  }
}

function readText(reader: ByteReader): string {
  const start = reader.readSpan();
  // Metadata that is no text is another's, not the schema or the codec.
  return textOf(reader.bytes.subarray(start, reader.at)) ?? "";
}

interface Block {
  readonly count: number;
  readonly data: Uint8Array;
  /** Where the data begins in the body. */
  readonly offset: number;
}

function readBlock(reader: ByteReader, sync: Uint8Array): Block {
  const count = reader.readLong();
  const offset = reader.readSpan();
  const data = reader.bytes.subarray(offset, reader.at);
  if (count < 0 || (count === 0 && data.byteLength > 0)) {
    throw new RangeError(`a block of ${data.byteLength} bytes claims ${count} events, before byte ${offset}`);
  }
  if (!take(reader, SYNC_BYTES).every((byte, at) => byte === sync[at])) {
    throw new RangeError(`a block does not end with the sync marker, at byte ${reader.at - SYNC_BYTES}`);
  }
  return { count, data, offset };
}

function take(reader: ByteReader, length: number): Uint8Array {
  const end = reader.at + length;
  if (end > reader.bytes.byteLength) throw new RangeError("it is cut off");
  const taken = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return taken;
}

function readOrMalformed<T>(body: Uint8Array, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new MalformedBody(`the body is no Avro container file: ${error.message}`, body, "binary");
  }
}

interface Bounds {
  /** What this block may become. */
  readonly room: number;
  /** What all blocks together may become. */
  readonly maxBytes: number;
}

function decompressed(body: Uint8Array, block: Block, { codec, decompress }: Header, bounds: Bounds): Uint8Array {
  try {
    return decompress(block.data, bounds.room);
  } catch (error) {
    if (error instanceof RangeError) throw new InflatedTooLarge(bounds.maxBytes);
    const detail = `the block at byte ${block.offset} is no data of its codec ${codec}`;
    throw new MalformedBody(`the body is no Avro container file: ${detail}`, body, "binary");
  }
}

/** The release, or why there is none. Throws `MalformedBody` for a header that has no Avro schema at all. */
function schemaOf(header: Header, body: Uint8Array, contract: Contract): WriterSchema | string {
  try {
    const schema: unknown = JSON.parse(header.schema);
    const released = writerSchemaOf(contract, parseSchema(schema));
    return (
      released ??
      `the file's schema is no released one of ${contract.topic}: by Parsing Canonical Form and logical types it is none of the versions ${releasedVersions(contract)}`
    );
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof InvalidSchema)) throw error;
    throw new MalformedBody(`the body is no Avro container file: avro.schema is no schema`, body, "binary");
  }
}
