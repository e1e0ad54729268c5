import { ByteReader } from "../../../schemas/byte-reader.ts";
import { keepShape } from "../../../schemas/kept-shape.ts";

/**
 * Thrift's compact protocol, as far as Parquet's footer uses it, decoded without a schema into a tree and encoded back
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). Unknown fields survive the way there and
 * back, so a footer can be edited without knowing all of it. No maps, no sets: parquet.thrift has none.
 */
export type ThriftValue =
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "byte"; readonly value: number }
  /** i16, i32 or i64 by `wire`; never beyond 2^53. */
  | { readonly kind: "int"; readonly wire: IntWire; readonly value: number }
  | { readonly kind: "double"; readonly bytes: Uint8Array }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "list"; readonly element: number; readonly items: readonly ThriftValue[] }
  | ThriftStruct;

/** Fields by their id. */
export interface ThriftStruct {
  readonly kind: "struct";
  readonly fields: ReadonlyMap<number, ThriftValue>;
}

type IntWire = typeof I16 | typeof I32 | typeof I64;

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

/** parquet.thrift nests seven deep; a footer deeper than this is hostile. */
const MAX_DEPTH = 16;

/** The bytes are not the Thrift that a Parquet footer holds. */
export class ThriftError extends Error {
  override readonly name = "ThriftError";
}

/** Decodes one struct from the start of `bytes`. Throws ThriftError when the bytes end early or hold what Parquet never writes. */
export function decodeThrift(bytes: Uint8Array): ThriftStruct {
  try {
    return new Decoder(bytes).struct(0);
  } catch (error) {
    if (error instanceof RangeError) throw new ThriftError(error.message, { cause: error });
    throw error;
  }
}

class Decoder {
  readonly #reader: ByteReader;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes);
  }

  struct(depth: number): ThriftStruct {
    if (depth > MAX_DEPTH) throw new ThriftError("nested too deep");
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (;;) {
      const header = this.#reader.readByte();
      if (header === 0) return { kind: "struct", fields };
      const delta = header >> 4;
      id = delta === 0 ? this.#int() : id + delta;
      const wire = header & 0x0f;
      fields.set(id, wire <= FALSE ? { kind: "bool", value: wire === TRUE } : this.#value(wire, depth));
    }
  }

  #value(wire: number, depth: number): ThriftValue {
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
      case LIST:
        return this.#list(depth);
      case STRUCT:
        return this.struct(depth + 1);
      default:
        throw new ThriftError(`unknown type ${wire}`);
    }
  }

  #list(depth: number): ThriftValue {
    if (depth > MAX_DEPTH) throw new ThriftError("nested too deep");
    const header = this.#reader.readByte();
    const element = header & 0x0f;
    const size = header >> 4 === 15 ? this.#varint() : header >> 4;
    // Every item takes a byte at least: a larger size is a lie, and would make us allocate for it.
    if (size > this.#reader.bytes.length - this.#reader.at) throw new ThriftError("a list longer than the footer");
    const items: ThriftValue[] = [];
    for (let i = 0; i < size; i++) items.push(this.#value(element, depth + 1));
    return { kind: "list", element, items };
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

keepShape(new Decoder(new Uint8Array(0)));

/** Encodes a struct; the inverse of `decodeThrift`. Fields are written in ascending order of their ids. */
export function encodeThrift(struct: ThriftStruct): Uint8Array {
  const out: number[] = [];
  writeStruct(out, struct);
  return Uint8Array.from(out);
}

function writeStruct(out: number[], struct: ThriftStruct): void {
  let last = 0;
  for (const [id, value] of [...struct.fields].sort(([left], [right]) => left - right)) {
    const wire = value.kind === "bool" ? (value.value ? TRUE : FALSE) : wireOf(value);
    const delta = id - last;
    if (delta > 0 && delta <= 15) out.push((delta << 4) | wire);
    else {
      out.push(wire);
      writeInt(out, id);
    }
    last = id;
    if (value.kind !== "bool") writeValue(out, value);
  }
  out.push(0);
}

function wireOf(value: Exclude<ThriftValue, { kind: "bool" }>): number {
  switch (value.kind) {
    case "byte":
      return BYTE;
    case "int":
      return value.wire;
    case "double":
      return DOUBLE;
    case "binary":
      return BINARY;
    case "list":
      return LIST;
    case "struct":
      return STRUCT;
  }
}

function writeValue(out: number[], value: ThriftValue): void {
  switch (value.kind) {
    case "bool":
      out.push(value.value ? TRUE : FALSE);
      return;
    case "byte":
      out.push(value.value);
      return;
    case "int":
      writeInt(out, value.value);
      return;
    case "double":
      for (const byte of value.bytes) out.push(byte);
      return;
    case "binary":
      writeVarint(out, value.bytes.length);
      for (const byte of value.bytes) out.push(byte);
      return;
    case "list":
      if (value.items.length < 15) out.push((value.items.length << 4) | value.element);
      else {
        out.push(0xf0 | value.element);
        writeVarint(out, value.items.length);
      }
      for (const item of value.items) writeValue(out, item);
      return;
    case "struct":
      writeStruct(out, value);
  }
}

function writeVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

function writeInt(out: number[], value: number): void {
  writeVarint(out, value < 0 ? -value * 2 - 1 : value * 2);
}

/** An i32 or i64 value. */
export function thriftInt(wire: "i32" | "i64", value: number): ThriftValue {
  return { kind: "int", wire: wire === "i32" ? I32 : I64, value };
}

/** A list of structs, the only kind of list whose items we make or pick ourselves. */
export function thriftStructs(items: readonly ThriftStruct[]): ThriftValue {
  return { kind: "list", element: STRUCT, items };
}

/** A copy of `struct` with some fields set, or removed where the value is undefined. */
export function withThriftFields(
  struct: ThriftStruct,
  changes: Iterable<readonly [id: number, value: ThriftValue | undefined]>,
): ThriftStruct {
  const fields = new Map(struct.fields);
  for (const [id, value] of changes) {
    if (value === undefined) fields.delete(id);
    else fields.set(id, value);
  }
  return { kind: "struct", fields };
}

/** The integer in a field, undefined when the field is absent. Throws ThriftError when it is something else. */
export function intField(struct: ThriftStruct, id: number): number | undefined {
  const value = struct.fields.get(id);
  if (value === undefined || value.kind === "int") return value?.value;
  throw new ThriftError(`field ${id} is not an integer`);
}

/** The text in a field. Throws ThriftError when it is absent or something else. */
export function textField(struct: ThriftStruct, id: number): string {
  const value = struct.fields.get(id);
  if (value?.kind === "binary") return new TextDecoder().decode(value.bytes);
  throw new ThriftError(`field ${id} is not a text`);
}

/** The struct in a field. Throws ThriftError when it is absent or something else. */
export function structField(struct: ThriftStruct, id: number): ThriftStruct {
  const value = struct.fields.get(id);
  if (value?.kind === "struct") return value;
  throw new ThriftError(`field ${id} is not a struct`);
}

/** The structs in a list field, none when it is absent. Throws ThriftError when it holds anything else. */
export function structsField(struct: ThriftStruct, id: number): ThriftStruct[] {
  const value = struct.fields.get(id);
  if (value === undefined) return [];
  if (value.kind !== "list") throw new ThriftError(`field ${id} is not a list`);
  return value.items.map((item) => {
    if (item.kind === "struct") return item;
    throw new ThriftError(`field ${id} holds something other than structs`);
  });
}
