/** The files of tables: rows of `data_files`, live from the version that added them until the one that removed them. */
import * as z from "zod";
import { rowsOf } from "../rows/row.ts";
import type { Guard } from "./guard.ts";

const bound = z.union([z.string(), z.number(), z.boolean()]);

/** Bounds and nulls of columns, as `lakehouse/engine/parquet/column-statistics.ts` takes them from the file. */
export const storedStatistics = z.record(
  z.string(),
  z.object({ min: bound.optional(), max: bound.optional(), nulls: z.int() }),
);

export type StoredStatistics = z.infer<typeof storedStatistics>;

/**
 * Which rows a file has that compaction made of others (`lakehouse/tables/row-order.ts`): the version and the file that its first row
 * came with, and how many rows of which version follow each other in it.
 */
export const storedHolds = z.object({
  version: z.int(),
  file: z.string(),
  rows: z.array(z.tuple([z.int(), z.int().positive()])),
});

export type Holds = z.infer<typeof storedHolds>;

export interface DataFile {
  /** R2 key. */
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  /** Absent where it is not known, and for what is no Parquet. */
  readonly stats?: StoredStatistics | undefined;
  /** Absent: its rows came with the version that added it. */
  readonly holds?: Holds | undefined;
}

export const FILE_KINDS = ["data", "quarantine"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

export interface AddedFile extends DataFile {
  readonly kind: FileKind;
}

/** What a commit does to the files of its partition. */
export interface FileChanges {
  readonly added: readonly AddedFile[];
  /** The build whose candidate becomes live with it. */
  readonly candidate?: string;
  /** R2 keys; or all that are live. */
  readonly removed: "all" | readonly string[];
}

/** An SQL expression: the newest version of table ?5, which a commit inserts before it says what changes with it. */
export const NEWEST = "(SELECT max(version) FROM versions WHERE table_name = ?5)";

/** Statements of a commit, behind the insertion of its version. */
export function fileStatements(table: string, changes: FileChanges, { held, prepare }: Guard): D1PreparedStatement[] {
  const { added, candidate, removed } = changes;
  const live = `UPDATE data_files SET removed = ${NEWEST}
    WHERE table_name = ?5 AND partition_date = ?2 AND added IS NOT NULL AND removed IS NULL AND ${held}`;
  const statements: D1PreparedStatement[] = [];
  if (removed === "all") statements.push(prepare(live, table));
  else if (removed.length > 0)
    statements.push(prepare(`${live} AND file IN (SELECT value FROM json_each(?6))`, table, JSON.stringify(removed)));
  if (added.length > 0)
    statements.push(
      prepare(
        `${INSERT}) SELECT ?5, ?2, ${COLUMNS}, ${NEWEST} FROM json_each(?6) WHERE ${held}`,
        table,
        JSON.stringify(added),
      ),
    );
  if (candidate !== undefined)
    statements.push(
      prepare(
        `UPDATE data_files SET added = ${NEWEST} WHERE table_name = ?5 AND partition_date = ?2 AND candidate = ?6 AND added IS NULL AND ${held}`,
        table,
        candidate,
      ),
    );
  return statements;
}

/** Lists the files of a step under its candidate: no version has them. */
export function candidateFiles(
  table: string,
  candidate: string,
  files: readonly AddedFile[],
  { held, prepare }: Guard,
): D1PreparedStatement[] {
  if (files.length === 0) return [];
  return [
    prepare(
      `${INSERT}, candidate) SELECT ?5, ?2, ${COLUMNS}, NULL, ?6 FROM json_each(?7) WHERE ${held}`,
      table,
      candidate,
      JSON.stringify(files),
    ),
  ];
}

const CANDIDATE_FILES = rowsOf({ table: "data_files", key: ["file"], remedy: "build the partition again" }, (row) => ({
  file: row.text("file"),
  kind: row.oneOf("kind", FILE_KINDS),
}));

/** The files of a candidate so far, of every kind. */
export async function filesOfCandidate(
  db: D1Database,
  table: string,
  date: string,
  candidate: string,
): Promise<readonly Pick<AddedFile, "file" | "kind">[]> {
  return await CANDIDATE_FILES.all(
    db
      .prepare(
        `SELECT file, kind FROM data_files WHERE table_name = ? AND partition_date = ? AND candidate = ? AND added IS NULL ORDER BY file`,
      )
      .bind(table, date, candidate),
  );
}

const INSERT = "INSERT INTO data_files (table_name, partition_date, file, kind, rows, bytes, stats, holds, added";
const COLUMNS = ["file", "kind", "rows", "bytes", "stats", "holds"].map((name) => `value ->> '${name}'`).join(", ");

/** A file that is, or was, live. */
export interface FileRow extends AddedFile {
  readonly partition_date: string;
  /** The version that it came with. */
  readonly added: number;
}

/** Of `FILE_COLUMNS`. */
export const FILE_ROWS = rowsOf(
  { table: "data_files", key: ["partition_date", "file"], remedy: "build the partition again" },
  (row): FileRow => {
    const stats = row.jsonOrNull("stats", storedStatistics);
    const holds = row.jsonOrNull("holds", storedHolds);
    return {
      partition_date: row.date("partition_date"),
      file: row.text("file"),
      kind: row.oneOf("kind", FILE_KINDS),
      added: row.integer("added"),
      rows: row.count("rows"),
      bytes: row.count("bytes"),
      ...(stats === null ? {} : { stats }),
      ...(holds === null ? {} : { holds }),
    };
  },
);

export const FILE_COLUMNS = "f.partition_date, f.file, f.kind, f.added, f.rows, f.bytes, f.stats, f.holds";
/** The same without statistics: those of a large partition's files are a megabyte of objects. */
export const FILE_COLUMNS_ALONE = "f.partition_date, f.file, f.kind, f.added, f.rows, f.bytes, NULL AS stats, f.holds";

/** An SQL condition: the row `f` of data_files is of version `version`, an expression. */
export function isLiveAt(version: string): string {
  return `f.added <= ${version} AND (f.removed IS NULL OR f.removed > ${version})`;
}
