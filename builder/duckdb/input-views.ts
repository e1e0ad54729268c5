/** An order's inputs as views over their files: the names, types and rows that the SQL was compiled against. */
import type { WireInput } from "../../lakehouse/builds/native/wire.ts";
import { quoteName, quoteText } from "../../schemas/sql-quoting.ts";

/** The rows of the files as they are: columns that some of them lack are NULL there, and a type is the widest that one of them has. */
export function filesSource(paths: readonly string[]): string {
  return `read_parquet([${paths.map(quoteText).join(", ")}], union_by_name = true, hive_partitioning = false)`;
}

/**
 * The view of an input. `present`: the columns that at least one of the files has; one that all lack is what the order says of such
 * files, or NULL. `paths` of no file make a view without rows.
 */
export function inputView(input: WireInput, paths: readonly string[], present: ReadonlySet<string>): string {
  const columns = input.columns.map(({ name, type, missing }) => {
    const absent = missing === undefined ? "NULL" : missing;
    const stored =
      missing === undefined ? quoteName(name) : `coalesce(${quoteName(name)}, CAST(${missing} AS ${type}))`;
    return `CAST(${present.has(name) ? stored : absent} AS ${type}) AS ${quoteName(name)}`;
  });
  const from = paths.length === 0 ? "WHERE false" : `FROM ${filesSource(paths)}`;
  return `CREATE VIEW ${quoteName(input.table)} AS SELECT ${columns.join(", ")} ${from}`;
}
