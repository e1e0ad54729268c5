/** Partitions that cannot be built again: what their published version stands on. */
import { rowsOf } from "../rows/row.ts";
import { bronzeTerms, type HourOfEvents, type OutcomeLine } from "./bronze-terms.ts";

export interface SealedPartition {
  readonly rows: number;
  /** Bronze files of a higher registration came later. */
  readonly seen: number;
  readonly digest: string;
  readonly generation: string | null;
  /** How many files of flushes it was built from. */
  readonly inputs: number;
  /** The ledger's terms of the partition. */
  readonly duplicates: readonly HourOfEvents[];
  readonly outcomes: readonly OutcomeLine[];
}

const SEALED = rowsOf(
  {
    table: "versions",
    key: ["table_name", "version"],
    remedy: "restore it with D1's Time Travel: a sealed partition cannot be built again",
  },
  (row): SealedPartition => ({
    rows: row.count("rows"),
    seen: row.integer("seen"),
    digest: row.text("digest"),
    generation: row.textOrNull("generation"),
    inputs: row.integer("inputs"),
    ...row.json("terms", bronzeTerms),
  }),
);

/** The published version of a topic's partition; undefined when there is none. */
export async function sealedPartition(
  db: D1Database,
  table: string,
  topic: string,
  date: string,
): Promise<SealedPartition | undefined> {
  const row = await SEALED.first(
    db
      .prepare(
        `SELECT table_name, version, v.rows, v.seen, v.digest, v.generation, v.terms, coalesce(m.source_files, 0) AS inputs
         FROM published p JOIN versions v USING (table_name, version)
         LEFT JOIN partition_meta m ON m.domain = ?3 AND m.partition_date = p.partition_date
         WHERE p.table_name = ?1 AND p.partition_date = ?2`,
      )
      .bind(table, date, topic),
  );
  return row ?? undefined;
}
