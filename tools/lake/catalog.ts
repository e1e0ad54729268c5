/** What there is to read, from D1: the files of each table, and the tables of the catalog itself. */

import { parseManifest } from "../../lakehouse/tables/manifest.ts";
import { quoteText } from "../../schemas/sql-quoting.ts";
import type { FileKind } from "../../sql/statements/data-files.ts";
import { foldedBronze, foldedSources } from "./folded-bronze.ts";
import type { LakeObject } from "./object-cache.ts";
import type { CatalogRow, LakeSource } from "./source.ts";

export interface TableFiles {
  readonly name: string;
  /** Live files; none for a table that is empty. */
  readonly files: readonly LakeObject[];
  readonly rows: number;
  /** For a table without live files: an older one that still tells the columns. */
  readonly schemaFile?: LakeObject;
}

export interface StateTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly CatalogRow[];
}

/**
 * The tables of D1 that are worth querying, and what their rows are read from: a view that goes on where a table ends has the
 * table's columns, and no types of its own. The rest is the machine's own.
 */
export const STATE_TABLES = {
  partition_meta: "partition_meta",
  runs: "run_history",
  quality_results: "check_history",
  bronze_files: "bronze_files",
  ledger: "ledger",
  versions: "versions",
  data_files: "data_files",
  partition_sources: "partition_sources",
  backfills: "backfills",
  partition_decisions: "partition_decisions",
} as const;

/** Their names. */
export const STATE_TABLE_NAMES: readonly string[] = Object.keys(STATE_TABLES);

/** Dead letters are a topic: until silver holds them, bronze does. */
export const DEAD_LETTERS = { view: "dead_letters", bronze: "bronze_dead_letters" };

/** Versions of published tables; of those that are not named, the last before a time, or the newest. */
export interface AsOf {
  /** ISO 8601 UTC. */
  readonly time?: string;
  readonly versions: ReadonlyMap<string, number>;
}

/** What each table is read as of. */
export interface ReadVersion {
  readonly table: string;
  readonly version: number;
  readonly committedAt: string;
}

/** For each table, the newest version that can be read up to the one asked for; none of those that had none by then. */
export async function readVersions(source: LakeSource, asOf?: AsOf): Promise<ReadVersion[]> {
  const until = asOf?.time === undefined ? "" : ` AND committed_at <= ${quoteText(asOf.time)}`;
  const named = [...(asOf?.versions ?? [])].map(
    ([table, version]) => `WHEN ${quoteText(table)} THEN version <= ${version}`,
  );
  const chosen = named.length === 0 ? "" : ` AND CASE table_name ${named.join(" ")} ELSE true END`;
  // While a table's dates are built again, readers are given it as it was before.
  const shown =
    asOf === undefined
      ? " AND version <= coalesce((SELECT shown_version FROM table_generations g WHERE g.table_name = v.table_name), version)"
      : "";
  const rows = await source.query(
    `SELECT table_name, version, committed_at FROM versions v WHERE version = (
       SELECT max(version) FROM versions WHERE table_name = v.table_name AND thinned = 0${until}${chosen}${shown}) ORDER BY table_name`,
  );
  return rows.map((row) => ({
    table: String(row["table_name"]),
    version: Number(row["version"]),
    committedAt: String(row["committed_at"]),
  }));
}

/** Every table as of these versions, by name. Objects are immutable, so what commits meanwhile is not in the way. */
export function publishedTables(source: LakeSource, versions: readonly ReadVersion[]): Promise<TableFiles[]> {
  return filesOf(source, versions, "data", "table_name");
}

/** The rows that quality checks keep out of each topic's table, as `quarantine_<topic>`. */
export function quarantineTables(source: LakeSource, versions: readonly ReadVersion[]): Promise<TableFiles[]> {
  return filesOf(source, versions, "quarantine", "'quarantine_' || substr(table_name, length('silver_') + 1)");
}

