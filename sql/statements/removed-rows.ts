/** What a topic's silver leaves out of its bronze: copies, by hour, and the files of the quarantine, as statements of the commit. */

export interface RemovedRows {
  readonly topic: string;
  /** By hour of reception. */
  readonly duplicates: readonly HourOfEvents[];
  /** Where the quarantined rows stand. */
  readonly files: readonly { readonly file: string; readonly rows: number; readonly bytes: number }[];
}

interface HourOfEvents {
  readonly hour: string;
  readonly events: number;
}

/** Prepares a statement whose ?1 to ?4 are the commit's lease, and in which `held` says that the lease still stands. */
export interface Guard {
  readonly held: string;
  prepare(sql: string, ...values: (string | number | null)[]): D1PreparedStatement;
}

/** Replaces the partition's terms as a whole, and lists the files under the snapshot. */
export function removedRowsStatements(removed: RemovedRows, snapshotId: string, guard: Guard): D1PreparedStatement[] {
  return [
    ...replaceDuplicates(removed.topic, removed.duplicates, guard),
    guard.prepare(
      `INSERT INTO quarantine_files (snapshot_id, file, rows, bytes)
       SELECT ?5, value ->> 'file', value ->> 'rows', value ->> 'bytes' FROM json_each(?6) WHERE ${guard.held}`,
      snapshotId,
      JSON.stringify(removed.files),
    ),
  ];
}

function replaceDuplicates(topic: string, byHour: readonly HourOfEvents[], guard: Guard): D1PreparedStatement[] {
  const hours = JSON.stringify(byHour);
  return [
    // An hour that has none any more is set to zero rather than deleted, so that the ledger's trigger sees it.
    guard.prepare(
      `UPDATE ledger_duplicates SET events = 0 WHERE topic = ?5 AND partition_date = ?2
         AND hour NOT IN (SELECT value ->> 'hour' FROM json_each(?6)) AND ${guard.held}`,
      topic,
      hours,
    ),
    guard.prepare(
      `INSERT INTO ledger_duplicates (topic, partition_date, hour, events)
       SELECT ?5, ?2, value ->> 'hour', value ->> 'events' FROM json_each(?6) WHERE ${guard.held}
       ON CONFLICT DO UPDATE SET events = excluded.events`,
      topic,
      hours,
    ),
  ];
}
