/** The bronze files of a topic that can be read now: live ones in D1, and where those of folded dates stand. */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";

/** This date's rows in a file: [first_row, first_row + rows). */
export interface LiveFile {
  readonly partition_date: string;
  /** R2 key. */
  readonly file: string;
  readonly first_row: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface FoldedRows {
  readonly partition_date: string;
  /** R2 key of the date's manifest. */
  readonly manifest: string;
  /** Of this date, in files that are not retired. */
  readonly rows: number;
}

export interface LiveBronze {
  /** D1's clock as of the answer, milliseconds since the epoch. */
  readonly asOf: number;
  /** The highest registration of the topic. */
  readonly registration: number;
  /** By date. */
  readonly folded: readonly FoldedRows[];
  /** By date and key. */
  readonly files: readonly LiveFile[];
}

const remedy = "restore it with D1's Time Travel: the rows are found by it";

const FILES = rowsOf(
  { table: "bronze_file_dates", key: ["partition_date", "file"], remedy },
  (row): LiveFile => ({
    partition_date: row.date("partition_date"),
    file: row.text("file"),
    first_row: row.integer("first_row"),
    rows: row.integer("rows"),
    bytes: row.integer("bytes"),
  }),
);

const FOLDED = rowsOf(
  { table: "bronze_manifests", key: ["partition_date"], remedy },
  (row): FoldedRows => ({
    partition_date: row.date("partition_date"),
    manifest: row.text("manifest"),
    rows: row.integer("rows"),
  }),
);

const STATE = rowsOf({ table: "shards", key: [], remedy }, (row) => ({
  asOf: row.integer("as_of"),
  registration: row.integer("registration"),
}));

/** All of a topic's, as of one moment. Reads a row for each file that D1 lists as live, and for each folded date. */
export async function liveBronze(db: D1Database, topic: string): Promise<LiveBronze> {
  const [state, folded, files] = await db.batch<RowValues>([
    db
      .prepare(
        `SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS as_of, coalesce(max(registration), 0) AS registration
         FROM shards WHERE topic = ?`,
      )
      .bind(topic),
    db
      .prepare(
        `SELECT partition_date, manifest, live_rows AS rows FROM bronze_manifests WHERE topic = ? AND live_files > 0
         ORDER BY partition_date`,
      )
      .bind(topic),
    db
      .prepare(
        `SELECT d.partition_date, d.file, d.first_row, d.rows, f.bytes
         FROM bronze_files f INDEXED BY bronze_files_live CROSS JOIN bronze_file_dates d ON d.file = f.file
         WHERE f.topic = ?1 AND f.retired_by IS NULL ORDER BY d.partition_date, d.file`,
      )
      .bind(topic),
  ]);
  return { ...(STATE.in(state)[0] ?? { asOf: 0, registration: 0 }), folded: FOLDED.in(folded), files: FILES.in(files) };
}

const DATES = rowsOf(
  { table: "partition_inputs", key: ["partition_date"], remedy: "restore it with D1's Time Travel" },
  (row) => row.date("partition_date"),
);

/** The topic's dates behind `after` that ever had bronze, or this one of them, ascending; at most `limit`. */
export async function bronzeDates(
  db: D1Database,
  topic: string,
  date: string | null,
  after: string,
  limit: number,
): Promise<string[]> {
  return await DATES.all(
    db
      .prepare(
        `SELECT partition_date FROM partition_inputs WHERE domain = ?1 AND partition_date > ?2
           AND (?3 IS NULL OR partition_date = ?3) ORDER BY partition_date LIMIT ?4`,
      )
      .bind(topic, after, date, limit),
  );
}

/** What D1 has of some dates, as `liveBronze` gives it. Reads the rows of those dates. */
export async function liveBronzeOf(
  db: D1Database,
  topic: string,
  dates: readonly string[],
): Promise<Pick<LiveBronze, "folded" | "files">> {
  const list = JSON.stringify(dates);
  const [files, folded] = await db.batch<RowValues>([
    db
      .prepare(
        `SELECT d.partition_date, d.file, d.first_row, d.rows, f.bytes
         FROM json_each(?2) a CROSS JOIN bronze_file_dates d ON d.topic = ?1 AND d.partition_date = a.value JOIN bronze_files f USING (file)
         WHERE f.retired_by IS NULL ORDER BY d.partition_date, d.file`,
      )
      .bind(topic, list),
    db
      .prepare(
        `SELECT m.partition_date, m.manifest, m.live_rows AS rows FROM json_each(?2) a
         CROSS JOIN bronze_manifests m ON m.topic = ?1 AND m.partition_date = a.value WHERE m.live_files > 0 ORDER BY m.partition_date`,
      )
      .bind(topic, list),
  ]);
  return { files: FILES.in(files), folded: FOLDED.in(folded) };
}