async function filesOf(
  source: LakeSource,
  versions: readonly ReadVersion[],
  kind: FileKind,
  name: string,
): Promise<TableFiles[]> {
  const asOf = new Map(versions.map(({ table, version }) => [table, version]));
  const files = await source.query(
    `SELECT ${name} AS name, table_name, partition_date, file AS key, bytes, rows, added, removed FROM data_files
     WHERE kind = ${quoteText(kind)} AND added IS NOT NULL ORDER BY table_name, partition_date, file`,
  );
  const closed = await source.query(
    `SELECT ${name} AS name, table_name, partition_date, manifest FROM published WHERE manifest IS NOT NULL`,
  );
  const folded: CatalogRow[] = [];
  for (const row of closed) {
    const text = await source.read(String(row["manifest"]));
    if (text === undefined) continue;
    const { files: listed } = parseManifest(new TextDecoder().decode(text));
    const own = listed.filter((file) => file.kind === kind);
    folded.push(
      ...own.map(({ file, bytes, rows, added }) => ({ ...row, key: file, bytes, rows, added, removed: null })),
    );
  }
  const isLive = (row: CatalogRow): boolean => {
    const version = asOf.get(String(row["table_name"])) ?? 0;
    return Number(row["added"]) <= version && (row["removed"] === null || Number(row["removed"]) > version);
  };
  return byName([...files, ...folded].map((row) => ({ ...row, live: isLive(row) ? 1 : 0 })));
}

/** The bronze files of each topic that has any, as `bronze_<topic>`. */
export async function bronzeTables(source: LakeSource): Promise<TableFiles[]> {
  const rows = await source.query(
    `SELECT 'bronze_' || topic AS name, file AS key, bytes, rows, retired_by IS NULL AS live
     FROM bronze_files ORDER BY topic, file`,
  );
  const files = new Map<string, CatalogRow>();
  for (const { topic, file } of await foldedBronze(source)) {
    const row = { name: `bronze_${topic}`, key: file.file, bytes: file.bytes, live: file.retired === true ? 0 : 1 };
    // Of a file that dates share, the part that each date has.
    const rowsBefore = Number(files.get(file.file)?.["rows"] ?? 0);
    files.set(file.file, { ...row, rows: rowsBefore + file.rows });
  }
  const listed = new Set(rows.map((row) => row["key"]));
  return byName([...[...files.values()].filter((row) => !listed.has(row["key"])), ...rows]);
}

/** Those of these tables of the catalog that exist, whole. */
export async function stateTables(source: LakeSource, names: readonly string[]): Promise<StateTable[]> {
  const tables: StateTable[] = [];
  for (const [name, from] of Object.entries(STATE_TABLES)) {
    if (!names.includes(name)) continue;
    const columns = await source.query(`SELECT name, type FROM pragma_table_info('${name}') ORDER BY cid`);
    if (columns.length === 0) continue;
    tables.push({
      name,
      columns: columns.map((column) => ({ name: String(column["name"]), type: String(column["type"]) })),
      rows: [
        ...(name === "partition_sources" ? await foldedSources(source) : []),
        ...(await source.query(`SELECT * FROM ${from}`)),
      ],
    });
  }
  return tables;
}

function byName(rows: readonly CatalogRow[]): TableFiles[] {
  const groups = Map.groupBy(rows, (row) => String(row["name"]));
  return [...groups].map(([name, all]) => {
    const live = all.filter((row) => row["live"] === 1);
    const retired = all.at(-1);
    const table = { name, files: live.map(objectOf), rows: live.reduce((sum, row) => sum + Number(row["rows"]), 0) };
    return live.length > 0 || retired === undefined ? table : { ...table, schemaFile: objectOf(retired) };
  });
}

function objectOf(row: CatalogRow): LakeObject {
  return { key: String(row["key"]), bytes: Number(row["bytes"]) };
}
