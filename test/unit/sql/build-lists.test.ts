/** The lists about builds: their order and pages, and that no query reads a table from its beginning. */
import { beforeEach, expect, test } from "vitest";
import { awaitedClosings } from "../../../sql/statements/awaited-closings.ts";
import { openBackfillOf } from "../../../sql/statements/backfill-list.ts";
import { advance, openBackfills } from "../../../sql/statements/backfills.ts";
import { decisionsOf } from "../../../sql/statements/partition-decisions.ts";
import {
  countPartitions,
  listPartitions,
  type PartitionFilter,
  partitionFacts,
} from "../../../sql/statements/partition-list.ts";
import { bronzeOfPartition, publishedOfPartition } from "../../../sql/statements/partition-sight.ts";
import { activePartitions } from "../../../sql/statements/partitions.ts";
import {
  lastChecks,
  listChecks,
  listEndedRuns,
  listRunningRuns,
  type RunFilter,
  runsOfPartition,
} from "../../../sql/statements/run-list.ts";
import { createD1, type D1OnSqlite } from "../../oracle/d1-on-sqlite.ts";

let db: D1OnSqlite;
beforeEach(() => {
  db = createD1();
});

const ALL: PartitionFilter = { domains: null, from: "", to: "9", status: null, after: null };
const RUNS: RunFilter = { domains: null, date: null, status: null, after: null };
const day = (n: number) => `2026-11-${String(n).padStart(2, "0")}`;

/** How SQLite reads what a function asks for. */
async function plansOf(work: () => Promise<unknown>): Promise<string[]> {
  const { prepare } = db.d1;
  const plans: string[] = [];
  db.d1.prepare = (sql) => {
    const plan = db.sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
    plans.push(...plan.map((row) => String(row["detail"])));
    return prepare(sql);
  };
  try {
    await work();
  } finally {
    db.d1.prepare = prepare;
  }
  return plans;
}

/** Reads of all of something: what is active, and what the query made itself or was given, may be. */
const scans = (plans: readonly string[]) =>
  plans.filter(
    (plan) =>
      plan.startsWith("SCAN ") &&
      !/partition_meta_active|partition_inputs_unbuilt|partition_leases_awaiting|ended_runs_by_end|backfills_open|json_each|subquery|SCAN (a|c|r|t|p) ?/.test(
        plan,
      ),
  );

test("no query of a list or of the planner's tick reads a table from its beginning", async () => {
  const { d1 } = db;
  const after = { date: day(3), domain: "a" };
  const runAfter = { finished_at: "x", domain: "a", partition_date: day(1), run_id: "r" };
  const asked: readonly (() => Promise<unknown>)[] = [
    ...["DEAD", "DONE", "UNDISCOVERED", null].flatMap((status) =>
      [null, ["a", "b"]].map((domains) => () => listPartitions(d1, { ...ALL, status, domains, after }, 5)),
    ),
    () => countPartitions(d1, ALL),
    () => countPartitions(d1, { ...ALL, domains: ["a"] }),
    () => partitionFacts(d1, "a", day(1)),
    () => listEndedRuns(d1, { ...RUNS, after: runAfter }, 5, 10),
    () => listRunningRuns(d1, RUNS, 5),
    () => runsOfPartition(d1, "a", day(1), 5),
    () => listChecks(d1, { ...RUNS, after: runAfter, passed: false, check: null }, 5),
    () => lastChecks(d1, "a", day(1)),
    () => decisionsOf(d1, "a", day(1)),
    () => bronzeOfPartition(d1, "a", day(1)),
    () => publishedOfPartition(d1, ["a"], day(1)),
    () => awaitedClosings(d1, { domains: null, date: null }, 5),
    () => awaitedClosings(d1, { domains: ["a"], date: day(1) }, 5),
    () => activePartitions(d1),
    () => openBackfills(d1, 5),
    () => openBackfillOf(d1, "a", day(1)),
    () => advance(d1, ["b1"], { behindMs: 1, native: { all: ["a"], sent: ["b"] } }),
  ];
  for (const [n, ask] of asked.entries()) {
    const plans = await plansOf(ask);
    expect(plans.length, String(n)).toBeGreaterThan(0);
    expect(scans(plans), plans.join("\n")).toEqual([]);
  }
});

