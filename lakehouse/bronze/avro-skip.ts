/** Moving past Avro values without decoding them: a tree of closures, made once per schema. */
import { type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";
import type { ByteReader } from "./byte-reader.ts";

/** Moves the reader past one value. */
export type Walk = (reader: ByteReader) => void;

/** Calls `item` once per item of an array, the reader at its start. */
export function forEachItem(reader: ByteReader, item: Walk): void {
  for (;;) {
    let count = reader.readLong();
    if (count === 0) return;
    if (count < 0) {
      count = -count;
      reader.readLong(); // A negative count is followed by the block's size, which only a skipping reader needs.
    }
    for (let i = 0; i < count; i++) item(reader);
  }
}

/** A walk past values of a type. */
export function skipWalk(avro: AvroType): Walk {
  if (Array.isArray(avro)) {
    const nullBranch = avro[0] === "null" ? 0 : 1;
    const inner = skipWalk(unwrapOptional(avro).type);
    return (reader) => {
      if (reader.readLong() !== nullBranch) inner(reader);
    };
  }
  const { type } = unwrapOptional(avro);
  if (typeof type === "string") {
    switch (type) {
      case "null":
        return () => {};
      case "boolean":
        return (reader) => void reader.readBoolean();
      case "double":
        return (reader) => void reader.readDouble();
      case "string":
      case "bytes":
        return (reader) => void reader.readSpan();
      case "int":
      case "long":
        return (reader) => void reader.readLong();
    }
  }
  switch (type.type) {
    case "long":
    case "int":
      return (reader) => void reader.readLong();
    case "bytes":
      return (reader) => void reader.readSpan();
    case "array": {
      const item = skipWalk(type.items);
      return (reader) => forEachItem(reader, item);
    }
    case "record": {
      const walks = type.fields.map((field) => skipWalk(field.type));
      return (reader) => {
        for (const walk of walks) walk(reader);
      };
    }
  }
}
