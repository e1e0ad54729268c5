/** Which rows of bronze D1 lists for a partition, in the order of their positions, and where they stand (`lakehouse/tables/bronze/inputs.ts` gives them all). */
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";

/**
 * Rows of one bronze partition, as a flush wrote them: `registration`, `file`, `first_row` and `rows` name them for good, and the
 * position of the n-th is (registration, first_row + n). Where they stand now is `stored_file` and `stored_row`: another file
 * once they were compacted.
 */
export interface BronzeInput {
  /** The number of the flush among those of its topic: grows with each registration, is never given twice. */
  readonly registration: number;
  readonly file: string;
  readonly first_row: number;
  readonly rows: number;
  readonly stored_file: string;
  readonly stored_row: number;
}

const INPUTS = rowsOf(
  {
    table: "bronze_file_dates",
    key: ["file", "registration"],
    remedy: "restore it with D1's Time Travel: the rows are found by it",
  },
  (row): BronzeInput => ({
    registration: row.integer("registration"),
    file: row.text("file"),
    first_row: row.count("first_row"),
    rows: row.count("rows"),
    stored_file: row.text("stored_file"),
    stored_row: row.count("stored_row"),
  }),
);

const FOLDED = rowsOf(
  {
    table: "bronze_manifests",
    key: ["topic", "partition_date"],
    remedy: "restore it with D1's Time Travel: the rows are found by it",
  },
  (row) => ({ manifest: row.text("manifest"), through: row.integer("through") }),
);

/**
 * The inputs among `flushed`, placed. A compacted file holds, for each date, the rows of the files it replaced one after another in
 * the order of their names. That is the order of their registrations too, since a compaction takes the files of one incarnation;
 * older compacted files hold those of several.
 */
const PLACED = `SELECT f.registration, f.file, f.first_row, f.rows, coalesce(c.file, f.file) AS stored_file,
    coalesce(c.first_row + sum(f.rows) OVER (PARTITION BY c.file ORDER BY f.file) - f.rows, f.first_row) AS stored_row
  FROM flushed f LEFT JOIN bronze_file_dates c
    ON c.topic = ?1 AND c.partition_date = ?2 AND c.registration = 0 AND c.file = f.retired_by`;

const FLUSHED = `SELECT d.registration, d.file, d.first_row, d.rows, f.retired_by
  FROM bronze_file_dates d JOIN bronze_files f USING (file) WHERE d.topic = ?1 AND d.partition_date = ?2`;

const LAST = Number.MAX_SAFE_INTEGER;

/** So many inputs are given at once at the most: a build asks for each, and a Worker may ask for a few thousand objects. */
export const MAX_INPUTS = 1_000;

export interface UnseenInputs {
  /** In the order of registration. */
  readonly inputs: readonly BronzeInput[];
  /** The registration through which everything is seen once these are: of the last input, or as it was when there is none. */
  readonly through: number;
  /** Whether there are inputs behind these. */
  readonly more: boolean;
}

/** What D1 lists of a partition. */
export interface ListedInputs {
  /** The manifest that has the inputs up to registration `through`; undefined: D1 has all. */
  readonly folded: { readonly manifest: string; readonly through: number } | undefined;
  /** In the order of registration. */
  readonly inputs: readonly BronzeInput[];
}

/**
 * The inputs of a partition in D1 that were registered behind `seen`, the oldest first, at most `limit` (null: all), and where those are that
 * it gave up, as of one moment. Reads those inputs, and of the compacted file that `seen` cuts the ones before it.
 */
export async function listedInputs(
  db: D1Database,
  topic: string,
  date: string,
  seen: number,
  limit: number | null,
): Promise<ListedInputs> {
  const inputs =
    seen === 0 && limit === null
      ? db
          .prepare(`WITH flushed AS (${FLUSHED} AND d.registration > 0) ${PLACED} ORDER BY f.registration`)
          .bind(topic, date)
      : db
          .prepare(
            // What stands before an input in its compacted file are inputs with lower registrations, or any where the order is another.
            `WITH unseen AS MATERIALIZED (${FLUSHED} AND d.registration > ?3 ORDER BY d.registration LIMIT ?4),
         beside AS (SELECT min(coalesce(c.first_registration, 1)) AS first, iif(count(c.first_registration) = count(*), ?3, ${LAST}) AS last
                    FROM unseen u JOIN compactions c ON c.file = u.retired_by),
         flushed AS (SELECT * FROM unseen
                     UNION ${FLUSHED} AND d.registration BETWEEN max(1, (SELECT first FROM beside)) AND (SELECT last FROM beside))
       SELECT * FROM (${PLACED}) WHERE registration > ?3 ORDER BY registration LIMIT ?4`,
          )
          .bind(topic, date, seen, limit ?? LAST);
  const [folded, listed] = await db.batch<RowValues>([
    db
      .prepare(
        "SELECT topic, partition_date, manifest, through FROM bronze_manifests WHERE topic = ? AND partition_date = ?",
      )
      .bind(topic, date),
    inputs,
  ]);
  return { folded: FOLDED.in(folded)[0], inputs: INPUTS.in(listed) };
}

/** The first inputs that have no more rows together; the first one anyway. Pure. */
export function firstRows(inputs: readonly BronzeInput[], limitRows: number): readonly BronzeInput[] {
  let rows = 0;
  const past = inputs.findIndex((input, n) => {
    rows += input.rows;
    return n > 0 && rows > limitRows;
  });
  return past < 0 ? inputs : inputs.slice(0, past);
}
