/** SQL that publishes a version as a commit leaves it in D1, for tests of what reads it. */

export interface StoredVersion {
  readonly table: string;
  readonly version: number;
  readonly date: string;
  readonly rows?: number;
  /** ISO 8601 UTC. */
  readonly at?: string;
  /** Of which the partition consists now: those that it had before are removed. */
  readonly files?: readonly {
    readonly file: string;
    readonly rows: number;
    readonly bytes: number;
    readonly kind?: string;
  }[];
}

export function versionSql(stored: StoredVersion): string {
  const { table, version, date, rows = 1, at = "2026-11-21T12:00:00.000Z", files = [] } = stored;
  const partition = `table_name = '${table}' AND partition_date = '${date}'`;
  const added = files.map(
    ({ file, kind = "data", rows: fileRows, bytes }) =>
      `INSERT INTO data_files (table_name, partition_date, file, kind, added, rows, bytes)
         VALUES ('${table}', '${date}', '${file}', '${kind}', ${version}, ${fileRows}, ${bytes});`,
  );
  return `
    INSERT INTO versions (table_name, version, partition_date, run_id, fence, kind, rows, rows_added, digest, committed_at)
      VALUES ('${table}', ${version}, '${date}', 'r${version}', ${version}, 'commit', ${rows}, ${rows}, 'd', '${at}');
    UPDATE data_files SET removed = ${version} WHERE ${partition} AND removed IS NULL;
    ${added.join("\n")}
    INSERT INTO published (table_name, partition_date, version, rows) VALUES ('${table}', '${date}', ${version}, ${rows})
      ON CONFLICT DO UPDATE SET version = excluded.version, rows = excluded.rows;`;
}
