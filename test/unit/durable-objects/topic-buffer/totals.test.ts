/** What a buffer knows of its blocks without reading them is what its storage says, also after a transaction that failed. */
import { describe, expect, test } from "vitest";
import { appendFrames } from "../../../../durable-objects/topic-buffer/append.ts";
import { noteFrozen } from "../../../../durable-objects/topic-buffer/noting.ts";
import { RememberedIds } from "../../../../durable-objects/topic-buffer/remembered-ids.ts";
import { BufferStore } from "../../../../durable-objects/topic-buffer/store.ts";
import { framesForShard, uuidAt } from "../../../oracle/frames.ts";
import { SqliteStorage } from "../../../oracle/sql-storage.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

const NOW = Date.UTC(2026, 10, 21, 12);

function frames(n: number): Uint8Array {
  const events = [{ eventId: `e-${n}`, at: NOW * 1_000 }];
  return framesForShard([weatherMessage({ messageId: uuidAt(NOW, n), received: NOW * 1_000, events })], 0);
}

/** `smallBytes`: 0 has each append be a block of its own, so that a flush can take some of them. */
function buffer(storage = new SqliteStorage(), smallBytes = 0) {
  const store = new BufferStore(storage, smallBytes);
  store.incarnation(() => "i");
  const ids = new RememberedIds(store);
  let fails = false;
  const transaction = (work: () => void) =>
    storage.transactionSync(() => {
      work();
      if (fails) throw new Error("the storage fails");
    });
  return {
    store,
    append: (n: number) => appendFrames({ store, ids, transaction, isFull: () => false }, frames(n), NOW + n),
    fail: (now: boolean) => {
      fails = now;
    },
    expectInStep: () => {
      const fresh = new BufferStore(storage);
      expect(store.state()).toEqual(fresh.state());
      expect(store.backlog()).toEqual(fresh.backlog());
    },
  };
}

test("totals follow appends, flushes and failures", () => {
  const { store, append, fail, expectInStep } = buffer();
  const size = frames(1).byteLength;
  append(1);
  append(2);
  expect(store.state().open).toEqual({ rows: 2, bytes: 2 * size, oldestAt: NOW + 1 });
  fail(true);
  expect(() => append(3)).toThrow("the storage fails");
  fail(false);
  expectInStep();
  expect(store.state().open.rows).toBe(2);
  expect(append(3).stored).toHaveLength(1);
  const seq = store.freeze(2 * size, 2);
  expectInStep();
  expect(store.state().open).toEqual({ rows: 1, bytes: size, oldestAt: NOW + 3 });
  expect(store.backlog()).toEqual({ rows: 3, bytes: 3 * size, oldestAt: NOW + 1 });
  expect(store.backlog(seq)).toEqual({ rows: 1, bytes: size, oldestAt: NOW + 3 });
  store.forget(seq);
  expectInStep();
  expect(store.backlog()).toEqual(store.state().open);
});

test("small appends are one block, which a flush ends; it is as old as its first events", () => {
  const storage = new SqliteStorage();
  const { store, append, fail, expectInStep } = buffer(storage, 1_000);
  const size = frames(1).byteLength;
  const blocks = () =>
    storage.exec<{ rows: number; at: number }>("SELECT rows, appended_at AS at FROM blocks ORDER BY id").toArray();
  const kept = Math.floor(1_000 / size);
  for (let n = 1; n <= kept; n++) append(n);
  expect(blocks()).toEqual([{ rows: kept, at: NOW + 1 }]);
  fail(true);
  expect(() => append(90)).toThrow("the storage fails");
  fail(false);
  append(91);
  expect(blocks()).toEqual([
    { rows: kept, at: NOW + 1 },
    { rows: 1, at: NOW + 91 },
  ]);
  const seq = store.freeze(1e6, 1e6);
  append(92);
  expectInStep();
  expect(blocks()).toHaveLength(3);
  expect(store.state().open).toEqual({ rows: 1, bytes: frames(92).byteLength, oldestAt: NOW + 92 });
  store.forget(seq);
  // What stands in a block is known, also after a restart.
  expect(buffer(storage, 1_000).append(92).stored).toHaveLength(1);
  expect(blocks()).toEqual([{ rows: 1, at: NOW + 92 }]);
});

