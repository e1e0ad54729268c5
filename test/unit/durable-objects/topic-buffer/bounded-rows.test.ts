/** What a buffer counts beside its blocks stays small, however long it lives and however many sends fail, and loses no count. */
import { expect, test } from "vitest";
import {
  MAX_INSTANCES,
  MAX_RANGES,
  NO_ARRIVALS,
  type Numbered,
  withArrivals,
} from "../../../../durable-objects/topic-buffer/arrivals.ts";
import { LedgerStore, portionsOf, trimmedBefore } from "../../../../durable-objects/topic-buffer/ledger-store.ts";
import { BufferStore } from "../../../../durable-objects/topic-buffer/store.ts";
import { planFiles } from "../../../../lakehouse/bronze/files.ts";
import { readFrames } from "../../../../schemas/packed-block.ts";
import { formatDate } from "../../../../schemas/time.ts";
import { publishArrivals } from "../../../../sql/statements/arrivals.ts";
import { publishLedger } from "../../../../sql/statements/bronze.ts";
import { expectEqual } from "../../../oracle/expect-equal.ts";
import { FaultyD1 } from "../../../oracle/faulty-d1.ts";
import { framesForShard, uuidAt } from "../../../oracle/frames.ts";
import { SqliteStorage } from "../../../oracle/sql-storage.ts";
import { weather, weatherMessage } from "../../../oracle/weather.ts";

const SHARD = { topic: "weather", shard: 0, shardOf: 1, incarnation: "i" };
const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const MESSAGE = {
  messageId: uuidAt(NOW, 1),
  received: NOW * 1_000,
  events: [{ eventId: "e", at: NOW * 1_000 }],
};
const OLD = "2026-11-01T05:00:00Z";

const hourText = (ms: number) => `${new Date(ms).toISOString().slice(0, 13)}:00:00Z`;

test("totals go once D1 has them, and D1 has all events of an hour, also of those that come long after", async () => {
  const storage = new SqliteStorage();
  const d1 = new FaultyD1();
  const ledger = new LedgerStore(storage);
  const publish = async () => {
    const totals = ledger.unpublished();
    await publishLedger(d1.binding, SHARD, totals).run();
    return totals;
  };
  const flush = async (now: number) => {
    ledger.markPublished(await publish());
    ledger.forgetBefore(trimmedBefore(now));
  };
  for (let hour = 0; hour < 500; hour++) {
    const now = NOW - (500 - hour) * HOUR;
    ledger.count([{ hour: hourText(now), detail: "", events: 3 }]);
    // Each day some dead letters of long ago are replayed, under the hour of their first reception.
    if (hour % 24 === 7) ledger.count([{ hour: OLD, detail: "orders|MISSING_FIELD", events: 2 }]);
    // An answer is lost: the same is published again.
    if (hour % 10 === 3) await publish();
    await flush(now);
    expect(storage.exec("SELECT hour FROM ledger").toArray().length).toBeLessThanOrEqual(50);
  }
  const sums = d1.rows<{ detail: string; events: number; rows: number }>(
    "SELECT detail, sum(events) AS events, count(*) AS rows FROM ledger GROUP BY detail ORDER BY detail",
  );
  expect(sums).toEqual([
    { detail: "", events: 1_500, rows: 500 },
    { detail: "orders|MISSING_FIELD", events: 42, rows: 19 },
  ]);
});

test("totals of a great replay go to D1 in statements that it takes, all of them", () => {
  const ledger = new LedgerStore(new SqliteStorage());
  const hours = Array.from({ length: 12_001 }, (_, n) => hourText(NOW - n * HOUR));
  ledger.count(hours.map((hour) => ({ hour, detail: "orders|TIMESTAMP_OUT_OF_RANGE", events: 1 })));
  const portions = portionsOf(ledger.unpublished());
  expect(portions.map(({ length }) => length)).toEqual([5_000, 5_000, 2_001]);
  for (const portion of portions) expect(JSON.stringify(portion).length).toBeLessThan(1_000_000);
  expect(portions.flat()).toEqual(ledger.unpublished());
  expect(portionsOf([])).toEqual([]);
});

test("what was not published stays, and a late answer marks no later total", () => {
  const ledger = new LedgerStore(new SqliteStorage());
  const line = { hour: OLD, detail: "", events: 5 };
  ledger.count([line]);
  const first = ledger.unpublished();
  ledger.forgetBefore(trimmedBefore(NOW));
  expect(ledger.unpublished()).toEqual(first);
  ledger.markPublished(first);
  ledger.forgetBefore(trimmedBefore(NOW));
  ledger.count([line]);
  ledger.markPublished(first);
  expect(ledger.unpublished()).toEqual([{ ...line, epoch: 1 }]);
  // A clock that has gone back makes no hour forget that it was trimmed.
  ledger.forgetBefore(trimmedBefore(Date.parse(OLD)));
  expect(ledger.unpublished()).toEqual([{ ...line, epoch: 1 }]);
});

test("an object from when totals were kept for ever trims what it has", () => {
  const storage = new SqliteStorage();
  storage.exec(
    "CREATE TABLE ledger (hour TEXT NOT NULL, detail TEXT NOT NULL, events INTEGER NOT NULL, published INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (hour, detail)) WITHOUT ROWID",
  );
  storage.exec("INSERT INTO ledger VALUES (?, '', 4, 4), (?, 'x', 4, 3)", OLD, OLD);
  const { ledger } = new BufferStore(storage);
  ledger.forgetBefore(trimmedBefore(NOW));
  expect(ledger.unpublished()).toEqual([{ hour: OLD, detail: "x", events: 4, epoch: 0 }]);
  expect(storage.exec("SELECT hour FROM ledger").toArray()).toHaveLength(1);
});

