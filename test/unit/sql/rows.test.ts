/** A row that somebody edited is an error that says where it stands and what to do; other rows are read. */
import { randomUUID } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type BuildRequest, plan } from "../../../lakehouse/builds/planning/planner.ts";
import { planPolicy } from "../../../lakehouse/builds/planning/policy.ts";
import { rowsOf, textsOf } from "../../../sql/rows/row.ts";
import { RowError } from "../../../sql/rows/row-error.ts";
import { alertEventsToEmit, openAlerts } from "../../../sql/statements/alerts.ts";
import { arrivalsBetween } from "../../../sql/statements/arrivals.ts";
import { findCompaction, smallFiles } from "../../../sql/statements/compactions.ts";
import { blockingResults } from "../../../sql/statements/conditions.ts";
import { readCursor } from "../../../sql/statements/duty-backlogs.ts";
import { ledgerState } from "../../../sql/statements/ledger-balance.ts";
import { ledgerFindings } from "../../../sql/statements/ledger-findings.ts";
import { checksOf } from "../../../sql/statements/quality.ts";
import { unannouncedReleases } from "../../../sql/statements/releases.ts";
import { lastChecks } from "../../../sql/statements/run-list.ts";
import { createD1 } from "../../oracle/d1-on-sqlite.ts";

const source = { table: "things", key: ["a", "b"], remedy: "delete the row" };
const problemOf = (values: Record<string, unknown>, read: Parameters<typeof rowsOf>[1]): string => {
  const { rows, unreadable } = rowsOf(source, read).readable({ results: [values] });
  expect(rows).toHaveLength(unreadable.length === 0 ? 1 : 0);
  return unreadable[0]?.message ?? "";
};

describe("one column", () => {
  test.each<[string, unknown, Parameters<typeof rowsOf>[1]]>([
    ["a number for a text", 5, (row) => row.text("c")],
    ["null for a text", null, (row) => row.text("c")],
    ["a text for a number", "5", (row) => row.integer("c")],
    ["half a number", 1.5, (row) => row.integer("c")],
    ["a number that a double does not hold", 2 ** 53, (row) => row.integerOrNull("c")],
    ["a text for a measure", "x", (row) => row.numberOrNull("c")],
    ["two for a flag", 2, (row) => row.flag("c")],
    ["another word", "DOEN", (row) => row.oneOf("c", ["DONE", "FAILED"])],
    ["another word, where null is one", "DOEN", (row) => row.oneOfOrNull("c", ["DONE"])],
    ["a time without a zone", "2026-11-21 10:00:00", (row) => row.time("c")],
    ["a time that there is not", "2026-13-21T10:00:00Z", (row) => row.timeOrNull("c")],
    ["a day that there is not", "2026-11-41", (row) => row.date("c")],
    ["no JSON", "{", (row) => row.json("c", z.unknown())],
    ["JSON of another form", '{"d":{"e":1}}', (row) => row.json("c", z.object({ d: z.object({ e: z.string() }) }))],
    ["a column that is not there", undefined, (row) => row.text("c")],
  ])("%s", (_, value, read) => {
    const problem = problemOf({ a: "it's", b: 7, c: value }, read);
    expect(problem).toContain("things (a = 'it''s' AND b = 7): the column c holds ");
    expect(problem).toContain("UPDATE things SET c = ... WHERE a = 'it''s' AND b = 7");
    expect(problem).toMatch(/, or delete the row\.$/);
  });

  test("what is right is given as it is", () => {
    const rows = rowsOf(source, (row) => [
      row.text("a"),
      row.textOrNull("n"),
      row.integer("b"),
      row.integerOrNull("n"),
      row.number("f"),
      row.numberOrNull("n"),
      row.flag("one"),
      row.oneOf("a", ["y", "x"]),
      row.oneOfOrNull("n", ["y"]),
      row.time("t"),
      row.timeOrNull("n"),
      row.date("d"),
      row.json("j", z.array(z.int())),
      row.jsonOrNull("n", z.array(z.int())),
    ]);
    const values = {
      a: "x",
      b: 7,
      n: null,
      f: 1.5,
      one: 1,
      t: "2026-11-21T10:00:00.123456Z",
      d: "2026-11-21",
      j: "[1]",
    };
    expect(rows.in({ results: [values] })).toEqual([
      ["x", null, 7, null, 1.5, null, true, "x", null, values.t, null, values.d, [1], null],
    ]);
    expect(rows.in(undefined)).toEqual([]);
  });

  test("a long value is cut; a form's place is named", () => {
    expect(problemOf({ a: 1, b: 1, c: "x".repeat(500) }, (row) => row.date("c")).length).toBeLessThan(350);
    const nested = problemOf({ a: 1, b: 1, c: '[{"k":1}]' }, (row) =>
      row.json("c", z.array(z.object({ k: z.string() }))),
    );
    expect(nested).toContain("at /0/k");
  });
});