test("a flush is noted alike after a failure and after a restart", () => {
  const notes = [false, true].map((restarted) => {
    const storage = new SqliteStorage();
    const { store, append, fail } = buffer(storage);
    append(1);
    fail(true);
    expect(() => append(2)).toThrow("the storage fails");
    fail(false);
    append(2);
    append(3);
    append(3);
    // A fresh store holds nothing but its storage.
    const noting = restarted ? new BufferStore(storage) : store;
    noteFrozen(noting, noting.freeze(1e6, 1e6));
    return ["message_ids", "ledger", "arrivals"].map((table) => storage.exec(`SELECT * FROM ${table}`).toArray());
  });
  const [[ids, ledger, arrivals] = []] = notes;
  expect(ids).toMatchObject([{ packed: { byteLength: 3 * 16 } }]);
  expect(ledger).toMatchObject([{ events: 3 }]);
  expect(arrivals).toMatchObject([{ messages: 3 }]);
  expect(notes[1]).toEqual(notes[0]);
});

test("what is appended beside a flush that lost its last block is not taken for a part of it", () => {
  const { store, append, expectInStep } = buffer();
  append(1);
  const seq = store.freeze(1e6, 1e6);
  for (const id of store.frozenBlocks(seq).ids) store.rewriteBlock(id, new Uint8Array(), 0);
  append(2);
  expectInStep();
  const blocks = store.frozenBlocks(seq);
  expect(Array.from({ length: blocks.count }, (_, i) => blocks.read(i).byteLength)).toEqual([0]);
  store.forget(seq);
  expect(store.state()).toMatchObject({ open: { rows: 1 }, flush: null });
});

test("an object from when each block named its flush goes on with it", () => {
  const storage = new SqliteStorage();
  storage.exec(
    `CREATE TABLE blocks (id INTEGER PRIMARY KEY, seq INTEGER, rows INTEGER NOT NULL, appended_at INTEGER NOT NULL, bytes BLOB NOT NULL);
     CREATE TABLE flushes (seq INTEGER PRIMARY KEY, step TEXT NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL, files TEXT);
     INSERT INTO blocks VALUES (1, 7, 5, 100, x'01'), (2, NULL, 6, 200, x'0203');
     INSERT INTO flushes VALUES (7, 'frozen', 0, 0, NULL)`,
  );
  const { store, append, expectInStep } = buffer(storage);
  expect(store.frozenBlocks(7).ids).toEqual([1]);
  expect(store.state().open).toEqual({ rows: 6, bytes: 2, oldestAt: 200 });
  append(1);
  store.forget(7);
  expectInStep();
  expect(store.state()).toMatchObject({ open: { rows: 7 }, flush: null });
});

describe("what an append says beside its bytes", () => {
  const noted = (storage: SqliteStorage) => ({
    ids: storage.exec<{ n: number }>("SELECT coalesce(sum(length(packed)), 0) / 16 AS n FROM message_ids").one().n,
    events: storage.exec<{ n: number }>("SELECT coalesce(sum(events), 0) AS n FROM ledger").one().n,
    messages: storage.exec<{ n: number }>("SELECT coalesce(sum(messages), 0) AS n FROM arrivals").one().n,
  });

  test("is noted once, with the flush that takes its blocks, and known before, also after a restart", () => {
    const storage = new SqliteStorage();
    const first = buffer(storage);
    first.append(1);
    first.append(2);
    expect(noted(storage)).toEqual({ ids: 0, events: 0, messages: 0 });

    const { store, append } = buffer(storage);
    expect(append(1).stored).toHaveLength(1);
    expect(store.state().open.rows).toBe(2);
    const seq = store.freeze(1e6, 1);
    noteFrozen(store, seq);
    expect(noted(storage)).toEqual({ ids: 1, events: 1, messages: 1 });
    store.forget(seq);
    noteFrozen(store, store.freeze(1e6, 1e6));
    expect(noted(storage)).toEqual({ ids: 2, events: 2, messages: 2 });
    expect(buffer(storage).append(2).stored).toHaveLength(1);
    expect(store.state().open.rows).toBe(0);
  });

  test("is not noted again of an object from when each append noted it", () => {
    const storage = new SqliteStorage();
    storage.exec(
      `CREATE TABLE blocks (id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, appended_at INTEGER NOT NULL, bytes BLOB NOT NULL);
       CREATE TABLE flushes (seq INTEGER PRIMARY KEY, step TEXT NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL, files TEXT, last_block INTEGER NOT NULL DEFAULT 0)`,
    );
    storage.exec("INSERT INTO blocks VALUES (1, 1, 5, ?)", frames(1));
    const { store, append } = buffer(storage);
    append(2);
    noteFrozen(store, store.freeze(1e6, 1e6));
    expect(noted(storage)).toEqual({ ids: 1, events: 1, messages: 1 });
  });
});
