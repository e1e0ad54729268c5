/** Numbers of flushes, and the inputs of a partition by position, wherever compaction put their rows. */
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bronzeInputs, unseenInputs } from "../../../lakehouse/tables/bronze/inputs.ts";
import { type BronzeFile, registerFlush } from "../../../sql/statements/bronze.ts";
import { type BronzeInput, MAX_INPUTS } from "../../../sql/statements/bronze-inputs.ts";
import { insertCompaction, registerCompaction } from "../../../sql/statements/compactions.ts";
import { readMigrations } from "../../../tools/local-platform/migrations.ts";
import { Objects } from "../../oracle/bronze-objects.ts";
import { createD1, type D1OnSqlite } from "../../oracle/d1-on-sqlite.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { registerFiles } from "../../oracle/register.ts";

const DAY = "2026-11-21";
const NOW = "2026-11-21T12:00:00.000Z";
const NOTHING_FOLDED = new MemoryBucket();
const MIGRATIONS = resolve(import.meta.dirname, "../../../sql/migrations");

function fileOf(incarnation: string, seq: number, rows: number, changes: Partial<BronzeFile> = {}): BronzeFile {
  const name = { topic: "orders", shard: 0, shardOf: 1, incarnation, seq };
  return {
    ...name,
    file: `bronze/orders/event_date=${DAY}/000-${incarnation}-${String(seq).padStart(8, "0")}.parquet`,
    rows,
    bytes: 1,
    minReceived: NOW,
    maxReceived: NOW,
    dates: [{ date: DAY, firstRow: 0, rows }],
    ...changes,
  };
}

async function register(at: D1OnSqlite, ...files: BronzeFile[]): Promise<void> {
  for (const file of files) await at.d1.batch(registerFiles(at.d1, [file], NOW));
}

