/**
 * `bronze/<topic>/views.sql`: a DuckDB macro over the bronze files that stand, `FROM bronze_orders('s3://BUCKET')`, as silver's
 * (`tables/views.ts`). Files that several dates share stand outside of the hive path and are read by themselves.
 */
import { isMixed } from "../../bronze/table.ts";
import type { Field } from "../../engine/columns/column.ts";
import { evolvedRows, noRows } from "../evolved-rows.ts";

export interface DateOfViews {
  readonly date: string;
  /** The folded date's manifest; null: its files were listed in D1. */
  readonly manifest: string | null;
  /** R2 keys. */
  readonly files: readonly string[];
}

export interface ViewedBronze {
  readonly name: string;
  readonly partition: string;
  readonly fields: readonly Field[];
  /** Columns that older files lack. */
  readonly evolved: readonly Field[];
}

export function bronzeViewsSql(
  { name, partition, fields, evolved }: ViewedBronze,
  dates: readonly DateOfViews[],
): string {
  const hive = listOf(dates.map((date) => ({ ...date, files: date.files.filter((file) => !isMixed(file)) })));
  // A file that dates share is with each of them, and is read once.
  const shared = new Set(dates.flatMap(({ files }) => files.filter(isMixed)));
  const sources = [
    // The date of the path has the column's type, so that a filter on it opens only the files that it needs.
    ...(hive === undefined
      ? []
      : [`read_parquet(${hive}, union_by_name = true, hive_partitioning = true, hive_types = {'${partition}': DATE})`]),
    ...(shared.size === 0
      ? []
      : [
          `read_parquet(${filesText([...shared].map((file) => `  '${file}'`))}, union_by_name = true, hive_partitioning = false)`,
        ]),
  ];
  const marks = dates
    .filter(({ files }) => files.some(isMixed))
    .map(({ date, manifest, files }) => `-- shared ${date} ${manifest ?? "-"} ${files.filter(isMixed).join(" ")}\n`);
  const united =
    sources.length < 2 ? sources[0] : `(${sources.map((each) => `FROM ${each}`).join("\n  UNION ALL BY NAME ")})`;
  const rows = united === undefined ? noRows(fields) : evolvedRows(united, evolved);
  return `-- Run this file, and again for what came since; then: FROM ${name}('s3://YOUR-BUCKET');
-- or, once: CREATE VIEW ${name} AS FROM ${name}('s3://YOUR-BUCKET');
${marks.join("")}CREATE OR REPLACE MACRO ${name}(lake) AS TABLE
${rows};
`;
}

function listOf(dates: readonly DateOfViews[]): string | undefined {
  const filled = dates.filter(({ files }) => files.length > 0);
  if (filled.length === 0) return undefined;
  const lines = filled.map(
    ({ date, manifest, files }) => `  -- ${date} ${manifest ?? "-"}\n${files.map((file) => `  '${file}'`).join(",\n")}`,
  );
  return filesText(lines);
}

function filesText(lines: readonly string[]): string {
  return `[lake || '/' || file FOR file IN [\n${lines.join(",\n")}\n]]`;
}

/** The folded dates that a text of `bronzeViewsSql` lists, with their files. */
export function datesOfViews(sql: string): DateOfViews[] {
  const dates = new Map<string, { date: string; manifest: string; files: string[] }>();
  const dateOf = (date: string, manifest: string) => {
    const known = dates.get(manifest) ?? { date, manifest, files: [] };
    dates.set(manifest, known);
    return known;
  };
  let open: { files: string[] } | undefined;
  for (const line of sql.split("\n")) {
    const [, mark, date = "", manifest = "", rest = ""] =
      /^( {2}--|-- shared) (\d{4}-\d\d-\d\d) (\S+)(?: (.*))?$/.exec(line) ?? [];
    if (mark === "-- shared") {
      if (manifest !== "-") dateOf(date, manifest).files.push(...rest.split(" "));
    } else if (mark !== undefined) open = manifest === "-" ? undefined : dateOf(date, manifest);
    else {
      const [, file] = /^ {2}'([^']*)',?$/.exec(line) ?? [];
      if (file === undefined) open = undefined;
      else open?.files.push(file);
    }
  }
  return [...dates.values()];
}
