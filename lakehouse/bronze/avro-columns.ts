/**
 * Avro binary straight into columns: no event object is made, text is copied as bytes. The walker of a schema is a tree
 * of closures, made once; each closure moves the reader past one value and appends it to its builder.
 */
import { type AvroRecord, type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";
import { unscaledFromBytes } from "../../schemas/decimal.ts";
import type { ColumnBuilder } from "../engine/columns/builder.ts";
import type { Field } from "../engine/columns/column.ts";
import type { Int64Builder } from "../engine/columns/fixed-width-builders.ts";
import { pushValue } from "../engine/columns/push-value.ts";
import { readCount, skipWalk, type Walk } from "./avro-skip.ts";

/** Thrown when a builder does not fit the schema: a mistake of the caller, never of data. */
function mismatch(what: string, builder: ColumnBuilder): never {
  throw new TypeError(`an Avro ${what} does not go into a ${builder.kind} column`);
}

/**
 * A walker that appends one record's fields to the builders of the columns with their names. A field without a column
 * is read and dropped; a column without a field gets its default of `fields`, or null: that is how rows of an older
 * schema stand in a newer table. Numbers may go into a wider column.
 */
export function recordWalk(
  schema: AvroRecord,
  columns: ReadonlyMap<string, ColumnBuilder>,
  fields: readonly Field[] = [],
): Walk {
  const written = new Set(schema.fields.map((field) => field.name));
  const defaults = new Map(fields.map((field) => [field.name, field.initialDefault ?? null]));
  const absent = [...columns]
    .filter(([name]) => !written.has(name))
    .map(([name, builder]) => ({ builder, value: defaults.get(name) ?? null }));
  const walks = schema.fields.map((field) => {
    const builder = columns.get(field.name);
    return builder === undefined ? skipWalk(field.type) : valueWalk(field.type, builder);
  });
  return (reader) => {
    for (const walk of walks) walk(reader);
    for (const { builder, value } of absent) pushValue(builder, value);
  };
}

function valueWalk(avro: AvroType, builder: ColumnBuilder): Walk {
  if (Array.isArray(avro)) {
    const nullBranch = avro[0] === "null" ? 0 : 1;
    const inner = valueWalk(unwrapOptional(avro).type, builder);
    return (reader) => {
      if (reader.readLong() === nullBranch) builder.pushNull();
      else inner(reader);
    };
  }
  const { type } = unwrapOptional(avro);
  if (typeof type === "string") return primitiveWalk(type, builder);
  switch (type.type) {
    case "long":
      return builder.kind === "int64" ? longWalk(builder) : mismatch("timestamp", builder);
    case "int":
      return builder.kind === "int32" ? (reader) => builder.push(reader.readLong()) : mismatch("date", builder);
    case "bytes":
      return decimalWalk(builder);
    case "array": {
      if (builder.kind !== "list") return mismatch("array", builder);
      const item = valueWalk(type.items, builder.item);
      return (reader) => {
        for (let count = readCount(reader); count > 0; count = readCount(reader)) {
          for (let i = 0; i < count; i++) item(reader);
        }
        builder.endRow();
      };
    }
    case "record": {
      if (builder.kind !== "struct" || builder.type.kind !== "struct") return mismatch("record", builder);
      const fields = builder.type.fields;
      const columns = new Map(
        builder.fields.flatMap((column, i) => {
          const field = fields[i];
          return field === undefined ? [] : [[field.name, column] as const];
        }),
      );
      const walk = recordWalk(type, columns, fields);
      return (reader) => {
        walk(reader);
        builder.endRow();
      };
    }
  }
}

function primitiveWalk(type: string, builder: ColumnBuilder): Walk {
  switch (type) {
    case "boolean":
      return builder.kind === "bool" ? (reader) => builder.push(reader.readBoolean()) : mismatch(type, builder);
    case "int":
    case "long":
      if (builder.kind === "int64") return longWalk(builder);
      if (builder.kind === "float64" || (builder.kind === "int32" && type === "int"))
        return (reader) => builder.push(reader.readLong());
      return mismatch(type, builder);
    case "double":
      return builder.kind === "float64" ? (reader) => builder.push(reader.readDouble()) : mismatch(type, builder);
    case "string":
    case "bytes":
      if (builder.kind !== "bytes") return mismatch(type, builder);
      return (reader) => {
        const start = reader.readSpan();
        builder.pushView(reader.view, start, reader.at);
      };
    default:
      return mismatch(type, builder);
  }
}

function longWalk(builder: Int64Builder): Walk {
  return (reader) => {
    const start = reader.at;
    const value = reader.readLong();
    if (Number.isSafeInteger(value)) builder.pushNumber(value);
    else builder.push(reader.exactLong(start));
  };
}

function decimalWalk(builder: ColumnBuilder): Walk {
  if (builder.kind === "int128") {
    return (reader) => {
      const start = reader.readSpan();
      builder.push(unscaledFromBytes(reader.bytes.subarray(start, reader.at)));
    };
  }
  if (builder.kind !== "int64") return mismatch("decimal", builder);
  return (reader) => {
    const start = reader.readSpan();
    const length = reader.at - start;
    // Up to six bytes the value is exact as a double: no bigint for an amount of money.
    if (length > 6) {
      builder.push(unscaledFromBytes(reader.bytes.subarray(start, reader.at)));
      return;
    }
    let value = 0;
    for (let i = start; i < reader.at; i++) value = value * 256 + (reader.bytes[i] ?? 0);
    const negative = length > 0 && (reader.bytes[start] ?? 0) >= 0x80;
    builder.pushNumber(negative ? value - 256 ** length : value);
  };
}
