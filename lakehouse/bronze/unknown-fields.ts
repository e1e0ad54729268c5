/** The fields that events of a file brought and their topic's schemas do not have, as `_extra` keeps them (`schemas/event-residue.ts`). */

import type { Contract } from "../../contracts/contract.ts";
import { hasMaskedFields } from "../../contracts/masking.ts";
import { ATTRIBUTES_FIELD, isJsonObject } from "../../schemas/event-residue.ts";
import type { Batch, ColumnType, Field } from "../engine/columns/column.ts";
import { columnNamed } from "../engine/columns/named-columns.ts";
import { valueAt } from "../engine/columns/value.ts";
import { eventFields } from "./table.ts";

/** Notes the unknown fields of one file as its rows pass on their way to the writer. */
export interface UnknownFields {
  /** Gives the batches on. */
  noting(batches: Iterable<Batch>): Generator<Batch, void, undefined>;
  /** JSON pointers, `*` for the items of an array, in order. */
  pointers(): string[];
}

/** What stands for the unknown fields of a topic with masked fields: they are sealed, and so are their names. */
const SEALED_FIELDS = "/";

/** A file of events that use field names as data has as many as it likes: these are enough to see it. */
const MAX_POINTERS = 50;
const MAX_POINTER_LENGTH = 200;

export function createUnknownFields(contract: Contract): UnknownFields {
  const known = eventFields(contract);
  const sealed = hasMaskedFields(contract);
  const limit = sealed ? 1 : MAX_POINTERS;
  const pointers = new Set<string>();

  function add(pointer: string): void {
    if (pointer !== `/${ATTRIBUTES_FIELD}` && pointers.size < limit)
      pointers.add(pointer.slice(0, MAX_POINTER_LENGTH).toWellFormed());
  }

  /** A known key leads to unknown fields further in, any other is one. */
  function look(value: unknown, fields: readonly Field[], pointer: string): void {
    if (!isJsonObject(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const field = fields.find(({ name }) => name === key);
      if (field === undefined) add(at);
      else lookInside(inner, field.type, at);
    }
  }

  function lookInside(value: unknown, type: ColumnType, pointer: string): void {
    if (type.kind === "struct") look(value, type.fields, pointer);
    if (type.kind !== "list" || !Array.isArray(value)) return;
    for (const item of value) lookInside(item, type.item.type, `${pointer}/*`);
  }

  function note(batch: Batch): void {
    const extra = columnNamed(batch, "_extra");
    if (extra === undefined) return;
    for (let row = 0; row < batch.length && pointers.size < limit; row++) {
      if (extra.nulls?.[row] === 1) continue;
      const text = valueAt(extra, row);
      if (sealed) add(SEALED_FIELDS);
      else if (typeof text === "string") look(parsed(text), known, "");
    }
  }

  return {
    *noting(batches) {
      for (const batch of batches) {
        note(batch);
        yield batch;
      }
    },
    pointers: () => [...pointers].sort(),
  };
}

/** A residue that is no JSON names no field: it is kept as it is, and must not keep its flush from being written. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
