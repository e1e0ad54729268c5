/** A growing buffer that Avro binary is written into (specification 1.12, "Binary Encoding"). */
import { bytesFromUnscaled } from "./decimal.ts";

const encoder = new TextEncoder();

/** A text this short has a one-byte length in Avro, whatever its characters take in the loop that copies ASCII. */
const SHORT_TEXT = 63;
const MAX_VARINT_BYTES = 10;

export class AvroOutput {
  bytes: Uint8Array;
  /** Where the next value begins. */
  at = 0;
  #view: DataView;

  constructor(initialBytes: number) {
    this.bytes = new Uint8Array(Math.max(64, initialBytes));
    this.#view = new DataView(this.bytes.buffer);
  }

  /** A long or int, zigzag: exact for integers in [-2^52, 2^53). */
  writeLong(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    const { bytes } = this;
    if (value >= -0x40000000 && value < 0x40000000) {
      let rest = (value << 1) ^ (value >> 31);
      while (rest > 0x7f) {
        bytes[this.at++] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
      }
      bytes[this.at++] = rest;
      return;
    }
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    while (rest >= 0x80) {
      bytes[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    bytes[this.at++] = rest;
  }

  writeDouble(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  writeBoolean(value: boolean): void {
    this.#reserve(1);
    this.bytes[this.at++] = value ? 1 : 0;
  }

  /** Length-prefixed UTF-8. The text is well formed: admission refuses lone surrogates. */
  writeString(text: string): void {
    const { length } = text;
    if (length <= SHORT_TEXT && this.#writeShortAscii(text, length)) return;
    this.#reserve(MAX_VARINT_BYTES + length * 3);
    const room = this.at + MAX_VARINT_BYTES;
    // No more room than it can need: what workerd does with the destination costs time by its length.
    const { written } = encoder.encodeInto(text, this.bytes.subarray(room, room + length * 3));
    this.writeLong(written);
    this.bytes.copyWithin(this.at, room, room + written);
    this.at += written;
  }

  // Most texts of an event are short and ASCII: a loop of byte stores is several times faster than a call into the runtime.
  #writeShortAscii(text: string, length: number): boolean {
    this.#reserve(length + 1);
    const { bytes } = this;
    const start = this.at + 1;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[start + i] = code;
    }
    bytes[this.at] = length << 1;
    this.at = start + length;
    return true;
  }

  /** A decimal's unscaled value as length-prefixed two's complement, big-endian and shortest; a safe integer. */
  writeUnscaled(value: number): void {
    this.#reserve(9);
    let size = 1;
    // A signed integer of `size` bytes lies in [-2^(8 size - 1), 2^(8 size - 1)).
    for (let limit = 0x80; (value >= limit || value < -limit) && size < 7; limit *= 256) size++;
    const { bytes } = this;
    bytes[this.at] = size << 1;
    let rest = value;
    for (let i = size; i > 0; i--) {
      const high = Math.floor(rest / 256);
      bytes[this.at + i] = rest - high * 256;
      rest = high;
    }
    this.at += size + 1;
  }

  /** As `writeUnscaled`, for integers of any size. */
  writeWideUnscaled(value: bigint): void {
    const encoded = bytesFromUnscaled(value);
    this.writeLong(encoded.byteLength);
    this.#reserve(encoded.byteLength);
    this.bytes.set(encoded, this.at);
    this.at += encoded.byteLength;
  }

  #reserve(count: number): void {
    const needed = this.at + count;
    if (needed <= this.bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(this.bytes.byteLength * 2, needed));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
