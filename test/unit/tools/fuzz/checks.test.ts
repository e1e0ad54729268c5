/** A fuzz run that could not see a lost event would prove nothing: what its checks find in a lake with known faults. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { leaksInside } from "../../../../tools/fuzz/canaries.ts";
import { FailureList } from "../../../../tools/fuzz/failure-list.ts";
import { watchLog } from "../../../../tools/fuzz/log-watch.ts";
import { countPromised, PromisedRows } from "../../../../tools/fuzz/promised-rows.ts";
import { checkBronze } from "../../../../tools/fuzz/search-traces.ts";
import type { Lake } from "../../../../tools/lake/open.ts";

const ODD_ID = "a,\"\u0000\n'é👩";
let folder: string;
let lake: Lake;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-fuzz-checks-"));
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run("CREATE TABLE bronze_orders (event_id VARCHAR, _event INTEGER)");
  await connection.run("CREATE TABLE bronze_dead_letters (request_id VARCHAR, event_index INTEGER)");
  const views = ["bronze_orders", "bronze_dead_letters", "dead_letters"];
  lake = {
    connection,
    views: views.map((name) => ({ name, kind: "bronze", rows: 0 })),
    versions: [],
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
});
afterEach(() => {
  lake.close();
  rmSync(folder, { recursive: true, force: true });
});

async function failuresAfter(promise: (rows: PromisedRows) => void): Promise<readonly string[]> {
  const promised = new PromisedRows(join(folder, "promised.csv"));
  promise(promised);
  promised.close();
  const failures = new FailureList();
  await checkBronze(lake, promised.path, failures);
  return failures.kept.map(({ what }) => what);
}

async function store(eventId: string | null, index: number): Promise<void> {
  await lake.connection.run("INSERT INTO bronze_orders VALUES ($1, $2)", [eventId, index]);
}

test("ids of any text are found again, and a repeated answer promises nothing more", async () => {
  await store(ODD_ID, 0);
  await store(null, 1);
  await lake.connection.run("INSERT INTO bronze_dead_letters VALUES ('r1', 2)");
  const promise = (rows: PromisedRows) => {
    rows.accepted("orders", "r1", 0, ODD_ID);
    rows.accepted("orders", "r1", 1, null);
    rows.letter("r1", 2);
  };
  const failures = await failuresAfter((rows) => {
    promise(rows);
    promise(rows);
  });
  expect(failures).toEqual([]);
  expect(await countPromised(join(folder, "promised.csv"))).toEqual({ accepted: 2, letters: 1 });
});

test("what is lost, doubled or not promised is named", async () => {
  await store("doubled", 0);
  await store("doubled", 0);
  await store("unpromised", 3);
  const failures = await failuresAfter((rows) => {
    rows.accepted("orders", "r1", 0, "doubled");
    rows.accepted("orders", "r2", 0, "lost");
    rows.letter("r3", 5);
  });
  expect(failures).toHaveLength(4);
  expect(failures).toEqual(
    expect.arrayContaining([
      'bronze_orders: event 0 of "doubled" was promised 1 times and is there 2 times',
      'bronze_orders: event 0 of "lost" was promised 1 times and is there 0 times',
      'bronze_orders: event 3 of "unpromised" was promised 0 times and is there 1 times',
      'bronze_dead_letters: event 5 of "r3" was promised 1 times and is there 0 times',
    ]),
  );
});

test("of many differences the first are listed and the others counted", async () => {
  const failures = await failuresAfter((rows) => {
    for (let index = 0; index < 5_000; index++) rows.accepted("orders", "r", index, `lost-${index}`);
  });
  expect(failures).toHaveLength(21);
  expect(failures.at(-1)).toBe("bronze: and 4980 more");
});

test("the log is searched as it comes, and of endless failures the first thousand are kept", () => {
  const watch = watchLog();
  watch.take({ level: "log", message: '{"event":"request"}' });
  expect(watch.failures.total).toBe(0);
  watch.take({ level: "log", message: "to cAnArY-bird7@example.com" });
  for (let i = 0; i < 2_000; i++) watch.take({ level: "error", message: "broken" });
  expect([watch.failures.total, watch.failures.kept.length]).toEqual([2_001, 1_000]);
  const all = new FailureList();
  all.addAll(watch.failures);
  expect(all.total).toBe(2_001);
});

test("a canary is found in values that nest deeper than a stack", () => {
  let value: unknown = { "cAnArY-bird1": 1 };
  for (let depth = 0; depth < 50_000; depth++) value = depth % 2 === 0 ? [value] : { a: value };
  expect(leaksInside(value)).toBe(true);
  expect(leaksInside({ a: ["b", 1, null] })).toBe(false);
});
