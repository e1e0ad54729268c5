import { keepShape } from "./kept-shape.ts";

/**
 * A cursor over Avro binary (specification 1.12, "Binary Encoding"): of events, of messages' headers, and of what comes from outside.
 * Parquet's footers are read with it too: Thrift's varints are the same.
 * Reads past the end throw `RangeError`.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Of `bytes`. */
  readonly view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.bytes.byteLength;
  }

  /** A zigzag varint as a number: exact if `Number.isSafeInteger` says so. `exactLong` reads the others. */
  readLong(): number {
    const bytes = this.bytes;
    let byte = this.readByte();
    // Up to 28 bits in int32 arithmetic, the rest in doubles: lengths, counts and small numbers never leave the first loop.
    let low = byte & 0x7f;
    let shift = 7;
    while (byte >= 0x80 && shift < 28) {
      byte = this.readByte();
      low |= (byte & 0x7f) << shift;
      shift += 7;
    }
    if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    // The sign bit is kept apart: the whole zigzag value of a number beyond 2^52 is too long for a double.
    let half = low >>> 1;
    let factor = 2 ** 27;
    while (byte >= 0x80) {
      if (factor > 2 ** 62) throw new RangeError(`a varint at ${this.at} of ${bytes.byteLength} has too many bytes`);
      byte = this.readByte();
      half += (byte & 0x7f) * factor;
      factor *= 128;
    }
    return (low & 1) === 0 ? half : -half - 1;
  }

  /** The zigzag varint in [start, `at`), which was just read, whatever its 64 bits. */
  exactLong(start: number): bigint {
    let zigzag = 0n;
    for (let at = this.at - 1; at >= start; at--) zigzag = (zigzag << 7n) | BigInt((this.bytes[at] ?? 0) & 0x7f);
    return BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
  }

  /** Throws when `at` is past the end. */
  moveTo(at: number): void {
    if (at > this.bytes.byteLength) throw new RangeError(`read past the end (${this.bytes.byteLength})`);
    this.at = at;
  }

  readDouble(): number {
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  readBoolean(): boolean {
    return this.readByte() === 1;
  }

  /** A varint without zigzag (Thrift, snappy), as `readLong` gives the others. */
  readUnsigned(): number {
    const long = this.readLong();
    return long >= 0 ? long * 2 : -long * 2 - 1;
  }

  /** Moves past a length-prefixed value and returns its first byte's position; it ends at the new `at`. */
  readSpan(): number {
    const length = this.readLong();
    const start = this.at;
    if (length < 0 || start + length > this.bytes.byteLength) {
      throw new RangeError(`a value of ${length} bytes at ${start} runs past the end (${this.bytes.byteLength})`);
    }
    this.at = start + length;
    return start;
  }

  /** Moves past a varint without its value. */
  skipLong(): void {
    while (this.readByte() >= 0x80);
  }

  /** Moves past a length-prefixed value. */
  skipSpan(): void {
    const byte = this.bytes[this.at] ?? 0x80;
    if (byte < 0x80 && (byte & 1) === 0) this.moveTo(this.at + 1 + (byte >> 1));
    else this.readSpan();
  }

  readByte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new RangeError(`read past the end (${this.bytes.byteLength})`);
    this.at++;
    return byte;
  }
}

keepShape(new ByteReader(new Uint8Array(0)));
