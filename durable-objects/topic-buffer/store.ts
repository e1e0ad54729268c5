/** The SQLite of a TopicBuffer: a method a query, its meaning in words. Nothing here decides. */
import type { BlockSource } from "../../lakehouse/bronze/row-runs.ts";
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
import type { ParkedSlice } from "../../sql/statements/parked-slices.ts";
import type { Backlog } from "../../sql/statements/shards.ts";
import type { Unflushed } from "../stubs.ts";
import { ArrivalStore } from "./arrival-store.ts";
import { joinFrames } from "./join-frames.ts";
import { LayoutStore } from "./layout-store.ts";
import { LedgerStore } from "./ledger-store.ts";
import type { BufferState, FlushState } from "./machine.ts";
import { NotedIdStore } from "./noted-id-store.ts";
import { OutboxStore } from "./outbox-store.ts";
import type { IdStore } from "./remembered-ids.ts";
import { prepareSchema } from "./schema.ts";

/** Under the 2 MB limit of a blob, with room for the row around it. */
const BLOCK_BYTES = 1_900_000;

/** A block that is not longer is rewritten by an append that makes it longer, some pages of SQLite. */
const SMALL_BYTES = 64 * 1024;

/** The blocks of a flush with their row ids, in append order. */
export interface FrozenBlocks extends BlockSource {
  readonly ids: readonly number[];
}

/** What noting needs of a frame. */
export type FrameHead = Pick<Frame, "header" | "slice">;

/** What open blocks hold, and what the flush under way does, with what it set aside. */
interface Waiting {
  open: Backlog;
  readonly frozen: Backlog;
}

export class BufferStore implements IdStore {
  readonly arrivals: ArrivalStore;
  readonly layouts: LayoutStore;
  readonly ledger: LedgerStore;
  readonly noted: NotedIdStore;
  readonly outbox: OutboxStore;
  readonly #sql: Pick<SqlStorage, "exec">;
  readonly #smallBytes: number;
  /** It never changes once it stands, and every append asks. */
  #incarnation: string | undefined;
  /** Kept in step by appends, since each asks for it; null: to be read. */
  #waiting: Waiting | null = null;

  /** `smallBytes`: of a block that an append may make longer. */
  constructor(sql: Pick<SqlStorage, "exec">, smallBytes = SMALL_BYTES) {
    this.#sql = sql;
    this.#smallBytes = smallBytes;
    prepareSchema(sql);
    this.arrivals = new ArrivalStore(sql);
    this.layouts = new LayoutStore(sql);
    this.ledger = new LedgerStore(sql);
    this.noted = new NotedIdStore(sql);
    this.outbox = new OutboxStore(sql);
  }

