/** The tables of a TopicBuffer but for those that have a store of their own. A flush is a range of blocks: claiming them rewrites none, and costs one row. */

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS identity (one INTEGER PRIMARY KEY CHECK (one = 1), incarnation TEXT NOT NULL, next_seq INTEGER NOT NULL, listed INTEGER NOT NULL, forgotten_before INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, appended_at INTEGER NOT NULL, bytes BLOB NOT NULL, noted INTEGER NOT NULL DEFAULT 1);
  CREATE TABLE IF NOT EXISTS flushes (seq INTEGER PRIMARY KEY, step TEXT NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL, files TEXT, last_block INTEGER NOT NULL DEFAULT 0, stores_layout INTEGER NOT NULL DEFAULT 0, layout TEXT);
  CREATE TABLE IF NOT EXISTS flush_files (seq INTEGER NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, PRIMARY KEY (seq, number)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS flush_layouts (seq INTEGER NOT NULL, number INTEGER NOT NULL, piece TEXT NOT NULL, PRIMARY KEY (seq, number)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parked (seq INTEGER NOT NULL, message_id TEXT NOT NULL, hour TEXT NOT NULL, events INTEGER NOT NULL, cause TEXT NOT NULL, detail TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (seq, message_id)) WITHOUT ROWID;
`;

/** Makes what is missing. To be called before anything else, without a pause: what one turn writes is written together. */
export function prepareSchema(sql: Pick<SqlStorage, "exec">): void {
  sql.exec(SCHEMA);
  if (!hasColumn(sql, "flushes", "last_block")) {
    // An object from when each block named its flush.
    sql.exec("ALTER TABLE flushes ADD COLUMN last_block INTEGER NOT NULL DEFAULT 0");
    sql.exec(
      "UPDATE flushes SET last_block = coalesce((SELECT max(id) FROM blocks WHERE blocks.seq = flushes.seq), 0)",
    );
  }
  // An object from when flushes were laid out anew by each try: a flush that stands there then may have been put in part.
  if (!hasColumn(sql, "flushes", "layout")) {
    sql.exec("ALTER TABLE flushes ADD COLUMN stores_layout INTEGER NOT NULL DEFAULT 0");
    sql.exec("ALTER TABLE flushes ADD COLUMN layout TEXT");
  }
  // An object from when each append noted its messages: what it holds is noted.
  if (!hasColumn(sql, "blocks", "noted")) sql.exec("ALTER TABLE blocks ADD COLUMN noted INTEGER NOT NULL DEFAULT 1");
}

/** Whether a table, named in the code, has a column. */
export function hasColumn(sql: Pick<SqlStorage, "exec">, table: string, column: string): boolean {
  return sql
    .exec<{ name: string }>(`PRAGMA table_info(${table})`)
    .toArray()
    .some(({ name }) => name === column);
}
