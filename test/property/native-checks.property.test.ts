/** The SQL by which native builders measure checks counts, in DuckDB, the rows that the edge's gate counts over the same rows. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LibraryCheck } from "../../contracts/contract.ts";
import { measureRows } from "../../lakehouse/builds/gates/gate.ts";
import { wireCheck } from "../../lakehouse/builds/native/check-sql.ts";
import type { Field } from "../../lakehouse/engine/columns/column.ts";
import { writeParquet } from "../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { permit } from "../oracle/permit.ts";
import { batchOf } from "../unit/lakehouse/engine/columns/column-of.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";

let oracle: DuckDBOracle;
beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
});
afterAll(() => oracle[Symbol.asyncDispose]());

/** Few values of each type, so that they meet, with those at which types differ: signed zeros, scales, large numbers, times of a moment. */
const COLUMNS = {
  t: { type: { kind: "utf8" }, values: ["", "a", "A", "a'b", "1", "1.0", "b527ac05-6b26-4a3c-bd2f-3c8e2a8b7f10"] },
  b: { type: { kind: "bool" }, values: [true, false] },
  i: { type: { kind: "int32" }, values: [0, 1, -1, 2_147_483_647, -2_147_483_648] },
  l: { type: { kind: "int64" }, values: [0n, 1n, 9_007_199_254_740_993n, -9_223_372_036_854_775_808n] },
  d: { type: { kind: "decimal", precision: 12, scale: 2 }, values: ["0.00", "2.50", "-2.50", "9999999999.99"] },
  w: {
    type: { kind: "decimal", precision: 38, scale: 6 },
    values: ["0.000000", "2.500000", "12345678901234567890.000001"],
  },
  f: { type: { kind: "float64" }, values: [0, -0, 0.1, 2.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY] },
  day: { type: { kind: "date" }, values: [0, -1, 20_000] },
  at: { type: { kind: "timestamp" }, values: [0n, 1n, 1_700_000_000_123_456n, -1n] },
} as const;
type Name = keyof typeof COLUMNS;
const NAMES = Object.keys(COLUMNS).filter((name): name is Name => name in COLUMNS);
const fields: Field[] = NAMES.map((name) => ({ name, type: COLUMNS[name].type, nullable: true }));

/** As contracts write values, in other forms of the same value, and of no type at all. */
const TEXTS = [
  ...[
    "",
    "a",
    "A",
    "a'b",
    "1",
    "1.0",
    "01",
    "+1",
    "1e0",
    "0",
    "-0",
    "2.5",
    "2.50",
    "25e-1",
    "-2.5",
    "0.1",
    "0.10000000000000001",
  ],
  ...[
    "1e21",
    "1000000000000000000000",
    "NaN",
    "Infinity",
    "true",
    "TRUE",
    "false",
    "9007199254740993",
    "9007199254740992",
  ],
  ...["2147483647", "2147483648", "-9223372036854775808", "9999999999.99", "12345678901234567890.000001", "2.5000001"],
  ...[
    "1970-01-01",
    "1969-12-31",
    "2024-10-04",
    "1970-01-01T00:00:00Z",
    "1970-01-01T01:00:00+01:00",
    "1970-01-01T00:00:00.000001Z",
  ],
  ...["b527ac05-6b26-4a3c-bd2f-3c8e2a8b7f10", "B527AC05-6B26-4A3C-BD2F-3C8E2A8B7F10"],
];

const check: fc.Arbitrary<LibraryCheck> = fc
  .record({
    metric: fc.constantFrom("rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues"),
    columns: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }),
    values: fc.uniqueArray(fc.constantFrom(...TEXTS), { maxLength: 6 }),
    nullsEqual: fc.boolean(),
  })
  .map(({ metric, columns, values, nullsEqual }) => ({
    ...{ name: "a check", layer: "gold", metric, columns, values, unit: "rows", onFail: "block" },
    bound: { op: "mustBe", value: 0 },
    ...(nullsEqual ? { nullsEqual: true as const } : {}),
  }));

const row = fc.tuple(
  ...NAMES.map((name) => fc.option(fc.constantFrom(...COLUMNS[name].values), { nil: null, freq: 4 })),
);
const rows = fc
  .array(row, { maxLength: 25 })
  .map((all) => all.map((values) => Object.fromEntries(NAMES.map((name, i) => [name, values[i] ?? null]))));

test("every metric, over every type", async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.array(check, { minLength: 1, maxLength: 8 }), async (all, checks) => {
      const batch = batchOf(fields, all);
      const bytes = await writeParquet(permit, { fields, batches: [batch], dictionaryColumns: [] });
      await oracle.query(bytes, "CREATE OR REPLACE TABLE own AS FROM read_parquet(FILE)");
      const asked = checks.map((each) => wireCheck(each, { name: "own", fields }).sql);
      const counted = [];
      for (const sql of asked) {
        const [first] = await oracle.run(sql);
        counted.push({ sql, rows: Number(first?.["rows"]), of: Number(first?.["of"]) });
      }
      expect(counted).toEqual(
        checks.map((each, i) => ({
          sql: asked[i],
          rows: measureRows(each, batch).measured,
          of: all.length,
        })),
      );
    }),
    { numRuns: longOrShare(300, 25) },
  );
});
