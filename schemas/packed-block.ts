/**
 * The message that travels through a topic's queue, and the frame that a TopicBuffer stores.
 *
 *     message = u8 format | u32 header length | header (Avro) | slice 0 | slice 1 | ...
 *     frame   = u32 frame length | u32 header length | u32 slice number | header (Avro) | slice
 *
 * Integers are little-endian. A slice is the concatenated envelopes (`codecs.ts`) of the events of one shard, so the
 * consumer forwards bytes by offset and never decodes an event.
 */
import { decodeHeader, encodeHeader, type MessageHeader, PackedBlockError, type Slice } from "./message-header.ts";

export { type MessageHeader, PackedBlockError, replaysOf, type Slice } from "./message-header.ts";

const FORMAT = 1;
const MESSAGE_PREFIX_BYTES = 5;
const FRAME_PREFIX_BYTES = 12;

/** Queues bill by 64 KB; 60 KB leaves room for what the platform adds (PROTOCOLS 1). */
export const MESSAGE_TARGET_BYTES = 60_000;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Packs a header and its slices' bytes, in the order of `header.slices`. */
export function encodeMessage(header: MessageHeader, slices: readonly Uint8Array[]): Uint8Array {
  const head = encodeHeader(header);
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