function rows(sqlite: DatabaseSync, sql: string): Record<string, unknown>[] {
  return sqlite
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

describe("the number of a flush", () => {
  test("is the next of its topic, whichever shard and incarnation it is of, and the same for all of its files", async () => {
    const at = createD1();
    await register(at, fileOf("a", 1, 5), fileOf("z", 1, 5, { shard: 1, shardOf: 2, file: "f" }), fileOf("a", 2, 5));
    await register(at, fileOf("a", 9, 1, { topic: "users", file: "u" }), fileOf("b", 1, 5));
    const two = [fileOf("b", 2, 1, { file: "one" }), fileOf("b", 2, 1, { file: "two", dates: [] })];
    await at.d1.batch(registerFiles(at.d1, two, NOW));
    expect(
      rows(
        at.sqlite,
        "SELECT topic, incarnation, seq, registration AS n FROM bronze_files ORDER BY topic, n, file",
      ).map(({ topic, incarnation, seq, n }) => [topic, incarnation, seq, n].join(" ")),
    ).toEqual([
      "orders a 1 1",
      "orders z 1 2",
      "orders a 2 3",
      "orders b 1 4",
      "orders b 2 5",
      "orders b 2 5",
      "users a 9 1",
    ]);
  });

  test("a flush that comes again registers nothing, whatever was registered since and when its rows are gone", async () => {
    const at = createD1();
    const all = () =>
      ["bronze_files", "bronze_file_dates", "bronze_file_hours", "partition_inputs"].map((t) =>
        rows(at.sqlite, `SELECT * FROM ${t}`),
      );
    await register(at, fileOf("a", 1, 5), fileOf("a", 2, 5), fileOf("b", 1, 5));
    const before = all();
    await register(at, fileOf("a", 1, 5), fileOf("a", 2, 5), fileOf("b", 1, 5));
    expect(all()).toEqual(before);
    at.sqlite.exec("DELETE FROM bronze_file_hours; DELETE FROM bronze_file_dates; DELETE FROM bronze_files");
    await register(at, fileOf("a", 2, 5), fileOf("b", 1, 5), fileOf("a", 1, 5));
    expect(rows(at.sqlite, "SELECT file FROM bronze_files")).toEqual([]);
    expect(rows(at.sqlite, "SELECT rows FROM bronze_file_hours")).toEqual([]);
    await register(at, fileOf("b", 2, 5));
    expect(rows(at.sqlite, "SELECT seq, registration FROM bronze_files")).toEqual([{ seq: 2, registration: 4 }]);
    expect(rows(at.sqlite, "SELECT registered FROM shards")).toEqual([{ registered: '{"a":2,"b":2}' }]);
  });

  test("says what else the shard has, as often as it is registered", async () => {
    const at = createD1();
    const flush = { topic: "orders", shard: 0, shardOf: 1, incarnation: "a", seq: 1 };
    for (const waiting of [7, 0])
      await at.d1.batch(
        registerFlush(at.d1, flush, [], { rows: waiting, bytes: waiting, oldestAt: waiting || null }, NOW),
      );
    expect(rows(at.sqlite, "SELECT buffered_rows, oldest_unflushed, last_flush_at, registration FROM shards")).toEqual([
      { buffered_rows: 0, oldest_unflushed: null, last_flush_at: NOW, registration: 1 },
    ]);
  });

  test("cannot come back, since the shards that hold the numbers stay", async () => {
    const at = createD1();
    await register(at, fileOf("a", 1, 5));
    expect(() => at.sqlite.exec("DELETE FROM shards")).toThrow("set retired_at instead");
  });
});

describe("the inputs of a partition", () => {
  const OTHER = "2026-11-20";
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("flush" as const),
        incarnation: fc.constantFrom("b", "a", "c"),
        rows: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
      }),
    },
    // Of one incarnation, as they are planned; or of all, as versions before planned them.
    { weight: 1, arbitrary: fc.record({ do: fc.constant("compact" as const), one: fc.boolean() }) },
  );

  test("read in any portions are all of them, in the order of registration, where their rows stand", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
        async (steps, limits) => {
          const at = createD1();
          const objects = new Objects();
          const small: BronzeFile[] = [];
          const expected: string[] = [];
          let seq = 0;
          for (const one of steps) {
            seq++;
            if (one.do === "flush") {
              let firstRow = 0;
              const dates = one.rows.map((count, n) => {
                const range = { date: n === 0 ? DAY : OTHER, firstRow, rows: count };
                firstRow += count;
                return range;
              });
              const file = fileOf(one.incarnation, seq, firstRow, { dates });
              await register(at, file);
              const registration = expected.length + 1;
              objects.flush(file, registration);
              small.push(file);
              expected.push(
                `${registration}: ${Array.from({ length: one.rows[0] ?? 0 }, (_, row) => `${registration}/${row}`)}`,
              );
              continue;
            }
            const [first] = small;
            const group = small.filter(({ incarnation }) => !one.one || incarnation === first?.incarnation);
            if (first === undefined || group.length < 2) continue;
            for (const file of group) small.splice(small.indexOf(file), 1);
            const inputs = group.toSorted((a, b) => (a.file < b.file ? -1 : 1));
            const keys = inputs.map((input) => input.file);
            const compacted = fileOf(
              "compacted",
              seq,
              group.reduce((sum, input) => sum + input.rows, 0),
            );
            const dates = objects.compact(compacted.file, inputs);
            await insertCompaction(at.d1, { file: compacted.file, topic: "orders", inputs: keys }, 0).run();
            expect(await registerCompaction(at.d1, { ...compacted, dates }, keys, NOW)).toBe("DONE");
          }
          const told = (inputs: readonly BronzeInput[]) =>
            inputs.map((input) => `${input.registration}: ${objects.read(input)}`);
          expect(told(await bronzeInputs(at.d1, NOTHING_FOLDED, "orders", DAY))).toEqual(expected);

          const found: string[] = [];
          let seen = 0;
          for (let portion = 0; ; portion++) {
            const limit = limits[portion % limits.length] ?? 1;
            const { inputs, through, more } = await unseenInputs(at.d1, NOTHING_FOLDED, "orders", DAY, seen, limit);
            const count = inputs.reduce((sum, input) => sum + input.rows, 0);
            expect(count <= limit || inputs.length === 1).toBe(true);
            expect(through).toBe(inputs.at(-1)?.registration ?? seen);
            found.push(...told(inputs));
            seen = through;
            if (!more) break;
            expect(inputs.length).toBeGreaterThan(0);
          }
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("are at most so many at once, and those of the compacted file that the last portion cut", async () => {
    const at = createD1();
    const count = MAX_INPUTS + 5;
    for (let seq = 1; seq <= count; seq++) await register(at, fileOf(seq % 2 === 0 ? "a" : "b", seq, 2));
    const files = rows(at.sqlite, "SELECT file FROM bronze_files ORDER BY file").map(({ file }) => String(file));
    const compacted = fileOf("compacted", 1, count * 2);
    await insertCompaction(at.d1, { file: compacted.file, topic: "orders", inputs: files }, 0).run();
    await registerCompaction(at.d1, compacted, files, NOW);
    const all = await bronzeInputs(at.d1, NOTHING_FOLDED, "orders", DAY);
    const first = await unseenInputs(at.d1, NOTHING_FOLDED, "orders", DAY, 0, 1e9);
    expect([first.inputs, first.through, first.more]).toEqual([all.slice(0, MAX_INPUTS), MAX_INPUTS, true]);
    const rest = await unseenInputs(at.d1, NOTHING_FOLDED, "orders", DAY, first.through, 1e9);
    expect([rest.inputs, rest.through, rest.more]).toEqual([all.slice(MAX_INPUTS), count, false]);
    expect(await unseenInputs(at.d1, NOTHING_FOLDED, "orders", DAY, count, 1e9)).toEqual({
      inputs: [],
      through: count,
      more: false,
    });
  });
});

