/**
 * The placeholders of a check's query: `{object}` is the table, `{property}` the field that the check stands under
 * (ODCS 3.1, data quality, SQL). `${table}` and `${column}`, as the standard's JSON Schema writes them, are the same.
 */
import { quoteName } from "../../../schemas/sql-quoting.ts";

const PLACEHOLDER = /\$?\{(object|table|model|property|column|field)\}/g;
const OF_TABLE = new Set(["object", "table", "model"]);

/** The query with quoted names in place of its placeholders. Reports one of a field where there is none. */
export function fillPlaceholders(
  query: string,
  object: string,
  property: string | undefined,
  problem: (message: string) => void,
): string {
  return query.replace(PLACEHOLDER, (placeholder, name: string) => {
    if (OF_TABLE.has(name)) return quoteName(object);
    if (property !== undefined) return quoteName(property);
    problem(`${placeholder} stands for a field, and this check is of the table: write the column's name`);
    return placeholder;
  });
}
