/** Partitions that cannot be built again: what their published snapshot stands on. */
import type { OutcomeLine } from "./ledger-outcomes.ts";

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
  const [snapshot, files, quarantine, duplicates, outcomes] = await db.batch<
    StoredFile & OutcomeLine & { readonly inputs: string }
  >([
    db.prepare(`SELECT s.rows, s.inputs FROM snapshots s ${published}`).bind(table, date),
    filesOf("snapshot_files"),
    filesOf("quarantine_files"),
    termsOf("SELECT hour, events FROM ledger_duplicates"),
    termsOf("SELECT hour, term, events, replayed FROM ledger_outcomes"),
  ]);
  const row = snapshot?.results[0];
  if (row === undefined) return undefined;
  const inputs: { readonly file: string }[] = JSON.parse(row.inputs);
  return {
    rows: row.rows,
    inputs: inputs.map(({ file }) => file),
    files: files?.results ?? [],
    quarantineFiles: quarantine?.results ?? [],
    duplicates: duplicates?.results ?? [],
    outcomes: outcomes?.results ?? [],
  };
}
