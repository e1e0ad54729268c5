/** Moving past Avro values without decoding them: a short program per schema, made once, since every row of a flush is walked past. */
import { type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";
import type { ByteReader } from "../../schemas/byte-reader.ts";

/** Moves the reader past one value. */
export type Walk = (reader: ByteReader) => void;

/** How many items the next block of an array has; 0 ends it. A negative count is followed by the block's size, which nobody here needs. */
export function readCount(reader: ByteReader): number {
  const count = reader.readLong();
  if (count >= 0) return count;
  reader.readLong();
  return -count;
}

/** A walk past a value of each type, one after another. */
export function skipWalk(...types: readonly AvroType[]): Walk {
  const walks = types.map(walkOf);
  return (reader) => {
    for (const walk of walks) walk(reader);
  };
}

function walkOf(avro: AvroType): Walk {
  if (Array.isArray(avro)) {
    const nullBranch = avro[0] === "null" ? 0 : 1;
    const inner = walkOf(unwrapOptional(avro).type);
    return (reader) => {
      if (reader.readLong() !== nullBranch) inner(reader);
    };
  }
  const { type } = unwrapOptional(avro);
  switch (typeof type === "string" ? type : type.type) {
    case "null":
      return () => {};
    case "boolean":
      return (reader) => reader.moveTo(reader.at + 1);
    case "double":
      return (reader) => reader.moveTo(reader.at + 8);
    case "string":
    case "bytes":
      return (reader) => reader.skipSpan();
    case "int":
    case "long":
      return (reader) => reader.skipLong();
  }
  if (typeof type !== "string" && type.type === "record") return skipWalk(...type.fields.map((field) => field.type));
  if (typeof type !== "string" && type.type === "array") {
    const item = walkOf(type.items);
    return (reader) => {
      for (let count = readCount(reader); count > 0; count = readCount(reader)) {
        for (let i = 0; i < count; i++) item(reader);
      }
    };
  }
  throw new TypeError("an Avro type that nobody compiled");
}
