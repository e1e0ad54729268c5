/** Decoding Thrift into views of its bytes. */
import { ByteReader } from "../../../schemas/byte-reader.ts";
import { keepShape } from "../../../schemas/kept-shape.ts";
import {
  BINARY,
  BYTE,
  DOUBLE,
  FALSE,
  I16,
  I32,
  I64,
  LIST,
  STRUCT,
  ThriftError,
  type ThriftStruct,
  type ThriftValue,
  TRUE,
} from "./thrift.ts";

/** parquet.thrift nests seven deep; a footer deeper than this is hostile. */
const MAX_DEPTH = 16;

/**
 * The struct at the start of `bytes`, as a view of them. Throws ThriftError when the bytes end early or hold what Parquet never writes; all
 * of them are looked at, so that no access throws later.
 */
export function decodeThrift(bytes: Uint8Array): ThriftStruct {
  try {
    const decoder = new Decoder(bytes, 0);
    decoder.skipStruct(0);
    return new EncodedStruct(bytes, 0, decoder.at);
  } catch (error) {
    if (error instanceof RangeError) throw new ThriftError(error.message, { cause: error });
    throw error;
  }
}

/**
 * A struct as its bytes. Its fields are decoded each time that they are asked for, those that are structs as views again, so that they are
 * garbage at once: a footer as a tree of objects took 2 KB of JavaScript's heap for each column of each row group, and outlived the
 * young generation in builds, which read dozens of them.
 */
export class EncodedStruct implements ThriftStruct {
  readonly kind = "struct";
  readonly bytes: Uint8Array;
  readonly start: number;
  /** Behind the mark of its end. */
  readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  get fields(): ReadonlyMap<number, ThriftValue> {
    return new Decoder(this.bytes, this.start).fields();
  }
}

class Decoder {
  readonly #reader: ByteReader;

  constructor(bytes: Uint8Array, start: number) {
    this.#reader = new ByteReader(bytes);
    this.#reader.at = start;
  }

  get at(): number {
    return this.#reader.at;
  }

  /** Of bytes that `skipStruct` has been through. */
  fields(): Map<number, ThriftValue> {
    const fields = new Map<number, ThriftValue>();
    for (let id = 0, header = this.#reader.readByte(); header !== 0; header = this.#reader.readByte()) {
      id = this.#id(header, id);
      const wire = header & 0x0f;
      fields.set(id, wire <= FALSE ? { kind: "bool", value: wire === TRUE } : this.#value(wire));
    }
    return fields;
  }

  skipStruct(depth: number): void {
    if (depth > MAX_DEPTH) throw new ThriftError("nested too deep");
    for (let header = this.#reader.readByte(); header !== 0; header = this.#reader.readByte()) {
      this.#id(header, 0);
      const wire = header & 0x0f;
      if (wire > FALSE) this.#skip(wire, depth);
    }
  }

  /** The id of the field with this header, behind one with the id `last`. */
  #id(header: number, last: number): number {
    const delta = header >> 4;
    return delta === 0 ? this.#int() : last + delta;
  }

  #skip(wire: number, depth: number): void {
    switch (wire) {
      case TRUE:
      case FALSE:
      case BYTE:
        this.#reader.readByte();
        return;
      case I16:
      case I32:
      case I64:
        this.#int();
        return;
      case DOUBLE:
        this.#reader.moveTo(this.#reader.at + 8);
        return;
      case BINARY: {
        const length = this.#varint();
        this.#reader.moveTo(this.#reader.at + length);
        return;
      }
      case LIST: {
        if (depth > MAX_DEPTH) throw new ThriftError("nested too deep");
        const { element, size } = this.#listHeader();
        for (let i = 0; i < size; i++) this.#skip(element, depth + 1);
        return;
      }
      case STRUCT:
        this.skipStruct(depth + 1);
        return;
      default:
        throw new ThriftError(`unknown type ${wire}`);
    }
  }

  #value(wire: number): ThriftValue {
    switch (wire) {
      case TRUE: // Only in lists, where a byte per item follows.
      case FALSE:
        return { kind: "bool", value: this.#reader.readByte() === TRUE };
      case BYTE:
        return { kind: "byte", value: this.#reader.readByte() };
      case I16:
      case I32:
      case I64:
        return { kind: "int", wire, value: this.#int() };
      case DOUBLE:
        return { kind: "double", bytes: this.#take(8) };
      case BINARY:
        return { kind: "binary", bytes: this.#take(this.#varint()) };
      case LIST: {
        const { element, size } = this.#listHeader();
        return { kind: "list", element, items: Array.from({ length: size }, () => this.#value(element)) };
      }
      case STRUCT: {
        const start = this.#reader.at;
        this.skipStruct(0);
        return new EncodedStruct(this.#reader.bytes, start, this.#reader.at);
      }
      default:
        throw new ThriftError(`unknown type ${wire}`);
    }
  }

  #listHeader(): { readonly element: number; readonly size: number } {
    const header = this.#reader.readByte();
    const size = header >> 4 === 15 ? this.#varint() : header >> 4;
    // Every item takes a byte at least: a larger size is a lie, and would make us allocate for it.
    if (size > this.#reader.bytes.length - this.#reader.at) throw new ThriftError("a list longer than the footer");
    return { element: header & 0x0f, size };
  }

  #take(count: number): Uint8Array {
    const start = this.#reader.at;
    this.#reader.moveTo(start + count);
    return this.#reader.bytes.subarray(start, start + count);
  }

  /** Base 128, low groups first; exact up to 2^53. */
  #varint(): number {
    return exact(this.#reader.readUnsigned());
  }

  /** Zigzag, as Avro has it: 0, -1, 1, -2, ... */
  #int(): number {
    return exact(this.#reader.readLong());
  }
}

function exact(value: number): number {
  if (!Number.isSafeInteger(value)) throw new ThriftError("an integer beyond 2^53");
  return value;
}

keepShape(new Decoder(new Uint8Array(0), 0));
keepShape(new EncodedStruct(new Uint8Array(0), 0, 0));