test("partitions: the newest first, by domain within a date, in pages, with those that no planner has seen", async () => {
  for (let n = 1; n <= 4; n++) {
    for (const domain of ["a", "b", "c"]) {
      const status = n === 2 ? "DEAD" : "DONE";
      db.sqlite
        .prepare("INSERT INTO partition_meta (domain, partition_date, status) VALUES (?, ?, ?)")
        .run(domain, day(n), status);
    }
  }
  db.sqlite.exec(
    `INSERT INTO partition_inputs (domain, partition_date, version, built_version) VALUES ('b', '${day(9)}', 1, 0), ('a', '${day(3)}', 2, 1)`,
  );
  const nameOf = ({ partition_date, domain }: { partition_date: string; domain: string }) =>
    `${partition_date.slice(8)}${domain}`;
  const pages = async (filter: Partial<PartitionFilter>, limit: number) => {
    const names: string[] = [];
    for (let after: PartitionFilter["after"] = null; ; ) {
      const page = await listPartitions(db.d1, { ...ALL, ...filter, after }, limit);
      names.push(...page.map(nameOf));
      const last = page.at(-1);
      if (last === undefined) return names;
      after = { date: last.partition_date, domain: last.domain };
    }
  };
  const all = ["09b", ..."04a 04b 04c 03a 03b 03c 02a 02b 02c 01a 01b 01c".split(" ")];
  for (const limit of [1, 2, 5, 100]) expect(await pages({}, limit)).toEqual(all);
  expect(await pages({ domains: ["b", "c"] }, 2)).toEqual(all.filter((name) => !name.endsWith("a")));
  expect(await pages({ domains: [] }, 2)).toEqual([]);
  expect(await pages({ status: "DEAD" }, 2)).toEqual(["02a", "02b", "02c"]);
  expect(await pages({ status: "DEAD", domains: ["b"] }, 2)).toEqual(["02b"]);
  expect(await pages({ status: "UNDISCOVERED" }, 2)).toEqual(["09b"]);
  expect(await pages({ from: day(2), to: day(3) }, 2)).toEqual(all.slice(4, 10));
  const counts = async (filter: Partial<PartitionFilter>) =>
    Object.fromEntries(
      (await countPartitions(db.d1, { ...ALL, ...filter })).map((each) => [each.status, each.partitions]),
    );
  expect(await counts({})).toEqual({ DONE: 9, DEAD: 3, UNDISCOVERED: 1 });
  expect(await counts({ domains: ["b"], to: day(3) })).toEqual({ DONE: 2, DEAD: 1 });
});

test("runs and checks: the last first, in pages that look at a bounded number of runs", async () => {
  const checks = (measured: number) =>
    JSON.stringify({
      table_name: "silver_a",
      checked_at: "t",
      results: [
        {
          layer: "silver",
          check_name: "c",
          metric: "rowCount",
          measured,
          bound: "{}",
          passed: measured % 2,
          on_fail: "warn",
        },
      ],
    });
  const at = (n: number) => `2026-11-21T10:00:0${n}.000Z`;
  for (let n = 1; n <= 9; n++) {
    const domain = n % 3 === 0 ? "b" : "a";
    db.sqlite
      .prepare(
        "INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks) VALUES (?, ?, ?, 1, 'DONE', ?, ?, 1, 1, NULL, ?)",
      )
      .run(domain, day(n), `r${n}`, at(n), at(n), n === 5 ? null : checks(n));
  }
  const walk = async (filter: Partial<RunFilter>, limit: number, examined: number) => {
    const runs: string[] = [];
    for (let after: RunFilter["after"] = null, pages = 0; ; pages++) {
      const { rows, next } = await listEndedRuns(db.d1, { ...RUNS, ...filter, after }, limit, examined);
      runs.push(...rows.map(({ run_id }) => run_id));
      if (next === null || pages > 20) return runs;
      after = next;
    }
  };
  const all = ["r9", "r8", "r7", "r6", "r5", "r4", "r3", "r2", "r1"];
  for (const [limit, examined] of [
    [1, 1],
    [2, 3],
    [3, 2],
    [9, 9],
    [50, 50],
  ] as const) {
    expect(await walk({}, limit, examined)).toEqual(all);
    expect(await walk({ domains: ["b"] }, limit, examined)).toEqual(["r9", "r6", "r3"]);
  }
  expect(await walk({ date: day(4) }, 5, 2)).toEqual(["r4"]);
  expect(await walk({ status: "FAILED" }, 5, 2)).toEqual([]);
  const measured: (number | null)[] = [];
  for (let after: RunFilter["after"] = null; ; ) {
    const { rows, next } = await listChecks(db.d1, { ...RUNS, after, passed: false, check: "c" }, 2);
    measured.push(...rows.map((row) => row.measured));
    if (next === null) break;
    after = next;
  }
  expect(measured).toEqual([8, 6, 4, 2]);
});
