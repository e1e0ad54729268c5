/**
 * The message that travels through a topic's queue, and the frame that a TopicBuffer stores.
 *
 *     message = u8 format | u32 header length | header (Avro) | slice 0 | slice 1 | ...
 *     frame   = u32 frame length | u32 header length | u32 slice number | header (Avro) | slice
 *
 * Integers are little-endian. A slice is the concatenated envelopes (`codecs.ts`) of the events of one shard, so the
 * consumer forwards bytes by offset and never decodes an event.
 */
import { AvroOutput } from "./avro-output.ts";
import { decodeHeader } from "./header-reader.ts";
import { type MessageHeader, type MessageOrigin, PackedBlockError, type Slice, writeHeader } from "./message-header.ts";

export { type MessageHeader, type MessageOrigin, PackedBlockError, replaysOf, type Slice } from "./message-header.ts";

const FORMAT = 1;
const MESSAGE_PREFIX_BYTES = 5;
const FRAME_PREFIX_BYTES = 12;

/** Queues bill by 64 KB; 60 KB leaves room for what the platform adds (PROTOCOLS 1). */
export const MESSAGE_TARGET_BYTES = 60_000;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Packs a header and its slices' bytes: in the order of `header.slices`, in as many pieces as there are. */
export function encodeMessage(header: MessageHeader, pieces: readonly Uint8Array[]): Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const { message, bodyStart } = beginMessage(header, header.count, header.slices, header.replay_of, length);
  let at = bodyStart;
  for (const piece of pieces) {
    message.set(piece, at);
    at += piece.byteLength;
  }
  return message;
}

/** A message of which only the slices' bytes are missing. */
export interface BegunMessage {
  readonly message: Uint8Array;
  readonly bodyStart: number;
}

/** Where headers are written, one at a time, before it is known how long they are. */
const head = new AvroOutput(1_024);

/** A message with its header, and with room for the bytes of its slices, `bodyLength` together. */
export function beginMessage(
  origin: MessageOrigin,
  count: number,
  slices: readonly Slice[],
  replays: readonly string[] | undefined,
  bodyLength: number,
): BegunMessage {
  head.at = 0;
  writeHeader(head, origin, count, slices, replays);
  const bodyStart = MESSAGE_PREFIX_BYTES + head.at;
  const message = new Uint8Array(bodyStart + bodyLength);
  const view = viewOf(message);
  view.setUint8(0, FORMAT);
  view.setUint32(1, head.at, true);
  message.set(head.slice(0, head.at), MESSAGE_PREFIX_BYTES);
  return { message, bodyStart };
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
  const header = decodeHeader(bufferOf(message), MESSAGE_PREFIX_BYTES, bodyStart);
  const body = message.subarray(bodyStart);
  const sliced = header.slices.reduce((sum, slice) => sum + slice.length, 0);
  if (sliced !== body.byteLength) {
    throw new PackedBlockError(`the slices are ${sliced} bytes, the message carries ${body.byteLength}`);
  }
  return { header, headerBytes, body };
}

/** A slice of a message, by its number in the header. */
export interface MessageSlice {
  readonly message: DecodedMessage;
  readonly number: number;
}

/** The frame of one slice: what a TopicBuffer appends. */
export function encodeFrame(message: DecodedMessage, sliceNumber: number): Uint8Array {
  return encodeFrames([{ message, number: sliceNumber }]);
}

/** The frames of slices, one behind the other: each byte is copied once, however many there are. */
export function encodeFrames(slices: readonly MessageSlice[]): Uint8Array {
  const frames = new Uint8Array(slices.reduce((sum, slice) => sum + frameLength(slice), 0));
  const view = viewOf(frames);
  let at = 0;
  for (const part of slices) {
    const { headerBytes, body } = part.message;
    const { offset, length } = sliceOf(part);
    const eventsStart = at + FRAME_PREFIX_BYTES + headerBytes.byteLength;
    view.setUint32(at, frameLength(part), true);
    view.setUint32(at + 4, headerBytes.byteLength, true);
    view.setUint32(at + 8, part.number, true);
    frames.set(headerBytes, at + FRAME_PREFIX_BYTES);
    frames.set(body.subarray(offset, offset + length), eventsStart);
    at = eventsStart + length;
  }
  return frames;
}

function frameLength(part: MessageSlice): number {
  return FRAME_PREFIX_BYTES + part.message.headerBytes.byteLength + sliceOf(part).length;
}

function sliceOf({ message, number }: MessageSlice): Slice {
  const slice = message.header.slices[number];
  if (slice === undefined) throw new PackedBlockError(`the message has no slice ${number}`);
  return slice;
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
  const buffer = bufferOf(frames);
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
    const header = decodeHeader(buffer, at + FRAME_PREFIX_BYTES, eventsStart);
    const slice = header.slices[sliceNumber];
    if (slice === undefined) throw new PackedBlockError(`the header has no slice ${sliceNumber}`);
    if (slice.length !== end - eventsStart) throw new PackedBlockError("a frame is not as long as its slice");
    yield { header, slice, events: frames.subarray(eventsStart, end), bytes: frames.subarray(at, end) };
    at = end;
  }
}