describe("0014", () => {
  const OLD_FILE = `INSERT INTO bronze_files (file, topic, shard, shard_of, incarnation, seq, rows, bytes, min_received, max_received, registered_at)
    VALUES (?, 'orders', 0, 1, ?, ?, ?, 1, '', '', ?) ON CONFLICT DO NOTHING`;
  const OLD_DATE = `INSERT INTO bronze_file_dates (topic, partition_date, file, first_row, rows) VALUES ('orders', '${DAY}', ?, 0, ?) ON CONFLICT DO NOTHING`;

  /** As the version before registers. */
  function oldFile(db: DatabaseSync, incarnation: string, seq: number, at: string): BronzeFile {
    const file = fileOf(incarnation, seq, 2);
    db.prepare(OLD_FILE).run(file.file, incarnation, seq, 2, at);
    db.prepare(OLD_DATE).run(file.file, 2);
    return file;
  }

  function oldCompaction(db: DatabaseSync, name: string, inputs: readonly BronzeFile[]): void {
    const { file } = fileOf(name, 0, 0);
    db.prepare(
      "INSERT INTO compactions (file, topic, inputs, status, planned_at, queued_at) VALUES (?, 'orders', '[]', 'DONE', '', 0)",
    ).run(file);
    db.prepare(OLD_FILE).run(file, name, 0, inputs.length * 2, "2026-11-21T14:00");
    db.prepare(OLD_DATE).run(file, inputs.length * 2);
    for (const input of inputs)
      db.prepare("UPDATE bronze_files SET retired_by = ? WHERE file = ?").run(file, input.file);
  }

  test("numbers a lake by (registered_at, file), keeps compacted rows where they are, and goes on from there", async () => {
    const db = new DatabaseSync(":memory:");
    for (const { name, sql } of readMigrations(MIGRATIONS)) {
      if (!name.startsWith("0014")) {
        db.exec(sql);
        continue;
      }
      const moved = [oldFile(db, "z", 1, "2026-11-21T12:00"), oldFile(db, "b", 1, "2026-11-21T12:01")];
      oldCompaction(db, "c1", moved);
      oldCompaction(db, "c2", [oldFile(db, "b", 2, "2026-11-21T12:02"), oldFile(db, "b", 3, "2026-11-21T12:03")]);
      oldFile(db, "b", 5, "2026-11-21T12:05");
      oldFile(db, "b", 4, "2026-11-21T12:05");
      db.exec(sql);
      break;
    }
    for (const { name, sql } of readMigrations(MIGRATIONS)) if (name.startsWith("0020")) db.exec(sql);
    const at = createD1(db);
    const stand = async () =>
      (await bronzeInputs(at.d1, NOTHING_FOLDED, "orders", DAY)).map(
        ({ registration, file, stored_file, stored_row }) =>
          [registration, file, stored_file, stored_row]
            .map((part) => String(part).replace(/.*\/000-(\w+)-0+(\d*).parquet/, "$1$2"))
            .join(" "),
      );
    const before = ["1 z1 c1 2", "2 b1 c1 0", "3 b2 c2 0", "4 b3 c2 2", "5 b4 b4 0", "6 b5 b5 0"];
    expect(await stand()).toEqual(before);
    expect(
      (await unseenInputs(at.d1, NOTHING_FOLDED, "orders", DAY, 1, 2)).inputs.map(({ stored_row }) => stored_row),
    ).toEqual([0]);
    expect(rows(db, "SELECT registration, registered FROM shards")).toEqual([
      { registration: 6, registered: '{"b":5,"z":1}' },
    ]);
    expect(rows(db, "SELECT first_registration AS first FROM compactions ORDER BY file")).toEqual([
      { first: null },
      { first: 3 },
    ]);

    // What the version before registered is known, by either version; what it registers now is numbered.
    await register(at, fileOf("b", 5, 2));
    oldFile(db, "b", 5, NOW);
    expect(await stand()).toEqual(before);
    oldFile(db, "b", 6, NOW);
    await register(at, fileOf("b", 6, 2), fileOf("b", 7, 2));
    oldFile(db, "b", 6, NOW);
    oldCompaction(db, "c3", [fileOf("b", 6, 2), fileOf("b", 7, 2)]);
    expect((await stand()).slice(6)).toEqual(["7 b6 c3 0", "8 b7 c3 2"]);
    expect(
      (await unseenInputs(at.d1, NOTHING_FOLDED, "orders", DAY, 7, 2)).inputs.map(({ stored_row }) => stored_row),
    ).toEqual([2]);
    expect(rows(db, "SELECT count(*) AS n FROM bronze_file_dates WHERE registration > 0")).toEqual([{ n: 8 }]);
  });
});
