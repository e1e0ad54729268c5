/** Rows that checks keep out of a table. */
import { createColumnBuilder } from "../../engine/columns/builder.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { pushValue } from "../../engine/columns/push-value.ts";
import { FAILED_CHECKS_FIELD } from "../../tables/quarantine.ts";

/** The rows with `_failed_checks`: for each, the names of the checks that it failed. */
export function withReasons(rows: Batch, reasons: readonly (readonly string[])[]): Batch {
  const builder = createColumnBuilder(FAILED_CHECKS_FIELD.type);
  for (const names of reasons) pushValue(builder, names);
  return {
    fields: [...rows.fields, FAILED_CHECKS_FIELD],
    columns: [...rows.columns, builder.finish()],
    length: rows.length,
  };
}
