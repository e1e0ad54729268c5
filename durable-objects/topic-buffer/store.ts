/** The SQLite of a TopicBuffer: a method a query, its meaning in words. Nothing here decides. */
import type { BlockSource } from "../../lakehouse/bronze/row-runs.ts";
import type { BronzeFile } from "../../sql/statements/bronze.ts";
import type { Unflushed } from "../stubs.ts";
import { ArrivalStore } from "./arrival-store.ts";
import type { BufferState, FlushState } from "./machine.ts";
import type { IdStore } from "./remembered-ids.ts";

/** Under the 2 MB limit of a blob, with room for the row around it. */
const BLOCK_BYTES = 1_900_000;
/** 4,096 ids in a row: growing a packed row rewrites it, so it must stay small. */
const ID_CHUNK_BYTES = 65_536;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS identity (one INTEGER PRIMARY KEY CHECK (one = 1), incarnation TEXT NOT NULL, next_seq INTEGER NOT NULL, listed INTEGER NOT NULL, forgotten_before INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, seq INTEGER, rows INTEGER NOT NULL, appended_at INTEGER NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS message_ids (hour INTEGER NOT NULL, chunk INTEGER NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (hour, chunk)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger (hour TEXT NOT NULL, detail TEXT NOT NULL, events INTEGER NOT NULL, published INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (hour, detail)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS flushes (seq INTEGER PRIMARY KEY, step TEXT NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL, files TEXT);
`;

export interface LedgerLine {
  readonly hour: string;
  readonly detail: string;
  readonly events: number;
}

export class BufferStore implements IdStore {
  readonly arrivals: ArrivalStore;
  readonly #sql: Pick<SqlStorage, "exec">;

  constructor(sql: Pick<SqlStorage, "exec">) {
    this.#sql = sql;
    sql.exec(SCHEMA);
    this.arrivals = new ArrivalStore(sql);
  }

  /** The object's incarnation, made at its first use: sequence numbers restart when an object is reset, file names must not. */
  incarnation(make: () => string): string {
    this.#sql.exec("INSERT OR IGNORE INTO identity VALUES (1, ?, 1, 0, 0)", make());
    return this.#sql.exec<{ incarnation: string }>("SELECT incarnation FROM identity").one().incarnation;
  }

  /** Whether D1's `shards` has this shard. */
  isListed(): boolean {
    return this.#sql.exec<{ listed: number }>("SELECT listed FROM identity").one().listed === 1;
  }

  markListed(): void {
    this.#sql.exec("UPDATE identity SET listed = 1");
  }

  /** Appends frames as open blocks of at most 1.9 MB: a row per block, never per event. */
  appendFrames(frames: readonly { readonly bytes: Uint8Array; readonly rows: number }[], now: number): void {
    let pending: Uint8Array[] = [];
    let bytes = 0;
    let rows = 0;
    const write = (): void => {
      if (rows === 0) return;
      const block = new Uint8Array(bytes);
      let at = 0;
      for (const frame of pending) {
        block.set(frame, at);
        at += frame.byteLength;
      }
      this.#sql.exec("INSERT INTO blocks (seq, rows, appended_at, bytes) VALUES (NULL, ?, ?, ?)", rows, now, block);
      pending = [];
      bytes = 0;
      rows = 0;
    };
    for (const frame of frames) {
      if (bytes + frame.bytes.byteLength > BLOCK_BYTES) write();
      pending.push(frame.bytes);
      bytes += frame.bytes.byteLength;
      rows += frame.rows;
    }
    write();
  }

  /** Adds to the running totals of appended events; a changed total is unpublished again. */
  countEvents(lines: readonly LedgerLine[]): void {
    for (const { hour, detail, events } of lines) {
      this.#sql.exec(
        "INSERT INTO ledger (hour, detail, events) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events",
        hour,
        detail,
        events,
      );
    }
  }

  /** Totals that D1 does not have yet. */
  unpublishedLedger(): LedgerLine[] {
    return this.#sql
      .exec<{ hour: string; detail: string; events: number }>(
        "SELECT hour, detail, events FROM ledger WHERE published <> events",
      )
      .toArray();
  }

  /** Notes what D1 now has; a total that grew meanwhile stays unpublished. */
  markPublished(lines: readonly LedgerLine[]): void {
    for (const { hour, detail, events } of lines) {
      this.#sql.exec("UPDATE ledger SET published = ? WHERE hour = ? AND detail = ?", events, hour, detail);
    }
  }

  state(): BufferState {
    const open = this.#sql
      .exec<{ rows: number | null; bytes: number | null; oldest: number | null }>(
        "SELECT sum(rows) AS rows, sum(length(bytes)) AS bytes, min(appended_at) AS oldest FROM blocks WHERE seq IS NULL",
      )
      .one();
    return { open: { rows: open.rows ?? 0, bytes: open.bytes ?? 0, oldestAt: open.oldest }, flush: this.#flush() };
  }

  /** Open and frozen blocks: a flush drops its own once D1 has the files. */
  unflushed(): Unflushed {
    const { events, oldest } = this.#sql
      .exec<{ events: number | null; oldest: number | null }>(
        "SELECT sum(rows) AS events, min(appended_at) AS oldest FROM blocks",
      )
      .one();
    return { events: events ?? 0, oldestAppended: oldest };
  }

  #flush(): FlushState | null {
    const row = this.#sql
      .exec<{ seq: number; step: string; attempts: number; not_before: number }>(
        "SELECT seq, step, attempts, not_before FROM flushes ORDER BY seq LIMIT 1",
      )
      .toArray()[0];
    if (row === undefined) return null;
    const { step } = row;
    if (step !== "frozen" && step !== "written" && step !== "registered")
      throw new Error(`flush ${row.seq} stands at an unknown step "${step}"`);
    return { seq: row.seq, step, attempts: row.attempts, notBefore: row.not_before };
  }

  /** Claims the oldest open blocks, up to the limits but at least one, for the next sequence number. */
  freeze(maxBytes: number, maxRows: number): number {
    const seq = this.#sql.exec<{ next_seq: number }>("SELECT next_seq FROM identity").one().next_seq;
    let bytes = 0;
    let rows = 0;
    let last: number | undefined;
    for (const block of this.#sql.exec<{ id: number; rows: number; size: number }>(
      "SELECT id, rows, length(bytes) AS size FROM blocks WHERE seq IS NULL ORDER BY id",
    )) {
      if (last !== undefined && (bytes + block.size > maxBytes || rows + block.rows > maxRows)) break;
      bytes += block.size;
      rows += block.rows;
      last = block.id;
    }
    if (last === undefined) throw new Error("freeze without an open block");
    this.#sql.exec("UPDATE blocks SET seq = ? WHERE seq IS NULL AND id <= ?", seq, last);
    this.#sql.exec("INSERT INTO flushes (seq, step, attempts, not_before) VALUES (?, 'frozen', 0, 0)", seq);
    this.#sql.exec("UPDATE identity SET next_seq = next_seq + 1");
    return seq;
  }

  /** The frozen blocks of a flush: each read is one row, and holds one block. */
  frozenBlocks(seq: number): BlockSource {
    const ids = this.#sql.exec<{ id: number }>("SELECT id FROM blocks WHERE seq = ? ORDER BY id", seq).toArray();
    return {
      count: ids.length,
      read: (block) => {
        const { bytes } = this.#sql
          .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM blocks WHERE id = ?", ids[block]?.id ?? null)
          .one();
        return new Uint8Array(bytes);
      },
    };
  }

  /** Blocks that D1 knows no file of, in append order, read one at a time. */
  *unregisteredBlocks(): Generator<{ readonly bytes: Uint8Array; readonly appendedAt: number }> {
    const ids = this.#sql
      .exec<{ id: number; at: number }>(
        `SELECT id, appended_at AS at FROM blocks LEFT JOIN flushes USING (seq)
          WHERE step IS NULL OR step <> 'registered' ORDER BY id`,
      )
      .toArray();
    for (const { id, at } of ids) {
      const { bytes } = this.#sql.exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM blocks WHERE id = ?", id).one();
      yield { bytes: new Uint8Array(bytes), appendedAt: at };
    }
  }

  markWritten(seq: number, files: readonly BronzeFile[]): void {
    this.#sql.exec(
      "UPDATE flushes SET step = 'written', attempts = 0, not_before = 0, files = ? WHERE seq = ?",
      JSON.stringify(files),
      seq,
    );
  }

  /** The files of a written flush: the outbox that registration retries from. */
  writtenFiles(seq: number): BronzeFile[] {
    const { files } = this.#sql.exec<{ files: string | null }>("SELECT files FROM flushes WHERE seq = ?", seq).one();
    if (files === null) throw new Error(`flush ${seq} has no files to register`);
    return JSON.parse(files);
  }

  markRegistered(seq: number): void {
    this.#sql.exec("UPDATE flushes SET step = 'registered', attempts = 0, not_before = 0 WHERE seq = ?", seq);
  }

  /** Drops a registered flush and its blocks; the message ids stay for their time. */
  forget(seq: number): void {
    this.#sql.exec("DELETE FROM blocks WHERE seq = ?", seq);
    this.#sql.exec("DELETE FROM flushes WHERE seq = ?", seq);
  }

  noteFailure(seq: number, notBefore: number): void {
    this.#sql.exec("UPDATE flushes SET attempts = attempts + 1, not_before = ? WHERE seq = ?", notBefore, seq);
  }

  loadIds(hour: number): Uint8Array {
    const chunks = this.#sql
      .exec<{ packed: ArrayBuffer }>("SELECT packed FROM message_ids WHERE hour = ? ORDER BY chunk", hour)
      .toArray();
    const all = new Uint8Array(chunks.reduce((sum, { packed }) => sum + packed.byteLength, 0));
    let at = 0;
    for (const { packed } of chunks) {
      all.set(new Uint8Array(packed), at);
      at += packed.byteLength;
    }
    return all;
  }

  addIds(hour: number, packed: Uint8Array): void {
    const last = this.#sql
      .exec<{ chunk: number; packed: ArrayBuffer }>(
        "SELECT chunk, packed FROM message_ids WHERE hour = ? ORDER BY chunk DESC LIMIT 1",
        hour,
      )
      .toArray()[0];
    if (last === undefined || last.packed.byteLength + packed.byteLength > ID_CHUNK_BYTES) {
      this.#sql.exec("INSERT INTO message_ids VALUES (?, ?, ?)", hour, (last?.chunk ?? 0) + 1, packed);
      return;
    }
    const grown = new Uint8Array(last.packed.byteLength + packed.byteLength);
    grown.set(new Uint8Array(last.packed));
    grown.set(packed, last.packed.byteLength);
    this.#sql.exec("UPDATE message_ids SET packed = ? WHERE hour = ? AND chunk = ?", grown, hour, last.chunk);
  }

  forgetIdsBefore(hour: number): void {
    this.#sql.exec("DELETE FROM message_ids WHERE hour < ?", hour);
    this.#sql.exec("UPDATE identity SET forgotten_before = max(forgotten_before, ?)", hour);
  }

  forgottenBefore(): number {
    return this.#sql.exec<{ hour: number }>("SELECT forgotten_before AS hour FROM identity").one().hour;
  }
}
