/** Partitions that cannot be built again: what their published snapshot stands on. */
import * as z from "zod";
import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";
import { OUTCOME_TERMS, type OutcomeLine } from "./ledger-outcomes.ts";

interface StoredFile {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
}

interface HourOfEvents {
  readonly hour: string;
  readonly events: number;
}

export interface SealedSnapshot {
  readonly rows: number;
  /** The bronze files that it was built of. */
  readonly inputs: readonly string[];
  readonly files: readonly StoredFile[];
  readonly quarantineFiles: readonly StoredFile[];
  /** The ledger's terms of the partition. */
  readonly duplicates: readonly HourOfEvents[];
  readonly outcomes: readonly OutcomeLine[];
}

const remedy = "restore it with D1's Time Travel: a sealed partition cannot be built again";
const TERM_KEY = ["topic", "partition_date", "hour"] as const;

const SNAPSHOTS = rowsOf({ table: "snapshots", key: ["snapshot_id"], remedy }, (row) => ({
  rows: row.integer("rows"),
  inputs: row.json("inputs", z.array(z.object({ file: z.string() }))),
}));

const FILES = rowsOf(
  { table: "snapshot_files", key: ["file"], remedy },
  (row): StoredFile => ({ file: row.text("file"), rows: row.integer("rows"), bytes: row.integer("bytes") }),
);

const DUPLICATES = rowsOf(
  { table: "ledger_duplicates", key: TERM_KEY, remedy },
  (row): HourOfEvents => ({ hour: row.time("hour"), events: row.integer("events") }),
);

const OUTCOMES = rowsOf(
  { table: "ledger_outcomes", key: TERM_KEY, remedy },
  (row): OutcomeLine => ({
    hour: row.time("hour"),
    term: row.oneOf("term", OUTCOME_TERMS),
    events: row.integer("events"),
    replayed: row.integer("replayed"),
  }),
);

/** The published snapshot of a topic's partition, read at one moment; undefined when there is none. */
export async function sealedSnapshot(
  db: D1Database,
  table: string,
  topic: string,
  date: string,
): Promise<SealedSnapshot | undefined> {
  const published = "JOIN published p USING (snapshot_id) WHERE p.table_name = ? AND p.partition_date = ?";
  const filesOf = (name: "snapshot_files" | "quarantine_files") =>
    db.prepare(`SELECT f.file, f.rows, f.bytes FROM ${name} f ${published} ORDER BY f.file`).bind(table, date);
  const termsOf = (select: string) =>
    db.prepare(`${select} WHERE topic = ? AND partition_date = ? AND events > 0 ORDER BY hour`).bind(topic, date);
  const [snapshot, files, quarantine, duplicates, outcomes] = await db.batch<RowValues>([
    db.prepare(`SELECT s.snapshot_id, s.rows, s.inputs FROM snapshots s ${published}`).bind(table, date),
    filesOf("snapshot_files"),
    filesOf("quarantine_files"),
    termsOf("SELECT topic, partition_date, hour, events FROM ledger_duplicates"),
    termsOf("SELECT topic, partition_date, hour, term, events, replayed FROM ledger_outcomes"),
  ]);
  const [row] = SNAPSHOTS.in(snapshot);
  if (row === undefined) return undefined;
  return {
    rows: row.rows,
    inputs: row.inputs.map(({ file }) => file),
    files: FILES.in(files),
    quarantineFiles: FILES.in(quarantine),
    duplicates: DUPLICATES.in(duplicates),
    outcomes: OUTCOMES.in(outcomes),
  };
}
