/** The columns of silver that bronze does not have: what a build derives from each row. */
import type { Batch, Field } from "../../engine/columns/column.ts";
import { requireColumn } from "../../engine/columns/named-columns.ts";
import type { TopicTable } from "../../tables/catalog.ts";
import { RECORD_HASH_FIELD } from "../../tables/silver-columns.ts";
import { recordHashes } from "./record-hash.ts";

/** What is read from bronze. */
export function storedFields({ fields }: Pick<TopicTable, "fields">): readonly Field[] {
  return fields.filter((field) => field !== RECORD_HASH_FIELD);
}

/** The rows with exactly `fields`, those of the table or of its quarantine. Throws a RangeError for one that the rows lack. */
export function derived(
  { eventColumns }: Pick<TopicTable, "eventColumns">,
  rows: Batch,
  fields: readonly Field[],
): Batch {
  const columns = fields.map((field) =>
    field === RECORD_HASH_FIELD ? recordHashes(rows, eventColumns) : requireColumn(rows, field.name),
  );
  return { fields, columns, length: rows.length };
}
