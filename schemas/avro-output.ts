/** A growing buffer that Avro binary is written into (specification 1.12, "Binary Encoding"). */
import { bytesFromUnscaled } from "./decimal.ts";

const encoder = new TextEncoder();

/** A text this short has a one-byte length in Avro, whatever its characters take in the loop that copies ASCII. */
const SHORT_TEXT = 63;
const MAX_VARINT_BYTES = 10;
const SHORT_RUN = 64;

export class AvroOutput {
  bytes: Uint8Array;
  /** Where the next value begins. Setting it back forgets what was written from there on. */
  at = 0;
  /** Of `bytes`. */
  view: DataView;

  constructor(initialBytes: number) {
    this.bytes = new Uint8Array(Math.max(64, initialBytes));
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets everything, and gives the memory back. */
  clear(): void {
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
    this.at = 0;
  }

  /** The bytes [start, end), not copied: valid until the next write. */
  slice(start: number, end: number): Uint8Array {
    return this.bytes.subarray(start, end);
  }

  /** A long or int, zigzag: exact for integers in [-2^52, 2^53). */
  writeLong(value: number): void {
    this.reserve(MAX_VARINT_BYTES);
    if (value >= -0x40000000 && value < 0x40000000) {
      this.#writeVarint((value << 1) ^ (value >> 31));
      return;
    }
    // Four groups of seven bits, then the others: each half is a small integer, so that no group costs a division.
    const zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
    const high = Math.floor(zigzag / 0x10000000);
    const low = zigzag - high * 0x10000000;
    if (high === 0) {
      this.#writeVarint(low);
      return;
    }
    const { bytes, at } = this;
    bytes[at] = (low & 0x7f) | 0x80;
    bytes[at + 1] = ((low >> 7) & 0x7f) | 0x80;
    bytes[at + 2] = ((low >> 14) & 0x7f) | 0x80;
    bytes[at + 3] = (low >> 21) | 0x80;
    this.at = at + 4;
    this.#writeVarint(high);
  }

  /** As `writeLong`, for every integer of 64 bits. */
  writeWideLong(value: bigint): void {
    this.reserve(MAX_VARINT_BYTES);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest > 0x7fn; rest >>= 7n) this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80;
    this.bytes[this.at++] = Number(rest);
  }

  #writeVarint(value: number): void {
    const { bytes } = this;
    let { at } = this;
    let rest = value;
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at] = rest;
    this.at = at + 1;
  }

  writeDouble(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  writeBoolean(value: boolean): void {
    this.reserve(1);
    this.bytes[this.at++] = value ? 1 : 0;
  }

  /** Which branch of a union of two follows. */
  writeBranch(branch: number): void {
    this.reserve(1);
    this.bytes[this.at++] = branch << 1;
  }

  /** Length-prefixed UTF-8. The text is well formed: admission refuses lone surrogates. */
  writeString(text: string): void {
    const { length } = text;
    if (length <= SHORT_TEXT && this.#writeShortAscii(text, length)) return;
    this.reserve(MAX_VARINT_BYTES + length * 3);
    const room = this.at + MAX_VARINT_BYTES;
    // No more room than it can need: what workerd does with the destination costs time by its length.
    const { written } = encoder.encodeInto(text, this.bytes.subarray(room, room + length * 3));
    this.writeLong(written);
    this.bytes.copyWithin(this.at, room, room + written);
    this.at += written;
  }

  // Most texts of an event are short and ASCII: a loop of byte stores is several times faster than a call into the runtime.
  #writeShortAscii(text: string, length: number): boolean {
    this.reserve(length + 1);
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
    this.reserve(9);
    let size = 1;
    // A signed integer of `size` bytes lies in [-2^(8 size - 1), 2^(8 size - 1)).
    for (let limit = 0x80; (value >= limit || value < -limit) && size < 7; limit *= 256) size++;
    const { bytes, at } = this;
    bytes[at] = size << 1;
    let rest = value;
    let last = size;
    for (; last > 4; last--) {
      const high = Math.floor(rest / 256);
      bytes[at + last] = rest - high * 256;
      rest = high;
    }
    // Four bytes or less are a small integer, which needs no division.
    for (; last > 0; last--) {
      bytes[at + last] = rest;
      rest >>= 8;
    }
    this.at = at + size + 1;
  }

  /** As `writeUnscaled`, for integers of any size. */
  writeWideUnscaled(value: bigint): void {
    const encoded = bytesFromUnscaled(value);
    this.writeLong(encoded.byteLength);
    this.append(encoded);
  }

  /** The bytes [start, end) as they are, without a length. Of few, a loop is faster than a call into the runtime. */
  append(source: Uint8Array, start = 0, end = source.byteLength): void {
    this.reserve(end - start);
    const { bytes, at } = this;
    if (end - start <= SHORT_RUN) for (let i = start; i < end; i++) bytes[at + i - start] = source[i] ?? 0;
    else bytes.set(source.subarray(start, end), at);
    this.at = at + end - start;
  }

  /** Puts bytes in the place of [start, end), which lies before `at`; what follows moves along. */
  replace(start: number, end: number, bytes: Uint8Array): void {
    const growth = bytes.byteLength - (end - start);
    this.reserve(growth);
    this.bytes.copyWithin(end + growth, end, this.at);
    this.bytes.set(bytes, start);
    this.at += growth;
  }

  /** Makes room for so many bytes from `at` on, for a caller that stores them itself. `bytes` may be another array then. */
  reserve(count: number): void {
    const needed = this.at + count;
    if (needed <= this.bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(this.bytes.byteLength * 2, needed));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