  /** The object's incarnation, made at its first use: sequence numbers restart when an object is reset, file names must not. */
  incarnation(make: () => string): string {
    if (this.#incarnation !== undefined) return this.#incarnation;
    this.#sql.exec("INSERT OR IGNORE INTO identity VALUES (1, ?, 1, 0, 0)", make());
    const { incarnation } = this.#sql.exec<{ incarnation: string }>("SELECT incarnation FROM identity").one();
    this.#incarnation = incarnation;
    return incarnation;
  }

  /** Whether D1's `shards` has this shard. */
  isListed(): boolean {
    return this.#sql.exec<{ listed: number }>("SELECT listed FROM identity").one().listed === 1;
  }

  markListed(): void {
    this.#sql.exec("UPDATE identity SET listed = 1");
  }

  /** The next append lists the shard again. */
  markUnlisted(): void {
    this.#sql.exec("UPDATE identity SET listed = 0");
  }

  /** All that is not registered yet, slices that were set aside included, but for a flush that is being registered. */
  backlog(registering = 0): Backlog {
    const { open, frozen } = this.#totals();
    if (registering !== 0) return open;
    const oldest = [open.oldestAt, frozen.oldestAt].filter((at) => at !== null);
    return {
      rows: open.rows + frozen.rows,
      bytes: open.bytes + frozen.bytes,
      oldestAt: oldest.length === 0 ? null : Math.min(...oldest),
    };
  }

  /** What is known of the blocks beside them is read anew: a transaction that changed them failed. */
  reset(): void {
    this.#waiting = null;
  }

  #totals(): Waiting {
    this.#waiting ??= {
      open: this.#sum(
        `SELECT sum(rows) AS rows, sum(length(bytes)) AS bytes, min(appended_at) AS oldest
           FROM blocks WHERE id > (SELECT coalesce(max(last_block), 0) FROM flushes)`,
      ),
      frozen: this.#sum(
        `SELECT sum(rows) AS rows, sum(bytes) AS bytes, min(oldest) AS oldest FROM (
           SELECT rows, length(bytes) AS bytes, appended_at AS oldest
             FROM blocks WHERE id <= (SELECT max(last_block) FROM flushes)
           UNION ALL SELECT events, length(bytes), NULL FROM parked)`,
      ),
    };
    return this.#waiting;
  }

  #sum(query: string): Backlog {
    const { rows, bytes, oldest } = this.#sql
      .exec<{ rows: number | null; bytes: number | null; oldest: number | null }>(query)
      .one();
    return { rows: rows ?? 0, bytes: bytes ?? 0, oldestAt: oldest };
  }

  /** Appends frames as open blocks of at most 1.9 MB: a row per block, never per event; a few behind the last block. `noted`: the caller notes what they say. If its transaction fails, `reset` must follow. */
  appendFrames(frames: readonly Frame[], now: number, noted = false): void {
    const waiting = this.#totals();
    let pending: Frame[] = [];
    let bytes = 0;
    let rows = 0;
    const write = (): void => {
      if (rows === 0) return;
      this.#writeBlock(rows, joinFrames(pending, bytes), now, noted ? 1 : 0);
      const { open } = waiting;
      waiting.open = {
        rows: open.rows + rows,
        bytes: open.bytes + bytes,
        oldestAt: Math.min(open.oldestAt ?? now, now),
      };
      pending = [];
      bytes = 0;
      rows = 0;
    };
    for (const frame of frames) {
      if (bytes + frame.bytes.byteLength > BLOCK_BYTES) write();
      pending.push(frame);
      bytes += frame.bytes.byteLength;
      rows += frame.slice.count;
    }
    write();
  }

  /**
   * Behind the last open block where both are small, else as one of its own: each block is a row to write and another one to delete, and
   * a quiet topic has a few events a flush. The block keeps the time of its first events, since the oldest ones say when to flush.
   */
  #writeBlock(rows: number, bytes: Uint8Array, now: number, noted: 0 | 1): void {
    const last =
      bytes.byteLength > this.#smallBytes
        ? undefined
        : this.#sql
            .exec<{ id: number; bytes: ArrayBuffer }>(
              `SELECT id, bytes FROM blocks WHERE id = (SELECT max(id) FROM blocks) AND length(bytes) <= ? AND noted = ?
                 AND id > (SELECT coalesce(max(last_block), 0) FROM flushes)`,
              ...[this.#smallBytes - bytes.byteLength, noted],
            )
            .toArray()[0];
    if (last === undefined) {
      this.#sql.exec(
        "INSERT INTO blocks (rows, appended_at, bytes, noted) VALUES (?, ?, ?, ?)",
        rows,
        now,
        bytes,
        noted,
      );
      return;
    }
    const longer = new Uint8Array(last.bytes.byteLength + bytes.byteLength);
    longer.set(new Uint8Array(last.bytes));
    longer.set(bytes, last.bytes.byteLength);
    this.#sql.exec(
      "UPDATE blocks SET bytes = ?, rows = rows + ?, appended_at = min(appended_at, ?) WHERE id = ?",
      ...[longer, rows, now, last.id],
    );
  }

  state(): BufferState {
    return { open: this.#totals().open, flush: this.#flush() };
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
      "SELECT id, rows, length(bytes) AS size FROM blocks WHERE id > (SELECT coalesce(max(last_block), 0) FROM flushes) ORDER BY id",
    )) {
      if (last !== undefined && (bytes + block.size > maxBytes || rows + block.rows > maxRows)) break;
      bytes += block.size;
      rows += block.rows;
      last = block.id;
    }
    if (last === undefined) throw new Error("freeze without an open block");
    this.#sql.exec(
      "INSERT INTO flushes (seq, step, attempts, not_before, last_block, stores_layout) VALUES (?, 'frozen', 0, 0, ?, 1)",
      ...[seq, last],
    );
    this.#waiting = null;
    this.#sql.exec("UPDATE identity SET next_seq = next_seq + 1");
    return seq;
  }

  /** The frozen blocks of a flush: each read is one row, and holds one block. */
  frozenBlocks(seq: number): FrozenBlocks {
    const ids = this.#sql
      .exec<{ id: number }>(
        "SELECT id FROM blocks WHERE id <= (SELECT last_block FROM flushes WHERE seq = ?) ORDER BY id",
        seq,
      )
      .toArray()
      .map(({ id }) => id);
    return {
      ids,
      count: ids.length,
      read: (block) => this.#blockBytes(ids[block] ?? null),
      // A transferred buffer keeps nothing.
      release: ({ buffer }) => void (buffer instanceof ArrayBuffer && buffer.transfer(0)),
    };
  }

  /** Blocks that D1 knows no file of, in append order, read one at a time. */
  *unregisteredBlocks(): Generator<{ readonly bytes: Uint8Array; readonly appendedAt: number }> {
    const ids = this.#sql
      .exec<{ id: number; at: number }>(
        `SELECT id, appended_at AS at FROM blocks
          WHERE id > (SELECT coalesce(max(last_block), 0) FROM flushes WHERE step = 'registered') ORDER BY id`,
      )
      .toArray();
    for (const { id, at } of ids) yield { bytes: this.#blockBytes(id), appendedAt: at };
  }

  /** The frames of a flush that is just being frozen, a block at a time, without those that were noted when they were appended. */
  *unnotedFrames(seq: number): Generator<readonly FrameHead[]> {
    const ids = this.#sql
      .exec<{ id: number }>(
        "SELECT id FROM blocks WHERE noted = 0 AND id <= (SELECT last_block FROM flushes WHERE seq = ?) ORDER BY id",
        seq,
      )
      .toArray();
    for (const { id } of ids) yield [...readFrames(this.#blockBytes(id))];
  }

  *unnotedIds(): Generator<string> {
    const ids = this.#sql
      .exec<{ id: number }>(
        "SELECT id FROM blocks WHERE noted = 0 AND id > (SELECT coalesce(max(last_block), 0) FROM flushes) ORDER BY id",
      )
      .toArray();
    for (const { id } of ids) {
      for (const { header } of readFrames(this.#blockBytes(id))) yield header.message_id;
    }
  }

  #blockBytes(id: number | null): Uint8Array {
    return new Uint8Array(
      this.#sql.exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM blocks WHERE id = ?", id).one().bytes,
    );
  }

  /** Leaves a frozen block with fewer frames. Without any it stays, empty: a new block must not get the id of a frozen one. */
  rewriteBlock(id: number, bytes: Uint8Array, rows: number): void {
    if (rows === 0) this.#sql.exec("UPDATE blocks SET bytes = x'', rows = 0 WHERE id = ?", id);
    else this.#sql.exec("UPDATE blocks SET bytes = ?, rows = ? WHERE id = ?", bytes, rows, id);
    this.#waiting = null;
  }

  /** Keeps a frame that its flush goes on without. */
  setAside(seq: number, slice: ParkedSlice, frame: Uint8Array): void {
    const { messageId, hour, events, cause, detail } = slice;
    this.#sql.exec(
      "INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...[seq, messageId, hour, events, cause, detail, frame],
    );
    this.#waiting = null;
  }

  /** What a flush set aside. */
  parkedSlices(seq: number): ParkedSlice[] {
    return this.#sql
      .exec<{ message_id: string; hour: string; events: number; cause: string; detail: string; bytes: number }>(
        "SELECT message_id, hour, events, cause, detail, length(bytes) AS bytes FROM parked WHERE seq = ? ORDER BY message_id",
        seq,
      )
      .toArray()
      .map(({ message_id, cause, ...rest }) => ({
        ...rest,
        messageId: message_id,
        cause: cause === "system" ? "system" : "data",
      }));
  }

  /** The frame of a slice that a flush set aside. */
  parkedFrame(seq: number, messageId: string): Uint8Array {
    const { bytes } = this.#sql
      .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM parked WHERE seq = ? AND message_id = ?", seq, messageId)
      .one();
    return new Uint8Array(bytes);
  }

  /** Drops a registered flush and its blocks; the message ids stay for their time. */
  forget(seq: number): void {
    this.#sql.exec("DELETE FROM blocks WHERE id <= (SELECT last_block FROM flushes WHERE seq = ?)", seq);
    this.#sql.exec("DELETE FROM parked WHERE seq = ?", seq);
    this.#sql.exec("DELETE FROM flush_files WHERE seq = ?", seq);
    this.#sql.exec("DELETE FROM flush_layouts WHERE seq = ?", seq);
    this.#sql.exec("DELETE FROM flushes WHERE seq = ?", seq);
    this.#waiting = null;
  }

  noteFailure(seq: number, notBefore: number): void {
    this.#sql.exec("UPDATE flushes SET attempts = attempts + 1, not_before = ? WHERE seq = ?", notBefore, seq);
  }
}
