/**
 * Bronze rows back to events in the JSON form that producers send: the typed columns, then what `_extra` and `_lexical`
 * kept. Promise P2: the result equals what was sent, masked fields aside.
 */

import type { Contract } from "../../contracts/contract.ts";
import { type AvroRecord, type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";
import { codecById } from "../../schemas/codecs.ts";
import { jsonFromUnscaled } from "../../schemas/decimal.ts";
import { applyResidue } from "../../schemas/event-residue.ts";
import { jsonFromInteger } from "../../schemas/exact-json.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { Batch, Column } from "../engine/columns/column.ts";
import { requireColumn } from "../engine/columns/named-columns.ts";
import { eventFields } from "./table.ts";

/**
 * The events of a batch that has the columns of a topic's bronze, in its order. A null column is an absent field, and so is
 * one that the row's schema does not have, whatever default fills it.
 */
export function rebuildEvents(contract: Contract, batch: Batch): unknown[] {
  const columnNamed = (name: string): Column => requireColumn(batch, name);
  const columns = new Map(eventFields(contract).map((field) => [field.name, columnNamed(field.name)]));
  const schemas = columnNamed("_schema");
  const extra = columnNamed("_extra");
  const lexical = columnNamed("_lexical");
  return Array.from({ length: batch.length }, (_, row) => {
    const typed = recordAt(columns, row, schemaAt(schemas, row));
    return applyResidue(typed, textAt(extra, row), textAt(lexical, row));
  });
}

function schemaAt(column: Column, row: number): AvroRecord {
  if (column.kind !== "int32") throw new TypeError("_schema is a number");
  const codec = codecById(column.values[row] ?? 0);
  if (codec === undefined) throw new Error(`schema ${column.values[row]} is not compiled in`);
  return codec.schema;
}

function recordAt(columns: ReadonlyMap<string, Column>, row: number, schema: AvroRecord): Record<string, unknown> {
  return Object.fromEntries(
    schema.fields.flatMap(({ name, type }) => {
      const column = columns.get(name);
      return column === undefined || isNull(column, row) ? [] : [[name, jsonAt(column, row, type)]];
    }),
  );
}

function isNull(column: Column, row: number): boolean {
  return column.nulls?.[row] === 1;
}

function textAt(column: Column, row: number): string | null {
  if (column.kind !== "bytes") throw new TypeError("a residue column is text");
  return isNull(column, row) ? null : decodeText(column, row);
}

const decoder = new TextDecoder();

function decodeText(column: Extract<Column, { kind: "bytes" }>, row: number): string {
  return decoder.decode(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]));
}

function jsonAt(column: Column, row: number, avro: AvroType): unknown {
  if (isNull(column, row)) return null;
  const written = unwrapOptional(avro).type;
  const { type } = column;
  switch (column.kind) {
    case "bool":
      return column.values[row] === 1;
    case "int32": {
      const value = column.values[row] ?? 0;
      return type.kind === "date" ? formatDate(value) : value;
    }
    case "int64": {
      const value = column.values[row] ?? 0n;
      if (type.kind === "decimal") return jsonFromUnscaled(value, type.scale);
      return type.kind === "timestamp" ? formatTimestamp(Number(value)) : jsonFromInteger(value);
    }
    case "int128": {
      const unscaled = ((column.values[row * 2 + 1] ?? 0n) << 64n) | BigInt.asUintN(64, column.values[row * 2] ?? 0n);
      return jsonFromUnscaled(unscaled, type.kind === "decimal" ? type.scale : 0);
    }
    case "float64":
      return column.values[row];
    case "bytes":
      return decodeText(column, row);
    case "list": {
      if (typeof written === "string" || written.type !== "array")
        throw new TypeError("a list was written as an array");
      const start = column.offsets[row] ?? 0;
      return Array.from({ length: (column.offsets[row + 1] ?? start) - start }, (_, i) =>
        jsonAt(column.item, start + i, written.items),
      );
    }
    case "struct": {
      if (typeof written === "string" || written.type !== "record")
        throw new TypeError("a struct was written as a record");
      const names = type.kind === "struct" ? type.fields.map((field) => field.name) : [];
      return recordAt(new Map(column.fields.map((field, i) => [names[i] ?? "", field])), row, written);
    }
  }
}
