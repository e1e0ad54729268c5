import type { LakeView } from "../lake/open.ts";
import { printTable } from "../lake/print-table.ts";

export const HELP = `npm run query -- "SQL" [flags]

Runs SQL (DuckDB's dialect) over the local lake, whether the platform runs or not. Without SQL: what there is.

  --format table|csv|json   how the result is printed (table, which cuts values at 60 characters)
  --as-of TIME|VERSION      published tables as they were: a UTC time, TABLE@VERSION, or a version where the SQL names one table
  --state DIR               the platform's state folder (.sluice)
  --help                    this text

Views: every published table by its name, bronze_<topic> for each topic, dead_letters, quarantine_<topic> where quality
checks can keep rows out of silver, and from the catalog partition_meta, runs, quality_results, bronze_files, partition_sources, ledger,
versions, data_files, backfills, partition_decisions. Times are UTC.`;

/** What is shown without SQL: the views with their rows, and three queries to begin with. */
export function overview(views: readonly LakeView[]): string {
  const columns = [
    { name: "view", numeric: false },
    { name: "kind", numeric: false },
    { name: "rows", numeric: true },
  ];
  const table = printTable(
    columns,
    views.map((view) => [view.name, view.kind, String(view.rows)]),
  );
  const examples = exampleQueries(views).map((sql) => `  npm run query -- "${sql}"`);
  return [...table, "", "For example:", ...examples].join("\n");
}

/** Three queries that work on these views, the most telling first. */
export function exampleQueries(views: readonly LakeView[]): string[] {
  const rows = new Map(views.map((view) => [view.name, view.rows]));
  const published = views.filter((view) => view.kind === "published" && view.rows > 0).map((view) => view.name);
  const candidates = [
    ...published.filter((name) => !name.startsWith("silver_")).map((name) => `FROM ${name} LIMIT 10`),
    ...published.filter((name) => name.startsWith("silver_")).map((name) => `SUMMARIZE ${name}`),
    (rows.get("dead_letters") ?? 0) > 0
      ? "SELECT source_topic, error_type, count(*) FROM dead_letters GROUP BY ALL ORDER BY ALL"
      : undefined,
    ...views
      .filter((view) => view.kind === "bronze" && view.rows > 0)
      .map((view) => `SELECT * FROM ${view.name} ORDER BY _received DESC LIMIT 10`),
    "SELECT domain, status, count(*) FROM partition_meta GROUP BY ALL ORDER BY ALL",
    "SELECT domain, partition_date, status, started_at, rows_out FROM runs ORDER BY started_at DESC LIMIT 10",
    "SELECT table_name, check_name, passed, measured FROM quality_results ORDER BY checked_at DESC LIMIT 10",
  ].filter((sql) => sql !== undefined);
  const deadLetters = candidates.find((sql) => sql.includes("FROM dead_letters"));
  const first = candidates.slice(0, 3);
  // Two tables and the dead letters tell more than three tables.
  return deadLetters === undefined || first.includes(deadLetters) ? first : [...first.slice(0, 2), deadLetters];
}
