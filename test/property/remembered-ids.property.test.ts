/** A buffer knows exactly the messages that it took, wherever their ids stand: in open blocks, in chunks of their hour, or both. */
import v8 from "node:v8";
import vm from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { appendFrames } from "../../durable-objects/topic-buffer/append.ts";
import { IDS_A_CHUNK } from "../../durable-objects/topic-buffer/noted-id-store.ts";
import { noteFrozen } from "../../durable-objects/topic-buffer/noting.ts";
import { packIds, RememberedIds } from "../../durable-objects/topic-buffer/remembered-ids.ts";
import { BufferStore } from "../../durable-objects/topic-buffer/store.ts";
import { framesForShard, uuidAt } from "../oracle/frames.ts";
import { SqliteStorage } from "../oracle/sql-storage.ts";
import { weatherMessage } from "../oracle/weather.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 12);

/** Few times around an hour's end, so that ids meet in a millisecond, a chunk and an hour. */
const messageId = fc
  .tuple(fc.constantFrom(-90 * 60_000, -1, 0, 1, 59, 60_000), fc.nat(6))
  .map(([ms, n]) => uuidAt(NOW + ms, n));
const step = fc.oneof(
  { weight: 5, arbitrary: fc.array(messageId, { minLength: 1, maxLength: 5 }) },
  { weight: 2, arbitrary: fc.constantFrom("flush" as const, "restart", "fail") },
);

function frameOf(id: string): Uint8Array {
  const at = NOW * 1_000;
  return weatherMessage({ messageId: id, received: at, events: [{ eventId: id, at }] });
}

test("each message is taken once, through flushes, restarts and failures, however few ids are held", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.nat(5), fc.boolean(), (steps, held, partly) => {
      const storage = new SqliteStorage();
      const open = () => {
        const store = new BufferStore(storage);
        store.incarnation(() => "i");
        return { store, ids: new RememberedIds(store, held) };
      };
      let life = open();
      const taken = new Set<string>();
      for (const each of steps) {
        if (each === "restart") life = open();
        else if (each === "flush") {
          if (life.store.state().open.rows === 0) continue;
          const { store } = life;
          const seq = store.freeze(1e6, partly ? 2 : 1e6);
          noteFrozen(store, seq);
          life.ids.reset();
          store.forget(seq);
        } else {
          const fails = each === "fail";
          const ids = fails ? [uuidAt(NOW, 99)] : each;
          const transaction = (work: () => void) =>
            storage.transactionSync(() => {
              work();
              if (fails) throw new Error("the storage fails");
            });
          const before = life.store.unflushed().events;
          const append = () =>
            appendFrames({ ...life, transaction, isFull: () => false }, framesForShard(ids.map(frameOf), 0), NOW);
          if (fails) expect(append).toThrow("the storage fails");
          else {
            expect(append().stored.toSorted()).toEqual(ids.toSorted());
            const fresh = new Set(ids).difference(taken);
            expect(life.store.unflushed().events - before).toBe(fresh.size);
            for (const id of ids) taken.add(id);
          }
        }
      }
      const all = [-90 * 60_000, -1, 0, 1, 59, 60_000].flatMap((ms) => [0, 3, 6, 99].map((n) => uuidAt(NOW + ms, n)));
      expect(life.ids.known(all)).toEqual(new Set(all.filter((id) => taken.has(id))));
    }),
    { numRuns: 100 },
  );
});

test("a look-up of fresh ids reads nothing, of others the chunks of their time", () => {
  const store = new BufferStore(new SqliteStorage());
  const ids = new RememberedIds(store);
  for (let chunk = 0; chunk < 20; chunk++) {
    store.noted.add(Array.from({ length: IDS_A_CHUNK }, (_, n) => uuidAt(NOW + chunk * 10_000 + n, n)));
  }
  let read = 0;
  const { madeBetween } = store.noted;
  store.noted.madeBetween = function* (...asked) {
    for (const chunk of madeBetween.apply(store.noted, asked)) {
      read++;
      yield chunk;
    }
  };
  expect(ids.known([uuidAt(NOW + 400_000, 1), uuidAt(NOW + 400_001, 2)]).size).toBe(0);
  expect(read).toBe(0);
  expect([...ids.known([uuidAt(NOW + 30_007, 7), uuidAt(NOW + 30_008, 7)])]).toEqual([uuidAt(NOW + 30_007, 7)]);
  expect(read).toBe(1);
});

test("ids that an object noted before chunks told their time are still found", () => {
  const storage = new SqliteStorage();
  storage.exec(
    "CREATE TABLE message_ids (hour INTEGER NOT NULL, chunk INTEGER NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (hour, chunk)) WITHOUT ROWID",
  );
  const hour = Math.floor(NOW / HOUR);
  const old = uuidAt(NOW + 5, 1);
  storage.exec("INSERT INTO message_ids VALUES (?, 1, ?)", hour, packIds([old]).packed);
  const store = new BufferStore(storage);
  const young = uuidAt(NOW + 70_000, 2);
  store.noted.add([young]);
  const ids = new RememberedIds(store);
  expect(ids.known([old, young, uuidAt(NOW + 5, 2)])).toEqual(new Set([old, young]));
});

test("memory does not grow with the hours: three of them at ten messages a second", () => {
  v8.setFlagsFromString("--expose-gc");
  const gc: () => void = vm.runInNewContext("gc");
  const chunks: Uint8Array[] = [];
  const ids = new RememberedIds({
    // What is noted stands in ArrayBuffers, which the heap does not count.
    noted: { madeBetween: () => [], forgetBefore: () => {}, forgottenBefore: () => 0 },
    unnotedIds: () => [],
  });
  gc();
  const before = v8.getHeapStatistics().used_heap_size;
  for (let minute = 0; minute < 180; minute++) {
    const made = Array.from({ length: 600 }, (_, n) => uuidAt(NOW + minute * 60_000 + n * 100, n));
    expect(ids.known(made).size).toBe(0);
    ids.add(made);
    chunks.push(packIds(made).packed);
    ids.reset();
  }
  gc();
  // Held as texts, 108,000 ids would be seven megabytes.
  expect(v8.getHeapStatistics().used_heap_size - before).toBeLessThan(1_500_000);
  expect(chunks).toHaveLength(180);
});
