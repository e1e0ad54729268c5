/** The ids of noted messages in a shard's SQLite: packed per hour of the id, in chunks of some time each. */
import { hourOf, type NotedIds, packIds } from "./remembered-ids.ts";
import { hasColumn } from "./schema.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS message_ids (hour INTEGER NOT NULL, chunk INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (hour, chunk)) WITHOUT ROWID`;

/** Ids in a row, of sixteen bytes: each flush rewrites the row that it grows, some four pages of SQLite; each new row is one more to pay for. */
export const IDS_A_CHUNK = 1_024;
const CHUNK_BYTES = IDS_A_CHUNK * 16;

export class NotedIdStore implements NotedIds {
  readonly #sql: Pick<SqlStorage, "exec">;

  constructor(sql: Pick<SqlStorage, "exec">) {
    this.#sql = sql;
    sql.exec(SCHEMA);
    // Chunks from when all ids of an hour were read into memory may have any of their hour.
    if (!hasColumn(sql, "message_ids", "last")) {
      sql.exec("ALTER TABLE message_ids ADD COLUMN first INTEGER NOT NULL DEFAULT 0");
      sql.exec(`ALTER TABLE message_ids ADD COLUMN last INTEGER NOT NULL DEFAULT ${Number.MAX_SAFE_INTEGER}`);
    }
  }

  *madeBetween(hour: number, first: number, last: number): Generator<Uint8Array> {
    for (const { packed } of this.#sql.exec<{ packed: ArrayBuffer }>(
      "SELECT packed FROM message_ids WHERE hour = ? AND first <= ? AND last >= ?",
      ...[hour, last, first],
    )) {
      yield new Uint8Array(packed);
    }
  }

  /** To be called in the transaction that notes the messages. */
  add(messageIds: readonly string[]): void {
    // Ascending, so that each chunk has the ids of a short time.
    for (const [hour, ids] of Map.groupBy(messageIds.toSorted(), hourOf)) {
      for (let at = 0; at < ids.length; at += IDS_A_CHUNK) this.#addChunk(hour, ids.slice(at, at + IDS_A_CHUNK));
    }
  }

  #addChunk(hour: number, ascending: readonly string[]): void {
    const { first, last, packed } = packIds(ascending);
    const newest = this.#sql
      .exec<{ chunk: number; packed: ArrayBuffer }>(
        "SELECT chunk, packed FROM message_ids WHERE hour = ? ORDER BY chunk DESC LIMIT 1",
        hour,
      )
      .toArray()[0];
    if (newest === undefined || newest.packed.byteLength + packed.byteLength > CHUNK_BYTES) {
      this.#sql.exec(
        "INSERT INTO message_ids (hour, chunk, first, last, packed) VALUES (?, ?, ?, ?, ?)",
        ...[hour, (newest?.chunk ?? 0) + 1, first, last, packed],
      );
      return;
    }
    const grown = new Uint8Array(newest.packed.byteLength + packed.byteLength);
    grown.set(new Uint8Array(newest.packed));
    grown.set(packed, newest.packed.byteLength);
    this.#sql.exec(
      "UPDATE message_ids SET packed = ?, first = min(first, ?), last = max(last, ?) WHERE hour = ? AND chunk = ?",
      ...[grown, first, last, hour, newest.chunk],
    );
  }

  forgetBefore(hour: number): void {
    this.#sql.exec("DELETE FROM message_ids WHERE hour < ?", hour);
    this.#sql.exec("UPDATE identity SET forgotten_before = ?1 WHERE forgotten_before < ?1", hour);
  }

  /** The newest hour of a noted id; null: there is none. */
  newestHour(): number | null {
    return this.#sql.exec<{ hour: number | null }>("SELECT max(hour) AS hour FROM message_ids").one().hour;
  }

  forgottenBefore(): number {
    return this.#sql.exec<{ hour: number }>("SELECT forgotten_before AS hour FROM identity").one().hour;
  }
}
