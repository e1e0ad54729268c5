/** Looking for one event in bronze and silver: everything is found, and little is read. */

import { beforeAll, describe, expect, test } from "vitest";
import { shardOf } from "../../../../../contracts/shards.ts";
import { copyColumns, copyOf } from "../../../../../lakehouse/lookups/trace/event-copy.ts";
import type { SearchCost } from "../../../../../lakehouse/lookups/trace/find-rows.ts";
import { tracePublished } from "../../../../../lakehouse/lookups/trace/published.ts";
import {
  LakeBusyError,
  type SearchPosition,
  searchBronze,
  type TraceDeps,
  type TraceSource,
} from "../../../../../lakehouse/lookups/trace/search-bronze.ts";
import { madeAt, shardsOfId, timesToSearch } from "../../../../../lakehouse/lookups/trace/where-to-look.ts";
import { tableOfDomain } from "../../../../../lakehouse/tables/catalog.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../../oracle/frames.ts";
import { Lake } from "../../../../oracle/lake.ts";
import { permit } from "../../../../oracle/permit.ts";
import { requireContract, weather, weatherMessage } from "../../../../oracle/weather.ts";

beforeAll(() => loadParquetWasm());

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const MINUTE = 60_000;

const newCost = (): SearchCost => ({ files: 0, files_pruned: 0, row_groups: 0 });

function depsOf(lake: Lake): TraceDeps {
  return { db: lake.d1.binding, bucket: lake.bucket, permit: async () => permit };
}

function source(eventId: string, dates: readonly string[] | null = null): TraceSource {
  return {
    where: { topic: "weather", dates, shards: null, ...timesToSearch(eventId, NOON) },
    rows: { column: "event_id", text: eventId, wanted: copyColumns(weather) },
  };
}

let messages = 0;
function readings(ms: number, ...ids: readonly string[]): Uint8Array {
  const events = ids.map((eventId) => ({ eventId, at: ms * 1_000 }));
  return weatherMessage({ messageId: uuidAt(ms, ++messages), received: ms * 1_000, events });
}

async function search(lake: Lake, eventId: string, maxFiles = 1_000, dates: readonly string[] | null = null) {
  const cost = newCost();
  const rows: { file: string; row: number; event: unknown }[] = [];
  const unreadable: string[] = [];
  let next: SearchPosition | null = { source: 0, after: "" };
  let answers = 0;
  while (next !== null) {
    const result = await searchBronze(depsOf(lake), [source(eventId, dates)], next, maxFiles, cost);
    rows.push(...result.found.map(({ row }) => ({ file: row.file, row: row.row, event: row.values["_event"] })));
    unreadable.push(...result.unreadable);
    next = result.next;
    answers++;
  }
  return { rows, unreadable, cost, answers };
}

/** A flush a minute, three readings each; ids by `idOf`. */
async function flushes(count: number, idOf: (ms: number, n: number) => string): Promise<Lake> {
  const lake = new Lake(NOON - count * MINUTE);
  for (let n = 0; n < count; n++) {
    await lake.land("weather", [
      readings(lake.now, idOf(lake.now, 3 * n), idOf(lake.now, 3 * n + 1), idOf(lake.now, 3 * n + 2)),
    ]);
    lake.now += MINUTE;
  }
  return lake;
}

describe("bronze", () => {
  test("of time-ordered ids, statistics leave one row group", async () => {
    const lake = await flushes(20, uuidAt);
    const wanted = uuidAt(NOON - 5 * MINUTE, 3 * 15 + 1);
    const { rows, cost } = await search(lake, wanted);
    expect(rows).toMatchObject([{ row: 1, event: 1 }]);
    expect(cost.row_groups).toBe(1);
    expect(cost.files - cost.files_pruned).toBe(1);
  });

  test("every copy is found once, whatever a page is, and the date finds the same", async () => {
    const lake = await flushes(14, (_, n) => (n % 9 === 4 ? "twice" : `other-${n}`));
    const whole = await search(lake, "twice");
    expect(whole.rows.map(({ event }) => event)).toEqual([1, 1, 1, 1, 1]);
    for (const page of [1, 6, 7]) {
      const paged = await search(lake, "twice", page);
      expect(paged.rows).toEqual(whole.rows);
      expect(paged.answers).toBeGreaterThan(1);
    }
    const byDate = await search(lake, "twice", 1, [DAY]);
    expect(new Set(byDate.rows.map(({ file }) => file))).toEqual(new Set(whole.rows.map(({ file }) => file)));
    expect((await search(lake, "twice", 1, ["2026-11-20"])).cost.files).toBe(0);
    expect((await search(lake, "twic")).rows).toEqual([]);
  });

  test("a lost and a damaged file are named, the rest is found", async () => {
    const lake = await flushes(3, () => "same");
    const [lost = "", damaged = ""] = [...lake.bucket.objects.keys()];
    lake.bucket.objects.delete(lost);
    await lake.bucket.put(damaged, lake.bucket.bytesOf(damaged).fill(0));
    const { rows, unreadable } = await search(lake, "same");
    expect(unreadable.sort()).toEqual([lost, damaged].sort());
    expect(rows).toHaveLength(3);
  });

  test("without the permit nothing is read", async () => {
    const lake = await flushes(1, () => "same");
    const deps = { ...depsOf(lake), permit: () => Promise.reject(new LakeBusyError("busy")) };
    await expect(searchBronze(deps, [source("same")], { source: 0, after: "" }, 9, newCost())).rejects.toThrow("busy");
  });
});

