/** The comparison of the ledger on D1, and the conditions that come of it: they begin, last and end. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { ledgerSource } from "../../../scheduled/conditions/ledger.ts";
import { compareLedger } from "../../../scheduled/ledger.ts";
import { publishArrivals } from "../../../sql/statements/arrivals.ts";
import { createD1, type D1OnSqlite } from "../../oracle/d1-on-sqlite.ts";
import { uuidAt } from "../../oracle/frames.ts";
import { registerFiles } from "../../oracle/register.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;
const HOUR = "2026-11-21T09:00:00Z";
const INSTANCE = uuidAt(Date.UTC(2026, 10, 21, 8), 1);
const PROMISES = new Map([["payments", 99]]);

let db: D1OnSqlite;
beforeEach(() => {
  db = createD1();
});

function appended(events: number, publishedAt: string): void {
  db.sqlite
    .prepare("INSERT OR REPLACE INTO ledger VALUES ('orders', 0, 1, 'i', ?, '', ?, ?)")
    .run(HOUR, events, publishedAt);
}

function bronze(rows: number): void {
  db.sqlite
    .prepare("INSERT OR REPLACE INTO bronze_file_hours VALUES ('orders', '2026-11-21', ?, 'f', ?, ?)")
    .run(HOUR, rows, HOUR);
}

function arrived(hour: string, instances: Readonly<Record<string, readonly number[]>>): Promise<unknown> {
  const messages = Object.values(instances).reduce((sum, [count = 0]) => sum + count, 0);
  const line = { hour, messages, unnumbered: 0, instances: JSON.stringify(instances) };
  return db.d1.batch([publishArrivals(db.d1, { topic: "orders", shard: 0, shardOf: 1, incarnation: "i" }, [line])]);
}

const conditions = () => ledgerSource(db.d1).find(NOW);

describe("differences", () => {
  test("what was appended lately is on its way; an hour later it is missing, until it is there", async () => {
    appended(5, new Date(NOW).toISOString());
    bronze(3);
    expect(await compareLedger(db.d1, PROMISES, NOW + 59 * MINUTE)).toMatchObject({ differences: 0 });
    expect(await conditions()).toEqual([]);
    expect(await compareLedger(db.d1, PROMISES, NOW + 60 * MINUTE)).toMatchObject({ differences: 1 });
    const [condition] = await conditions();
    expect(condition).toMatchObject({
      key: `ledger_difference/orders/${HOUR}`,
      kind: "ledger_difference",
      severity: "critical",
      domain: "orders",
      partitionDate: "2026-11-21",
      measured: 2,
      bound: 0,
    });
    expect(condition?.message).toMatch(/2 events of orders .* are missing: accepted 5, buffered 0, parked 0, bronze 3/);
    // Days later it still lasts, though its hour is out of the usual window; then the rows are found.
    expect(await compareLedger(db.d1, PROMISES, NOW + 5 * 24 * 60 * MINUTE)).toMatchObject({ differences: 1 });
    bronze(5);
    expect(await compareLedger(db.d1, PROMISES, NOW + 5 * 24 * 60 * MINUTE)).toMatchObject({ differences: 0 });
    expect(await conditions()).toEqual([]);
  });

  test("an hour that was balanced long ago is compared with each late flush that adds to it", async () => {
    const flush = (seq: number, rows: number, at: number) => {
      const name = { topic: "orders", shard: 0, shardOf: 1, incarnation: "i", seq, file: `f${seq}`, rows, bytes: 1 };
      const dates = [{ date: "2026-11-21", firstRow: 0, rows }];
      const file = { ...name, minReceived: HOUR, maxReceived: HOUR, dates };
      return db.d1.batch(registerFiles(db.d1, [file], new Date(at).toISOString()));
    };
    appended(5, new Date(NOW).toISOString());
    await flush(1, 5, NOW);
    const later = NOW + 44 * 60 * MINUTE;
    expect(await compareLedger(db.d1, PROMISES, later)).toMatchObject({ differences: 0 });
    await flush(2, 2, later);
    await compareLedger(db.d1, PROMISES, later);
    expect((await conditions())[0]?.message).toMatch(/2 events of orders too many/);
    appended(7, new Date(later).toISOString());
    expect(await compareLedger(db.d1, PROMISES, later)).toMatchObject({ differences: 0 });
    appended(8, new Date(later).toISOString());
    expect(await compareLedger(db.d1, PROMISES, later + 60 * MINUTE)).toMatchObject({ differences: 1 });
  });

  test("more in bronze than was appended is wrong at once", async () => {
    appended(3, new Date(NOW).toISOString());
    bronze(5);
    await compareLedger(db.d1, PROMISES, NOW);
    expect((await conditions())[0]?.message).toMatch(/2 events of orders too many/);
  });
});

describe("suspected losses", () => {
  test("a gap is in flight for an hour, then suspected, and nothing once the message has come", async () => {
    await arrived(HOUR, { [INSTANCE]: [4, 1, 5] });
    expect(await compareLedger(db.d1, PROMISES, Date.UTC(2026, 10, 21, 10, 59))).toMatchObject({ suspected_losses: 0 });
    expect(await compareLedger(db.d1, PROMISES, Date.UTC(2026, 10, 21, 11))).toMatchObject({ suspected_losses: 1 });
    const [condition] = await conditions();
    expect(condition).toMatchObject({ key: `suspected_loss/orders/${HOUR}`, measured: 1, severity: "critical" });
    expect(condition?.message).toContain(`gateway instances ${INSTANCE} (1)`);
    await arrived(HOUR, { [INSTANCE]: [5, 1, 5] });
    await compareLedger(db.d1, PROMISES, NOW);
    expect(await conditions()).toEqual([]);
  });

  test("a gap between two hours lasts while the window moves on", async () => {
    await arrived(HOUR, { [INSTANCE]: [5, 1, 5] });
    await arrived("2026-11-22T20:00:00Z", { [INSTANCE]: [3, 8, 10] });
    for (const days of [1.5, 3, 5]) {
      expect(await compareLedger(db.d1, PROMISES, NOW + days * 24 * 60 * MINUTE)).toMatchObject({
        suspected_losses: 1,
      });
    }
    expect((await conditions())[0]).toMatchObject({ key: "suspected_loss/orders/2026-11-22T20:00:00Z", measured: 2 });
  });

  test("what is years old is forgotten", async () => {
    await arrived("2026-10-01T00:00:00Z", { [INSTANCE]: [1, 1, 1] });
    await compareLedger(db.d1, PROMISES, NOW);
    expect(db.sqlite.prepare("SELECT count(*) AS n FROM ledger_arrivals").get()).toEqual({ n: 0 });
  });
});

describe("completeness", () => {
  const DAY = "2026-11-20";
  const received = (hour: string, detail: string, events: number) =>
    db.sqlite
      .prepare("INSERT OR REPLACE INTO ledger VALUES (?, 0, 1, 'i', ?, ?, ?, ?)")
      .run(detail === "" ? "payments" : "dead_letters", `${DAY}T${hour}:00:00Z`, detail, events, `${DAY}T23:00:00Z`);
  const built = (hour: string, events: number, replayed: number) => {
    const at = `${DAY}T${hour}:00:00Z`;
    db.sqlite
      .prepare("INSERT OR REPLACE INTO bronze_file_hours VALUES ('payments', ?, ?, 'f', ?, ?)")
      .run(DAY, at, events, at);
    db.sqlite
      .prepare("INSERT OR REPLACE INTO ledger_outcomes VALUES ('payments', ?, ?, 'silver', ?, ?)")
      .run(DAY, at, events, replayed);
  };

  test("a day that is over and has less than was promised is told for a day, or until a replay brings in what is missing", async () => {
    received("01", "", 97);
    received("23", "", 2);
    received("02", "payments|MISSING_FIELD", 2);
    built("01", 97, 0);
    built("23", 2, 0);
    // Of the day under way nobody can say yet.
    expect(await compareLedger(db.d1, PROMISES, Date.parse("2026-11-20T23:59:00Z"))).toMatchObject({ incomplete: 0 });
    expect(await compareLedger(db.d1, PROMISES, NOW)).toMatchObject({ incomplete: 1 });
    expect((await conditions()).filter(({ domain }) => domain === "payments")).toEqual([
      {
        key: `completeness/payments/${DAY}`,
        kind: "completeness",
        severity: "warning",
        message: expect.stringContaining(
          "2 events of payments received on 2026-11-20 are not in its table: it has 98.019% of 101 events, promised are 99%",
        ),
        domain: "payments",
        partitionDate: DAY,
        measured: 2,
      },
    ]);
    expect(await compareLedger(db.d1, PROMISES, NOW + 24 * 60 * MINUTE)).toMatchObject({ incomplete: 0 });
    received("02", "", 1);
    built("02", 1, 1);
    expect(await compareLedger(db.d1, PROMISES, NOW)).toMatchObject({ incomplete: 0 });
    expect(await compareLedger(db.d1, new Map([["payments", 100]]), NOW)).toMatchObject({ incomplete: 1 });
    expect(await compareLedger(db.d1, new Map(), NOW)).toMatchObject({ incomplete: 0 });
  });

  test("what waits for its build is not missing", async () => {
    received("01", "", 5);
    db.sqlite
      .prepare("INSERT INTO bronze_file_hours VALUES ('payments', ?, ?, 'f', 5, ?)")
      .run(DAY, `${DAY}T01:00:00Z`, `${DAY}T01:01:00Z`);
    expect(await compareLedger(db.d1, new Map([["payments", 100]]), NOW)).toMatchObject({ incomplete: 0 });
  });
});

test("findings that did not change are not written again", async () => {
  appended(5, HOUR);
  bronze(3);
  await compareLedger(db.d1, PROMISES, NOW);
  await compareLedger(db.d1, PROMISES, NOW + 15 * MINUTE);
  expect(db.sqlite.prepare("SELECT found_at FROM ledger_findings").all()).toEqual([
    { found_at: new Date(NOW).toISOString() },
  ]);
});

test("hours from before the migration are counted, and not judged", async () => {
  const old = new DatabaseSync(":memory:");
  const migrations = resolve(import.meta.dirname, "../../../sql/migrations");
  const apply = (name: string) => old.exec(readFileSync(join(migrations, name), "utf8"));
  apply("0001_catalog.sql");
  old.exec(`
    INSERT INTO bronze_files VALUES ('f', 'orders', 0, 1, 'i', 1, 5, 9, '2026-11-21T08:59:00Z', '2026-11-21T09:01:00Z', '2026-11-21T09:02:00Z', NULL);
    INSERT INTO bronze_file_dates VALUES ('orders', '2026-11-20', 'f', 0, 2), ('orders', '2026-11-21', 'f', 2, 3);
    INSERT INTO ledger VALUES ('orders', 0, 1, 'i', '2026-11-21T09:00:00Z', '', 4);`);
  apply("0007_ledger.sql");
  const hours = old.prepare("SELECT partition_date, hour, rows, registered_at FROM bronze_file_hours ORDER BY 1").all();
  expect(hours.map((row) => ({ ...row }))).toEqual([
    { partition_date: "2026-11-20", hour: "2026-11-21T08:00:00Z", rows: 2, registered_at: "" },
    { partition_date: "2026-11-21", hour: "2026-11-21T08:00:00Z", rows: 3, registered_at: "" },
  ]);
  for (const table of ["bronze_file_hours", "ledger"]) {
    for (const row of old.prepare(`SELECT * FROM ${table}`).all()) {
      const marks = Object.keys(row).map(() => "?");
      db.sqlite.prepare(`INSERT INTO ${table} (${Object.keys(row)}) VALUES (${marks})`).run(...Object.values(row));
    }
  }
  expect(await compareLedger(db.d1, PROMISES, NOW)).toMatchObject({ differences: 0 });
});