test("rows by statement: all, the first, none", async () => {
  const { d1 } = createD1();
  const texts = textsOf({ table: "t", remedy: "delete the row" }, "x");
  expect(await texts.all(d1.prepare("SELECT 'a' AS x UNION SELECT 'b'"))).toEqual(["a", "b"]);
  expect(await texts.first(d1.prepare("SELECT 'a' AS x"))).toBe("a");
  expect(await texts.first(d1.prepare("SELECT 'a' AS x WHERE false"))).toBeNull();
  await expect(texts.all(d1.prepare("SELECT 1 AS x"))).rejects.toThrow("t (x = 1): the column x holds 1, not a text.");
});

describe("rows of the catalog that somebody edited", () => {
  test("an alert and an alert event: the others are read", async () => {
    const { d1, sqlite } = createD1();
    const at = "'2026-11-21T10:00:00.000Z'";
    sqlite.exec(
      `INSERT INTO alerts VALUES ('a', 's', ${at}, 1, ${at}, '{'), ('b', 's', ${at}, 1, ${at}, '1'), ('c', 's', 'noon', 1, ${at}, '1')`,
    );
    const alerts = await openAlerts(d1, z.int());
    expect(alerts.rows.map(({ alert_key }) => alert_key)).toEqual(["b"]);
    expect(alerts.unreadable.map(({ column }) => column)).toEqual(["condition", "since"]);
    expect(alerts.unreadable[0]?.message).toContain("alerts (alert_key = 'a')");
    sqlite.exec(`INSERT INTO alert_events (event_id, event, made_at) VALUES ('x', '[]', ${at}), ('y', '2', ${at})`);
    const events = await alertEventsToEmit(d1, z.int(), 10);
    expect(events.rows).toEqual([{ event_id: "y", event: 2 }]);
    expect(events.unreadable[0]?.message).toMatch(/event_id = 'x'.*delete the row: the event is then not sent/);
  });

  test("an announcement: the other topics are announced", async () => {
    const { d1, sqlite } = createD1();
    const row = (topic: string, fields: string, schemas: string) =>
      sqlite.exec(
        `INSERT INTO announced_releases VALUES ('${topic}', 1, '1.0.0', 'old', '${fields}', '${schemas}', 'now')`,
      );
    row("a", '[{"name":"f"}]', "[]");
    row("b", '[{"name":"f","kind":"array","required":true,"item":{"name":"","kind":"string","required":true}}]', "[7]");
    row("c", "[]", '["7"]');
    const current = ["a", "b", "c", "d"].map((topic) => ({ topic, digest: "new" }));
    const { rows, unreadable } = await unannouncedReleases(d1, current);
    expect(rows.map(({ topic, before }) => [topic, before?.schemas])).toEqual([
      ["b", [7]],
      ["d", undefined],
    ]);
    expect(unreadable.map(({ column }) => column)).toEqual(["fields", "schemas"]);
  });

  test("a finding's hour, an instance's numbers, an hour of the ledger", async () => {
    const { d1, sqlite } = createD1();
    sqlite.exec("INSERT INTO ledger_findings VALUES ('difference', 'orders', 'noon', 1, '', 'now')");
    await expect(ledgerFindings(d1, 10)).rejects.toThrow(
      /^ledger_findings \(kind = 'difference' AND topic = 'orders' AND hour = 'noon'\): the column hour holds "noon"/,
    );
    sqlite.exec(
      `INSERT INTO ledger_arrivals (topic, shard, shard_of, incarnation, hour, messages, unnumbered, instances)
       VALUES ('orders', 0, 1, 'i', '2026-11-21T10:00:00Z', 1, 0, '{"g": [1, 1, 2, [[1, "x"]]]}')`,
    );
    await expect(arrivalsBetween(d1, ["orders"], "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z")).rejects.toThrow(
      /^ledger_arrivals \(topic = 'orders' AND hour = '2026-11-21T10:00:00Z' AND instance = 'g'\): the column unsent/,
    );
    sqlite.exec(
      `INSERT INTO parked_slices (key, topic, shard, shard_of, message_id, hour, events, bytes, cause, detail, parked_at, redriven_at)
       VALUES ('k', 'orders', 0, 1, 'm', '2026-11-21T10:00:00Z', 1, 1, 'data', '', 'now', 'later')`,
    );
    const state = ledgerState(d1, ["orders"], "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z");
    await expect(state).rejects.toThrow(RowError);
    await expect(state).rejects.toThrow(/column redriven_at holds "later"/);
  });

  test("a partition's date: the others are planned", async () => {
    const { d1, sqlite } = createD1();
    sqlite.exec(`INSERT INTO partition_meta (domain, partition_date, status) VALUES
      ('orders', 'yesterday', 'PENDING'), ('orders', '2026-11-21', 'PENDING')`);
    const sent: unknown[] = [];
    const logged: Readonly<Record<string, unknown>>[] = [];
    const builds = {
      sendBatch: async (messages: { body: BuildRequest }[]) => void sent.push(...messages.map(({ body }) => body)),
    };
    await plan({ db: d1, builds, policy: planPolicy, newNonce: randomUUID, log: (event) => void logged.push(event) });
    expect(sent).toEqual([{ domain: "orders", date: "2026-11-21", nonce: expect.any(String) }]);
    expect(logged[0]).toMatchObject({
      event: "partition_unreadable",
      error: expect.stringMatching(
        /^partition_meta \(domain = 'orders' AND partition_date = 'yesterday'\): the column partition_date holds "yesterday", not a date/,
      ),
    });
  });

  test("a compaction's input", async () => {
    const { d1, sqlite } = createD1();
    sqlite.exec(`INSERT INTO bronze_files (file, topic, shard, shard_of, incarnation, seq, rows, bytes, min_received, max_received, registered_at)
        VALUES ('f', 'orders', 0, 1, 'i', 1, 1, 1, 'noon', 'noon', '2026-11-21T10:00:00Z');
      INSERT INTO compactions (file, topic, inputs, planned_at, queued_at) VALUES ('c', 'orders', '["f"]', 'now', 0)`);
    await expect(findCompaction(d1, "c")).rejects.toThrow(
      /^bronze_files \(file = 'f'\): the column min_received holds "noon"/,
    );
  });

  test("JSON that SQL takes apart: the row is named, and stops no other", async () => {
    const { d1, sqlite } = createD1();
    const at = "2026-11-21T10:00:00.000Z";
    const check = {
      layer: "silver",
      check_name: "c",
      metric: "rowCount",
      measured: 1,
      bound: "{}",
      passed: 0,
      on_fail: "block",
      failing_rows: null,
      candidate: null,
      problem: "the query holds too much: look at fewer rows",
    };
    const good = checksOf("silver_weather", at, [check]) ?? "";
    for (const [domain, checks] of [
      ["orders", "{"],
      ["weather", good],
    ] as const)
      sqlite.exec(`
        INSERT INTO partition_meta (domain, partition_date, status) VALUES ('${domain}', '2026-11-21', 'FAILED');
        INSERT INTO partition_leases (domain, partition_date, failure_class) VALUES ('${domain}', '2026-11-21', 'data');
        INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, checks)
          VALUES ('${domain}', '2026-11-21', 'r', 1, 'FAILED', '${at}', '${at}', '${checks}')`);
    const blocking = await blockingResults(d1, 10);
    expect(blocking.map(({ domain, check_name }) => [domain, check_name.slice(0, 10)])).toEqual([
      ["orders", "unreadable"],
      ["weather", "c"],
    ]);
    const listed = await lastChecks(d1, "orders", "2026-11-21");
    expect(listed.map(({ check_name }) => check_name)).toEqual([expect.stringContaining("delete its row")]);
    expect((await lastChecks(d1, "weather", "2026-11-21")).map(({ problem }) => problem)).toEqual([check.problem]);

    sqlite.exec(
      `INSERT INTO ledger_arrivals (topic, shard, shard_of, incarnation, hour, messages, unnumbered, instances)
       VALUES ('orders', 2, 4, 'i', '2026-11-21T10:00:00Z', 1, 0, '{')`,
    );
    await expect(arrivalsBetween(d1, ["orders"], "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z")).rejects.toThrow(
      "ledger_arrivals (topic = 'orders' AND hour = '2026-11-21T10:00:00Z' AND instance = 'of shard 2 of 4, whose column instances is no JSON')",
    );

    sqlite.exec(
      "INSERT INTO compactions (file, topic, inputs, planned_at, queued_at) VALUES ('c', 'orders', '{', 'now', 0)",
    );
    expect(
      await smallFiles(d1, { since: "2026", before: "2027", maxBytes: 1, minFiles: 2, after: null, limit: 1 }),
    ).toEqual([]);
    await expect(findCompaction(d1, "c")).rejects.toThrow(
      /^compactions \(file = 'c'\): the column inputs holds "{", not JSON/,
    );
  });

  test("a duty's cursor begins it anew", () => {
    const schema = z.object({ a: z.string() });
    expect(["{", "[]", '{"a":1}', '{"a":"x"}'].map((text) => readCursor(text, schema))).toEqual([
      null,
      null,
      null,
      { a: "x" },
    ]);
  });
});

test("no statement believes the types of its rows: it reads them (sql/rows)", () => {
  const root = resolve(import.meta.dirname, "../../..");
  const layers = ["sql", "lakehouse", "durable-objects", "queue-consumers", "scheduled", "gateway"];
  const believing = globSync(
    layers.map((layer) => `${layer}/**/*.ts`),
    { cwd: root },
  ).filter((path) => {
    if (path.endsWith(".generated.ts")) return false;
    return /\.(all|first|run|batch)<(?!RowValues>)/.test(readFileSync(resolve(root, path), "utf8"));
  });
  expect(believing).toEqual([]);
});
