/** Encoding Thrift: what was decoded is copied as it stands. */
import { release } from "../columns/release.ts";
import { BINARY, BYTE, DOUBLE, FALSE, LIST, STRUCT, type ThriftStruct, type ThriftValue, TRUE } from "./thrift.ts";
import { decodeThrift, EncodedStruct } from "./thrift-decode.ts";

/** Encodes a struct; the inverse of `decodeThrift`. Fields are written in ascending order of their ids. */
export function encodeThrift(struct: ThriftStruct): Uint8Array {
  const out = new ThriftBytes();
  writeStruct(out, struct);
  return out.take();
}

/** The struct as its bytes, which nothing else shares: what was made of others is garbage. */
export function packedThrift(struct: ThriftStruct): ThriftStruct {
  return decodeThrift(encodeThrift(struct));
}

class ThriftBytes {
  #bytes = new Uint8Array(1_024);
  #length = 0;

  push(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Once. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    release(this.#bytes);
    return taken;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes);
    release(this.#bytes);
    this.#bytes = larger;
  }
}

function writeStruct(out: ThriftBytes, struct: ThriftStruct): void {
  if (struct instanceof EncodedStruct) {
    out.append(struct.bytes.subarray(struct.start, struct.end));
    return;
  }
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

function writeValue(out: ThriftBytes, value: ThriftValue): void {
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
      out.append(value.bytes);
      return;
    case "binary":
      writeVarint(out, value.bytes.length);
      out.append(value.bytes);
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

function writeVarint(out: ThriftBytes, value: number): void {
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

function writeInt(out: ThriftBytes, value: number): void {
  writeVarint(out, value < 0 ? -value * 2 - 1 : value * 2);
}
