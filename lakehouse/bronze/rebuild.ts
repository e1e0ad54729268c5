/**
 * Bronze rows back to events in the JSON form that producers send: the typed columns, then what `_extra` and `_lexical`
 * kept. Promise P2: the result equals what was sent, masked fields aside.
 */
import type { Contract } from "../../contracts/contract.ts";
import { jsonFromUnscaled } from "../../schemas/decimal.ts";
import { applyResidue } from "../../schemas/event-residue.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { Batch, Column } from "../columns/column.ts";
import { eventFields } from "./table.ts";

/** The events of a batch that has the columns of a topic's bronze, in its order. A null column is an absent field. */
export function rebuildEvents(contract: Contract, batch: Batch): unknown[] {
  const columnNamed = (name: string): Column => {
    const column = batch.columns[batch.fields.findIndex((field) => field.name === name)];
    if (column === undefined) throw new RangeError(`the rows have no column ${name}`);
    return column;
  };
  const columns = eventFields(contract).map((field) => [field.name, columnNamed(field.name)] as const);
  const extra = columnNamed("_extra");
  const lexical = columnNamed("_lexical");
  return Array.from({ length: batch.length }, (_, row) => {
    const typed = Object.fromEntries(
      columns.flatMap(([name, column]) => (isNull(column, row) ? [] : [[name, jsonAt(column, row)]])),
    );
    return applyResidue(typed, textAt(extra, row), textAt(lexical, row));
  });
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

function jsonAt(column: Column, row: number): unknown {
  if (isNull(column, row)) return null;
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
      return type.kind === "timestamp" ? formatTimestamp(Number(value)) : Number(value);
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
      const start = column.offsets[row] ?? 0;
      return Array.from({ length: (column.offsets[row + 1] ?? start) - start }, (_, i) =>
        jsonAt(column.item, start + i),
      );
    }
    case "struct": {
      const names = type.kind === "struct" ? type.fields.map((field) => field.name) : [];
      return Object.fromEntries(
        column.fields.flatMap((field, i) => (isNull(field, row) ? [] : [[names[i] ?? "", jsonAt(field, row)]])),
      );
    }
  }
}