/** Messages of an instance that each say that the number before theirs was not sent. */
function alternating(gateway: string, count: number, from = 1): Numbered[] {
  return Array.from({ length: count }, (_, n) => {
    const sequence = 9_000_000_000_000_000 + from + 2 * n;
    return { gateway, sequence, request_id: "r", unsent: [[sequence - 1, sequence - 1]] as const };
  });
}

test("an hour's arrivals fit a row of SQLite and of D1, whatever fails", async () => {
  const d1 = new FaultyD1();
  let hour = NO_ARRIVALS;
  // Sends that fail by turns in some instances, and more instances than there are isolates.
  for (let flush = 0; flush < 5; flush++) {
    const few = ["a", "b", "c"].flatMap((name) => alternating(name, 2_000, flush * 4_000));
    const many = Array.from({ length: 3_000 }, (_, n) => ({
      gateway: `01930000-0000-7000-8000-${String(flush * 2_500 + n).padStart(12, "0")}`,
      sequence: 9_000_000_000_000_000,
      request_id: "r",
    }));
    hour = withArrivals(hour, [...few, ...many]);
  }
  expect(hour.messages).toBe(5 * 9_000);
  expect(Object.keys(hour.instances)).toHaveLength(MAX_INSTANCES);
  const ranges = Object.values(hour.instances).map(([, , , told = []]) => told.length);
  expect(ranges.reduce((sum, n) => sum + n, 0)).toBe(MAX_RANGES);
  const { a } = hour.instances;
  expect(a?.slice(0, 3)).toEqual([10_000, 9_000_000_000_000_000, 9_000_000_000_019_998]);
  const line = { ...hour, hour: OLD, instances: JSON.stringify(hour.instances) };
  expect(JSON.stringify([line]).length).toBeLessThan(1_500_000);
  await publishArrivals(d1.binding, SHARD, [line]).run();
  expect(d1.rows("SELECT messages FROM ledger_arrivals")).toEqual([{ messages: 45_000 }]);
});

test("ranges that become one take one place, whoever tells them", () => {
  let hour = withArrivals(NO_ARRIVALS, [
    {
      gateway: "a",
      sequence: 9,
      request_id: "r",
      unsent: [
        [5, 5],
        [7, 8],
      ],
    },
    { gateway: "b", sequence: 4, request_id: "r", unsent: [[1, 3]] },
  ]);
  hour = withArrivals(hour, [
    {
      gateway: "a",
      sequence: 12,
      request_id: "r",
      unsent: [
        [6, 6],
        [10, 11],
      ],
    },
  ]);
  expect(hour.instances).toEqual({
    a: [
      2,
      9,
      12,
      [
        [5, 8],
        [10, 11],
      ],
    ],
    b: [1, 4, 4, [[1, 3]]],
  });
});

test("a flush of a hundred thousand dates is registered: no row, of SQLite or of D1, passes its limit", () => {
  const storage = new SqliteStorage();
  const store = new BufferStore(storage);
  store.incarnation(() => "i");
  store.appendFrames([...readFrames(framesForShard([weatherMessage(MESSAGE)], 0))], NOW);
  const seq = store.freeze(1e6, 1e6);
  const days = new Map(Array.from({ length: 100_000 }, (_, day) => [day, { rows: 1 }]));
  const name = { topic: "weather", shard: 0, incarnation: "i", seq };
  const planned = planFiles(weather, name, days);
  expect(new Set(planned.map(({ key }) => key)).size).toBe(669);
  const inFiles = planned.flatMap(({ dates }) => dates.map(({ day }) => day));
  expectEqual(
    inFiles.sort((a, b) => a - b),
    [...days.keys()],
  );
  const files = planned.map(({ key, dates, rows }) => ({
    file: key,
    ...SHARD,
    seq,
    rows,
    bytes: 1,
    minReceived: OLD,
    maxReceived: OLD,
    dates: dates.map(({ day, firstRow, rows: count }) => ({ date: formatDate(day), firstRow, rows: count })),
    hours: dates.map(({ day, rows: count }) => ({ date: formatDate(day), hour: OLD, rows: count })),
  }));
  for (const file of files) expect(JSON.stringify(file).length).toBeLessThan(500_000);
  // Done twice: a crash came between.
  for (let time = 0; time < 2; time++) storage.transactionSync(() => store.outbox.put(seq, files));
  expectEqual(store.outbox.files(seq), files);
  const longest = (table: string, column: string) =>
    storage.exec<{ n: number }>(`SELECT max(length(${column})) AS n FROM ${table}`).one().n;
  expect(longest("flushes", "files")).toBeLessThan(1_100_000);
  expect(longest("flush_files", "file")).toBeLessThan(500_000);
  store.forget(seq);
  expect(storage.exec("SELECT seq FROM flush_files").toArray()).toEqual([]);
  // An ordinary flush has the one row that it always had.
  store.appendFrames([...readFrames(framesForShard([weatherMessage(MESSAGE)], 0))], NOW);
  const next = store.freeze(1e6, 1e6);
  store.outbox.put(next, files.slice(0, 2));
  expect(storage.exec("SELECT seq FROM flush_files").toArray()).toEqual([]);
  expect(store.outbox.files(next)).toEqual(files.slice(0, 2));
});