describe("silver", () => {
  test("which copy is kept, which is a duplicate, which waits, and of what silver held back", async () => {
    const lake = new Lake(NOON - 3 * MINUTE);
    await lake.land("weather", [readings(NOON - 2 * MINUTE, "twice", "late"), readings(NOON - MINUTE, "twice")]);
    await lake.settle();
    lake.now = NOON;
    await lake.land("weather", [readings(NOON, "twice", "new")]);

    const trace = async (id: string) => {
      const { found } = await searchBronze(depsOf(lake), [source(id)], { source: 0, after: "" }, 9, newCost());
      const copies = found.map(({ row }) => copyOf(weather, row));
      const by = { column: "event_id", text: id };
      return { copies, ...(await tracePublished(depsOf(lake), weather, DAY, by, copies, newCost(), [])) };
    };
    const twice = await trace("twice");
    expect(twice.states).toEqual(["kept", "duplicate", "waiting"]);
    expect(twice.silver.row).toMatchObject({ message_id: twice.copies[0]?.message_id, event_index: 0 });
    expect(twice.copies.map(({ received, partition_date }) => [received, partition_date])).toEqual(
      [2, 1, 0].map((minutes) => [new Date(NOON - minutes * MINUTE).toISOString(), DAY]),
    );
    expect((await trace("new")).states).toEqual(["waiting"]);

    // Copies of another page: silver's row has a reception that is not theirs.
    const others = { column: "event_id", text: "twice" };
    const second = twice.copies.slice(1, 2);
    expect((await tracePublished(depsOf(lake), weather, DAY, others, second, newCost(), [])).states).toEqual([
      "duplicate",
    ]);
    // Built from the file, and no row of the id: what a check would hold back.
    const none = { column: "event_id", text: "absent" };
    const held = await tracePublished(depsOf(lake), weather, DAY, none, twice.copies.slice(0, 1), newCost(), []);
    expect([held.states, held.silver.row]).toEqual([["held_back"], null]);
  });

  test("a file that another one replaced was built, if it was before", async () => {
    const lake = await flushes(2, (_, n) => (n % 3 === 0 ? "twice" : `other-${n}`));
    await lake.settle();
    const [file = "", other = ""] = lake.d1
      .rows<{ file: string }>("SELECT file FROM bronze_files ORDER BY file")
      .map((row) => row.file);
    await lake.d1.binding.prepare("UPDATE bronze_files SET retired_by = ? WHERE file = ?").bind(file, other).run();
    // As compaction leaves them: the file that has the rows was never registered by a flush.
    lake.d1.rows("UPDATE bronze_files SET registration = NULL WHERE file = ?", other);
    const { found } = await searchBronze(depsOf(lake), [source("twice")], { source: 0, after: "" }, 9, newCost());
    const copies = found.map(({ row }) => copyOf(weather, row));
    expect(copies.map(({ bronze }) => bronze.file)).toEqual([file]);
    const by = { column: "event_id", text: "twice" };
    const again = copies.map((copy) => ({ ...copy, message_id: "another" }));
    expect((await tracePublished(depsOf(lake), weather, DAY, by, again, newCost(), [])).states).toEqual(["duplicate"]);
  });

  test("nothing is published: copies wait", async () => {
    const lake = await flushes(1, () => "same");
    expect(tableOfDomain("weather")).toBeDefined();
    const { found } = await searchBronze(depsOf(lake), [source("same")], { source: 0, after: "" }, 9, newCost());
    const copies = found.map(({ row }) => copyOf(weather, row));
    const by = { column: "event_id", text: "same" };
    const { silver, gold, states } = await tracePublished(depsOf(lake), weather, DAY, by, copies, newCost(), []);
    expect([silver.version, gold, states]).toEqual([null, [], ["waiting", "waiting", "waiting"]]);
  });
});

describe("where to look", () => {
  test("the shard, where the id decides it", () => {
    const shards = shardsOfId(requireContract("orders"), "e-1");
    for (const of of [1, 2, 8, 64]) expect(shards?.[String(of)]).toBe(shardOf(["e-1"], of));
    expect(shardsOfId(requireContract("users"), "e-1")).toBeNull();
  });

  test("the time of a UUIDv7; another id's last seven days", () => {
    const id = uuidAt(NOON - 60 * 24 * 60 * MINUTE, 1);
    expect(madeAt(id, NOON)).toBe(NOON - 60 * 24 * 60 * MINUTE);
    expect(timesToSearch(id, NOON)).toEqual({
      from: "2026-09-22T11:00:00.000Z",
      to: "2026-09-29T11:00:00.000Z",
      receivedFrom: "2026-09-22T11:00:00.000",
    });
    // A time that cannot be says nothing.
    for (const text of ["e-1", uuidAt(NOON + 3 * 24 * 60 * MINUTE, 1)]) {
      expect(timesToSearch(text, NOON)).toMatchObject({ from: "2026-11-14T12:00:00.000Z", receivedFrom: "" });
    }
  });
});
