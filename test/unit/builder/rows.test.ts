/** What a builder writes is what the order says: names, types, order, layout, in files that our reader and DuckDB read. */
import { afterAll, describe, expect, test } from "vitest";
import { bytesSource, openParquet } from "../../../lakehouse/engine/parquet/reader.ts";
import { orderOf } from "../../oracle/builder-platform.ts";
import { permit } from "../../oracle/permit.ts";
import { inputFile, parquetOf, removeFolders, rowsOf, runOrders } from "./built.ts";

afterAll(removeFolders);

const EVERY_TYPE = [
  ["b", "BOOLEAN", "true"],
  ["i", "INTEGER", "-2147483648"],
  ["l", "BIGINT", "9223372036854775807"],
  ["f", "DOUBLE", "0.1"],
  ["d9", "DECIMAL(9,2)", "-12.50"],
  ["d18", "DECIMAL(18,4)", "99999999999999.9999"],
  ["d38", "DECIMAL(38,10)", "1234567890123456789012345678.0123456789"],
  ["day", "DATE", "DATE '2026-03-18'"],
  ["at", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ '2026-03-18 01:02:03.456789+02'"],
  ["t", "VARCHAR", "'it''s \"é\"'"],
  ["bin", "BLOB", "'\\x00\\xFF'::BLOB"],
  ["li", "VARCHAR[]", "['x', NULL, '']"],
  ["s", 'STRUCT("a b" INTEGER, "c" DECIMAL(4,1)[])', "{'a b': 7, 'c': [1.5]}"],
] as const;

const columns = EVERY_TYPE.map(([name, type]) => ({ name, type }));

describe("a builder's output", () => {
  test("has every type as our reader knows it, NULLs too, and the metadata that the order names", async () => {
    const source = await parquetOf(
      `SELECT 1 AS n, ${EVERY_TYPE.map(([name, type, value]) => `CAST(${value} AS ${type}) AS "${name}"`).join(", ")}
       UNION ALL SELECT 2, ${EVERY_TYPE.map(() => "NULL").join(", ")}`,
    );
    const order = orderOf({
      sql: "SELECT * FROM silver_things",
      inputs: [
        {
          table: "silver_things",
          columns: [{ name: "n", type: "INTEGER" }, ...columns],
          files: [inputFile("silver/things/1.parquet", source, 2)],
        },
      ],
      output: {
        columns: [{ name: "n", type: "BIGINT" }, ...columns],
        order: ["n"],
        metadata: { "sluice.run": "it's", 'odd "key"': "v" },
      },
    });
    const { platform, events } = await runOrders([order], { objects: new Map([["silver/things/1.parquet", source]]) });
    expect(platform.violations).toEqual([]);
    expect(events).toMatchObject([{ outcome: "published", rows_in: 2, rows_out: 2, files_out: 1 }]);
    const bytes = platform.outputs.get(`${order.run}/0`);
    const [first, second] = await rowsOf(bytes);
    expect(first).toEqual({
      ...{ n: 1n, b: true, i: -2147483648, l: 9223372036854775807n, f: 0.1, d9: "-12.50", d18: "99999999999999.9999" },
      ...{ d38: "1234567890123456789012345678.0123456789", day: 20530, at: 1773788523456789n, t: 'it\'s "é"' },
      ...{ bin: Uint8Array.of(0, 255), li: ["x", null, ""], s: { "a b": 7, c: ["1.5"] } },
    });
    expect(second).toEqual({ n: 2n, ...Object.fromEntries(columns.map(({ name }) => [name, null])) });
    const file = await openParquet(bytesSource("output", bytes!));
    expect(file.metadata.get("sluice.run")).toBe("it's");
    expect(file.metadata.get('odd "key"')).toBe("v");
    expect(file.schema(permit).map(({ name, type }) => [name, type.kind])).toContainEqual(["at", "timestamp"]);
    expect(file.range(0, "n")).toBeDefined();
    expect(file.range(0, "d38")).toBeDefined();
  });

  test("has the columns that older files lack: NULL, or what the order says of them; narrower types are widened", async () => {
    const old = await parquetOf("SELECT 1 AS id, 5::INTEGER AS amount, {'x': 1} AS s");
    const young = await parquetOf(
      "SELECT 2 AS id, 6000000000 AS amount, {'x': 2, 'y': 'q'} AS s, 'web' AS channel, 1.25 AS fee",
    );
    const order = orderOf({
      sql: "SELECT id, amount, s, channel, fee, never FROM silver_things",
      inputs: [
        {
          table: "silver_things",
          columns: [
            { name: "id", type: "INTEGER" },
            { name: "amount", type: "BIGINT" },
            { name: "s", type: 'STRUCT("x" BIGINT, "y" VARCHAR)' },
            { name: "channel", type: "VARCHAR", missing: "'it''s unknown'" },
            { name: "fee", type: "DECIMAL(10,2)" },
            { name: "never", type: "DATE", missing: "'2020-01-01'" },
          ],
          files: [inputFile("old", old), inputFile("young", young)],
        },
      ],
      output: {
        columns: [
          { name: "id", type: "INTEGER" },
          { name: "amount", type: "BIGINT" },
          { name: "s", type: 'STRUCT("x" BIGINT, "y" VARCHAR)' },
          { name: "channel", type: "VARCHAR" },
          { name: "fee", type: "DECIMAL(10,2)" },
          { name: "never", type: "DATE" },
        ],
        order: ["id"],
      },
    });
    const { platform } = await runOrders([order], {
      objects: new Map([
        ["old", old],
        ["young", young],
      ]),
    });
    expect(await rowsOf(platform.outputs.get(`${order.run}/0`))).toEqual([
      { id: 1, amount: 5n, s: { x: 1n, y: null }, channel: "it's unknown", fee: null, never: 18262 },
      { id: 2, amount: 6000000000n, s: { x: 2n, y: "q" }, channel: "web", fee: "1.25", never: 18262 },
    ]);
  });

  test("of inputs without files, and without rows, is one file that has the columns", async () => {
    const order = orderOf({
      sql: "SELECT a FROM silver_none",
      inputs: [{ table: "silver_none", columns: [{ name: "a", type: "INTEGER" }], files: [] }],
    });
    const { platform, events } = await runOrders([order]);
    expect(events).toMatchObject([{ outcome: "published", rows_out: 0, files_out: 1 }]);
    expect(platform.commits[0]?.files).toMatchObject([{ rows: 0 }]);
    const file = await openParquet(bytesSource("output", platform.outputs.get(`${order.run}/0`)!));
    expect([file.rows, file.columns]).toEqual([0, ["a"]]);
  });

  test("is of the order's date alone, with the order's names, whatever the SQL calls them", async () => {
    const order = orderOf({
      sql: "SELECT DATE '2026-03-17' + i::INTEGER, 'x' AS z FROM range(3) t(i) -- a comment at the end",
      output: {
        columns: [
          { name: "day of it", type: "DATE" },
          { name: "select", type: "VARCHAR" },
        ],
        partition: { column: "day of it", date: "2026-03-18" },
        order: ["select"],
      },
    });
    const { platform } = await runOrders([order]);
    expect(await rowsOf(platform.outputs.get(`${order.run}/0`))).toEqual([{ "day of it": 20530, select: "x" }]);
  });

  test("of many rows is many files, each in the order's order, NULLs last, in row groups of the order's length", async () => {
    const order = orderOf({
      sql: "SELECT CASE WHEN i % 1000 = 7 THEN NULL ELSE hash(i) % 100000 END, i FROM range(600000) t(i)",
      output: {
        columns: [
          { name: "k", type: "BIGINT" },
          { name: "i", type: "BIGINT" },
        ],
        order: ["k", "i"],
        file_bytes: 400_000,
      },
    });
    const { platform, events } = await runOrders([order]);
    const [event] = events;
    expect(event).toMatchObject({ outcome: "published", rows_out: 600_000 });
    expect(event?.files_out).toBeGreaterThan(4);
    const seen = new Set<bigint>();
    for (const [n, { rows }] of platform.commits[0]!.files.entries()) {
      const bytes = platform.outputs.get(`${order.run}/${n}`)!;
      const file = await openParquet(bytesSource("output", bytes));
      expect(file.rowGroups.slice(0, -1).every((group) => group.rows === 8_192)).toBe(true);
      let before: [bigint, bigint] | undefined;
      let count = 0;
      for await (const {
        columns: [k, i],
        length,
      } of file.read(permit)) {
        if (k?.kind !== "int64" || i?.kind !== "int64") throw new Error("other types");
        for (let row = 0; row < length; row++, count++) {
          const key: [bigint, bigint] = [k.nulls?.[row] === 1 ? 1_000_000n : k.values[row]!, i.values[row]!];
          if (before !== undefined && (key[0] < before[0] || (key[0] === before[0] && key[1] < before[1])))
            throw new Error(`file ${n}: ${key} after ${before}`);
          before = key;
          seen.add(key[1]);
        }
      }
      expect(count).toBe(rows);
    }
    expect(seen.size).toBe(600_000);
  });

  test("measures the order's checks over the rows that were written", async () => {
    const order = orderOf({
      sql: "SELECT i FROM range(10) t(i)",
      checks: [
        {
          id: "nulls",
          kind: "library",
          sql: "SELECT count(*) FILTER (a > 6) AS rows, count(*) AS of FROM gold_things",
        },
        { id: "sum", kind: "query", sql: "SELECT sum(a) FROM gold_things" },
        { id: "decimal", kind: "query", sql: "SELECT avg(a)::DECIMAL(9,3) FROM gold_things;" },
        { id: "truth", kind: "query", sql: "SELECT max(a) = 9 FROM gold_things" },
        { id: "null", kind: "query", sql: "SELECT NULL FROM gold_things" },
        { id: "none", kind: "query", sql: "SELECT a FROM gold_things WHERE a > 100" },
        { id: "infinite", kind: "query", sql: "SELECT 1 / 0 FROM gold_things" },
        { id: "cast", kind: "query", sql: "SELECT CAST('private ' || a AS INTEGER) FROM gold_things" },
      ],
    });
    const { platform } = await runOrders([order]);
    expect(platform.commits[0]?.measures).toEqual([
      { id: "nulls", rows: 3, of: 10 },
      { id: "sum", value: 45 },
      { id: "decimal", value: 4.5 },
      { id: "truth", value: 1 },
      { id: "null", value: null, problem: "the query gave NULL" },
      { id: "none", value: null, problem: "the query gave no row" },
      { id: "infinite", value: null, problem: "the query gave Infinity" },
      { id: "cast", value: null, problem: "a value of the query cannot be computed" },
    ]);
  });

  test("is published or held back as the platform says", async () => {
    const commit = () => ({ outcome: "failed", message: "check amounts: 3 rows" }) as const;
    const { events } = await runOrders([orderOf({})], { commit });
    expect(events).toMatchObject([{ outcome: "failed", message: "check amounts: 3 rows" }]);
  });
});
