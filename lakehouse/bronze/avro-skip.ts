/** Moving past Avro values without decoding them: a short program per schema, made once, since every row of a flush is walked past. */
import { type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";
import type { ByteReader } from "./byte-reader.ts";

/** Moves the reader past one value. */
export type Walk = (reader: ByteReader) => void;

/** How many items the next block of an array has; 0 ends it. A negative count is followed by the block's size, which nobody here needs. */
export function readCount(reader: ByteReader): number {
  const count = reader.readLong();
  if (count >= 0) return count;
  reader.readLong();
  return -count;
}

/** Steps of a program. `OPTIONAL` and `ARRAY` are followed by the length of their value's steps, `OPTIONAL` by its null's branch before that. */
const BYTE = 0;
const VARINT = 1;
const DOUBLE = 2;
const SPAN = 3;
const OPTIONAL = 4;
const ARRAY = 5;

/** A walk past a value of each type, one after another. */
export function skipWalk(...types: readonly AvroType[]): Walk {
  const steps = Uint16Array.from(types.flatMap(stepsOf));
  return (reader) => skip(steps, 0, steps.length, reader);
}

function stepsOf(avro: AvroType): number[] {
  if (Array.isArray(avro)) {
    const inner = stepsOf(unwrapOptional(avro).type);
    return [OPTIONAL, avro[0] === "null" ? 0 : 1, inner.length, ...inner];
  }
  const { type } = unwrapOptional(avro);
  switch (typeof type === "string" ? type : type.type) {
    case "null":
      return [];
    case "boolean":
      return [BYTE];
    case "double":
      return [DOUBLE];
    case "string":
    case "bytes":
      return [SPAN];
    case "int":
    case "long":
      return [VARINT];
  }
  if (typeof type !== "string" && type.type === "record") return type.fields.flatMap((field) => stepsOf(field.type));
  if (typeof type !== "string" && type.type === "array") {
    const items = stepsOf(type.items);
    return [ARRAY, items.length, ...items];
  }
  throw new TypeError("an Avro type that nobody compiled");
}

/** Runs the steps `[from, to)`. The position is held in a variable while it can be; the last line refuses one past the end. */
function skip(steps: Uint16Array, from: number, to: number, reader: ByteReader): void {
  const { bytes } = reader;
  let at = reader.at;
  for (let step = from; step < to; ) {
    // `step` is below `to`, and so are the numbers that belong to it (`stepsOf`).
    switch (steps[step++]) {
      case BYTE:
        at++;
        break;
      case VARINT:
        while ((bytes[at++] ?? 0) >= 0x80);
        break;
      case DOUBLE:
        at += 8;
        break;
      case SPAN: {
        const byte = bytes[at] ?? 0x80;
        // A length of one byte, not negative; any other is the reader's.
        if (byte < 0x80 && (byte & 1) === 0) at += 1 + (byte >> 1);
        else {
          reader.at = at;
          reader.readSpan();
          at = reader.at;
        }
        break;
      }
      case OPTIONAL: {
        const inner = step + 2;
        const byte = bytes[at] ?? 0x80;
        let branch = byte >> 1;
        // Branch 0 or 1 in a byte; any other form is the reader's.
        if (byte === 0 || byte === 2) at++;
        else {
          reader.at = at;
          branch = reader.readLong();
          at = reader.at;
        }
        step = branch === steps[step]! ? inner + steps[step + 1]! : inner;
        break;
      }
      case ARRAY: {
        const items = step + 1;
        step = items + steps[step]!;
        reader.at = at;
        for (let count = readCount(reader); count > 0; count = readCount(reader)) {
          for (let i = 0; i < count; i++) skip(steps, items, step, reader);
        }
        at = reader.at;
        break;
      }
    }
  }
  reader.moveTo(at);
}
