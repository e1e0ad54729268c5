/**
 * The message that travels through a topic's queue, and the frame that a TopicBuffer stores.
 *
 *     message = u8 format | u32 header length | header (Avro) | slice 0 | slice 1 | ...
 *     frame   = u32 frame length | u32 header length | u32 slice number | header (Avro) | slice
 *
 * Integers are little-endian. A slice is the concatenated envelopes (`codecs.ts`) of the events of one shard, so the
 * consumer forwards bytes by offset and never decodes an event.
 */
import avro from "avsc";

const FORMAT = 1;
const MESSAGE_PREFIX_BYTES = 5;
const FRAME_PREFIX_BYTES = 12;

/** Queues bill by 64 KB; 60 KB leaves room for what the platform adds (PROTOCOLS 1). */
export const MESSAGE_TARGET_BYTES = 60_000;

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

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function decodeHeader(bytes: Uint8Array): MessageHeader {
  let header: MessageHeader;
  try {
    header = headerType.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    throw new PackedBlockError(`the header does not decode: ${error instanceof Error ? error.message : String(error)}`);
  }
  checkHeader(header);
  return header;
}

// What the consumer and the buffers rely on: one message that broke it would fail the append of all that travel with it.
function checkHeader(header: MessageHeader): void {
  if (!UUID.test(header.message_id)) throw new PackedBlockError(`message id "${header.message_id}" is not a UUID`);
  const seen = new Set<string>();
  let offset = 0;
  let count = 0;
  for (const slice of header.slices) {
    const name = `slice of shard ${slice.shard} of ${slice.of}`;
    if (slice.shard < 0 || slice.shard >= slice.of) throw new PackedBlockError(`${name}: there is no such shard`);
    // A buffer tells deliveries apart by message id: of two slices for one shard it would keep only the first.
    if (seen.has(`${slice.shard}/${slice.of}`)) throw new PackedBlockError(`${name} stands twice in the header`);
    seen.add(`${slice.shard}/${slice.of}`);
    if (slice.offset !== offset || slice.length < 0 || slice.count < 1)
      throw new PackedBlockError(`${name} is ${slice.count} events in ${slice.length} bytes at ${slice.offset}, not at ${offset}`);
    offset += slice.length;
    count += slice.count;
  }
  if (count !== header.count) throw new PackedBlockError(`the header says ${header.count} events, its slices ${count}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Packs a header and its slices' bytes, in the order of `header.slices`. */
export function encodeMessage(header: MessageHeader, slices: readonly Uint8Array[]): Uint8Array {
  const head = headerType.toBuffer(header);
  const body = slices.reduce((sum, slice) => sum + slice.byteLength, 0);
  const message = new Uint8Array(MESSAGE_PREFIX_BYTES + head.byteLength + body);
  const view = viewOf(message);
  view.setUint8(0, FORMAT);
  view.setUint32(1, head.byteLength, true);
  message.set(head, MESSAGE_PREFIX_BYTES);
  let at = MESSAGE_PREFIX_BYTES + head.byteLength;
  for (const slice of slices) {
    message.set(slice, at);
    at += slice.byteLength;
  }
  return message;
}

export interface DecodedMessage {
  readonly header: MessageHeader;
  /** The header's bytes as they stand in the message, copied into frames unchanged. */
  readonly headerBytes: Uint8Array;
  /** All slices; a slice's `offset` counts from its start. */
  readonly body: Uint8Array;
}

/** Reads a message without copying or decoding events. Throws `PackedBlockError` if lengths or format do not hold. */
export function decodeMessage(message: Uint8Array): DecodedMessage {
  if (message.byteLength < MESSAGE_PREFIX_BYTES || message[0] !== FORMAT) {
    throw new PackedBlockError(`not a message of format ${FORMAT} (${message.byteLength} bytes, first ${message[0]})`);
  }
  const headerLength = viewOf(message).getUint32(1, true);
  const bodyStart = MESSAGE_PREFIX_BYTES + headerLength;
  if (bodyStart > message.byteLength) throw new PackedBlockError("the header runs past the message");
  const headerBytes = message.subarray(MESSAGE_PREFIX_BYTES, bodyStart);
  const header = decodeHeader(headerBytes);
  const body = message.subarray(bodyStart);
  const sliced = header.slices.reduce((sum, slice) => sum + slice.length, 0);
  if (sliced !== body.byteLength) {
    throw new PackedBlockError(`the slices are ${sliced} bytes, the message carries ${body.byteLength}`);
  }
  return { header, headerBytes, body };
}

/** The frame of one slice: what a TopicBuffer appends. */
export function encodeFrame(message: DecodedMessage, sliceNumber: number): Uint8Array {
  const slice = message.header.slices[sliceNumber];
  if (slice === undefined) throw new PackedBlockError(`the message has no slice ${sliceNumber}`);
  const length = FRAME_PREFIX_BYTES + message.headerBytes.byteLength + slice.length;
  const frame = new Uint8Array(length);
  const view = viewOf(frame);
  view.setUint32(0, length, true);
  view.setUint32(4, message.headerBytes.byteLength, true);
  view.setUint32(8, sliceNumber, true);
  frame.set(message.headerBytes, FRAME_PREFIX_BYTES);
  frame.set(
    message.body.subarray(slice.offset, slice.offset + slice.length),
    FRAME_PREFIX_BYTES + message.headerBytes.byteLength,
  );
  return frame;
}

export interface Frame {
  readonly header: MessageHeader;
  readonly slice: Slice;
  /** The slice's envelopes. */
  readonly events: Uint8Array;
  /** The whole frame, prefix included. */
  readonly bytes: Uint8Array;
}

/** Walks concatenated frames. Throws `PackedBlockError` where they are cut short. */
export function* readFrames(frames: Uint8Array): Generator<Frame> {
  const view = viewOf(frames);
  let at = 0;
  while (at < frames.byteLength) {
    if (at + FRAME_PREFIX_BYTES > frames.byteLength) throw new PackedBlockError("a frame's prefix is cut short");
    const length = view.getUint32(at, true);
    const headerLength = view.getUint32(at + 4, true);
    const sliceNumber = view.getUint32(at + 8, true);
    const end = at + length;
    if (length < FRAME_PREFIX_BYTES + headerLength || end > frames.byteLength) {
      throw new PackedBlockError("a frame is cut short");
    }
    const eventsStart = at + FRAME_PREFIX_BYTES + headerLength;
    const header = decodeHeader(frames.subarray(at + FRAME_PREFIX_BYTES, eventsStart));
    const slice = header.slices[sliceNumber];
    if (slice === undefined) throw new PackedBlockError(`the header has no slice ${sliceNumber}`);
    if (slice.length !== end - eventsStart) throw new PackedBlockError("a frame is not as long as its slice");
    yield { header, slice, events: frames.subarray(eventsStart, end), bytes: frames.subarray(at, end) };
    at = end;
  }
}
