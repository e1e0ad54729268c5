import { ParquetFile } from "parquet-wasm/esm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch, Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { decodeArrowStream } from "../../../../../lakehouse/engine/parquet/arrow.ts";
import { GROUP, parseFooter } from "../../../../../lakehouse/engine/parquet/footer.ts";
import {
  bytesSource,
  openParquet,
  readParquet,
  readRowGroups,
} from "../../../../../lakehouse/engine/parquet/reader.ts";
import { structsField } from "../../../../../lakehouse/engine/parquet/thrift.ts";
import {
  type ParquetWriteOptions,
  ROW_GROUP_BYTES,
  writeParquet,
} from "../../../../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { permit } from "../../../../oracle/permit.ts";
import { batchOf, collect, rowsOf } from "../columns/column-of.ts";
import { DuckDBOracle } from "./duckdb.ts";
import { everyType, everyTypeRows } from "./every-type.ts";

let oracle: DuckDBOracle;
beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
});
afterAll(() => oracle[Symbol.asyncDispose]());

const number: Field = { name: "n", type: { kind: "int64" }, nullable: false };
const numbers = (from: number, count: number): Batch => {
  const values = BigInt64Array.from({ length: count }, (_, i) => BigInt(from + i));
  return {
    fields: [number],
    columns: [{ kind: "int64", type: number.type, length: count, nulls: undefined, values }],
    length: count,
  };
};
const rowGroupRows = async (bytes: Uint8Array) =>
  (await readRowGroups(bytesSource("file", bytes))).map((group) => group.rows);

test("every type, read by DuckDB and by our reader", async () => {
  const bytes = await writeParquet(permit, { fields: everyType, batches: [batchOf(everyType, everyTypeRows)] });
  expect(await oracle.query(bytes, "FROM read_parquet(FILE)")).toEqual(everyTypeRows);
  expect(rowsOf(await collect(readParquet(permit, bytesSource("file", bytes))))).toEqual(everyTypeRows);
  const types = await oracle.query(bytes, "SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet(FILE))");
  expect(Object.fromEntries(types.map((row) => [row["column_name"], row["column_type"]]))).toMatchObject({
    cents: "DECIMAL(9,2)",
    wide: "DECIMAL(38,10)",
    day: "DATE",
    at: "TIMESTAMP WITH TIME ZONE",
    raw: "BLOB",
    items: "STRUCT(sku VARCHAR, price DECIMAL(12,2), tags VARCHAR[])[]",
  });
});

test("no rows: a valid file with the schema, from no batch or an empty one", async () => {
  for (const batches of [[], [batchOf(everyType, [])]]) {
    const bytes = await writeParquet(permit, { fields: everyType, batches });
    expect(await oracle.query(bytes, "SELECT count(*) AS n FROM read_parquet(FILE)")).toEqual([{ n: 0n }]);
    const file = await openParquet(bytesSource("empty", bytes));
    expect(file.rows).toBe(0);
    expect(file.schema(permit)).toEqual(everyType);
    expect(await collect(file.read(permit))).toEqual([]);
  }
});

describe("row groups", () => {
  test("start where they are told to, whatever the batches", async () => {
    const options: ParquetWriteOptions = {
      fields: [number],
      batches: [numbers(0, 700), numbers(700, 1), numbers(701, 20_000)],
      rowGroupStarts: [0, 10, 10, 700, 20_000],
    };
    const bytes = await writeParquet(permit, options);
    expect(await rowGroupRows(bytes)).toEqual([10, 690, 19_300, 701]);
    expect(await oracle.query(bytes, "SELECT sum(n) AS total, max(n) AS last FROM read_parquet(FILE)")).toEqual([
      { total: (20_701n * 20_700n) / 2n, last: 20_700n },
    ]);
    const metadata = "SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata(FILE) ORDER BY 1";
    expect((await oracle.query(bytes, metadata)).map((row) => row["row_group_num_rows"])).toEqual([
      10n,
      690n,
      19_300n,
      701n,
    ]);
  });

  test("end after rowGroupRows", async () => {
    const bytes = await writeParquet(permit, { fields: [number], batches: [numbers(0, 25)], rowGroupRows: 10 });
    expect(await rowGroupRows(bytes)).toEqual([10, 10, 5]);
  });

  test("stay under their size in bytes; a wide row has one of its own", async () => {
    const text: Field = { name: "t", type: { kind: "utf8" }, nullable: false };
    const rows = [1000, 1000, ROW_GROUP_BYTES + 1, 1000, ...Array.from({ length: 12 }, () => 1_000_000)];
    const batch = batchOf(
      [text],
      rows.map((length, i) => ({ t: String.fromCharCode(97 + i).repeat(length) })),
    );
    const bytes = await writeParquet(permit, { fields: [text], batches: [batch] });
    const lengths = await oracle.query(bytes, "SELECT length(t) AS n FROM read_parquet(FILE)");
    expect(lengths.map((row) => row["n"])).toEqual(rows.map(BigInt));
    const sizes = await oracle.query(
      bytes,
      "SELECT total_uncompressed_size AS n, num_values AS rows FROM parquet_metadata(FILE)",
    );
    for (const size of sizes) if (size["rows"] !== 1n) expect(Number(size["n"])).toBeLessThanOrEqual(ROW_GROUP_BYTES);
    expect(sizes.length).toBeLessThan(8);
  });

  test.each([
    { rowGroupRows: 0 },
    { rowGroupStarts: [5, 4] },
    { rowGroupStarts: [-1] },
    { dictionaryColumns: ["x"] },
    { sortedBy: ["x"] },
  ])("refuses %j", async (wrong) => {
    await expect(writeParquet(permit, { fields: [number], batches: [], ...wrong })).rejects.toThrow(RangeError);
  });
});

test("a reader that skips by page indexes finds the rows of later row groups", async () => {
  const batches = [batchOf(everyType, everyTypeRows)];
  const bytes = await writeParquet(permit, { fields: everyType, batches, rowGroupRows: 1 });
  // parquet-wasm loads page indexes where a file has them, and would look for pages where they stood before the files were joined.
  using file = await ParquetFile.fromFile(new Blob([bytes.slice()]));
  const table = await file.read({ offset: 2, limit: 2 });
  expect(rowsOf(decodeArrowStream(table.intoIPCStream()))).toEqual(everyTypeRows.slice(2, 4));
});

test("ZSTD, statistics, dictionaries only where asked for", async () => {
  const encodings = async (dictionaryColumns: string[]) => {
    const batches = [batchOf(everyType, everyTypeRows)];
    const bytes = await writeParquet(permit, { fields: everyType, batches, dictionaryColumns });
    const rows = await oracle.query(
      bytes,
      "SELECT path_in_schema AS path, encodings, compression, stats_min_value AS low FROM parquet_metadata(FILE)",
    );
    expect(new Set(rows.map((row) => row["compression"]))).toEqual(new Set(["ZSTD"]));
    expect(rows.find((row) => row["path"] === "big")?.["low"]).toBe(String(-(2n ** 63n)));
    return rows.filter((row) => String(row["encodings"]).includes("DICTIONARY")).map((row) => row["path"]);
  };
  expect(await encodings([])).toEqual([]);
  expect(await encodings(["text", "day"])).toEqual(["day", "text"]);
  expect(await encodings(["text", "items"])).toEqual([
    "text",
    "items, list, element, sku",
    "items, list, element, price",
    "items, list, element, tags, list, element",
    "place, city",
    "place, at, lat",
  ]);
});

test.each([{ dictionaryColumns: [] }, { dictionaryColumns: everyType.map(({ name }) => name) }])(
  "only encodings of Parquet's first version, and statistics of every column that is no list or struct: %j",
  async (options) => {
    const batches = [batchOf(everyType, everyTypeRows)];
    const bytes = await writeParquet(permit, { fields: everyType, batches, ...options });
    const rows = await oracle.query(
      bytes,
      "SELECT path_in_schema AS path, encodings, stats_null_count AS nulls FROM parquet_metadata(FILE) WHERE row_group_id = 0",
    );
    const known = new Set(["PLAIN", "RLE", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "BIT_PACKED"]);
    for (const { path, encodings, nulls } of rows) {
      expect(String(encodings).split(", ")).toSatisfy((names: string[]) => names.every((name) => known.has(name)));
      // Of the doubles one is NaN.
      const counted = !/^(items|place),/.test(String(path)) && path !== "ratio";
      expect([path, nulls]).toEqual([path, counted ? expect.any(BigInt) : null]);
    }
  },
);

describe("bounds of doubles", () => {
  const double: Field["type"] = { kind: "float64" };
  const fields: readonly Field[] = [
    { name: "n", type: { kind: "int32" }, nullable: false },
    { name: "a", type: double, nullable: true },
    { name: "z", type: double, nullable: false },
  ];
  const groups: readonly (readonly [rows: readonly object[], withoutBounds: readonly string[]])[] = [
    [[{}, { a: null }], []],
    [[{ a: Number.NaN }, { a: 7 }], ["a"]],
    [[{ z: Number.NaN }, { z: Number.NaN, a: null }], ["z"]],
    [[{ a: 1e308, z: -0 }, { a: -1e308 }], []],
  ];
  const rows = groups.flatMap(([changes], g) =>
    changes.map((change, i) => ({ n: g * 2 + i, a: 1.5, z: 0, ...change })),
  );

  test("are left out of a row group that holds a NaN, and of no other", async () => {
    const bytes = await writeParquet(permit, { fields, batches: [batchOf(fields, rows)], rowGroupRows: 2 });
    const chunks = await oracle.query(
      bytes,
      `SELECT row_group_id AS g, path_in_schema AS path, coalesce(stats_min_value, stats_max_value, stats_min, stats_max) IS NULL AS unbounded
       FROM parquet_metadata(FILE) ORDER BY row_group_id, column_id`,
    );
    const unbounded = groups.map((_, g) =>
      chunks.filter((chunk) => chunk["g"] === BigInt(g) && chunk["unbounded"] === true).map((chunk) => chunk["path"]),
    );
    expect(unbounded).toEqual(groups.map(([, withoutBounds]) => withoutBounds));
  });

  test("so a reader to which NaN is the greatest value finds it", async () => {
    const bytes = await writeParquet(permit, { fields, batches: [batchOf(fields, rows)], rowGroupRows: 2 });
    const found = async (condition: string) =>
      (await oracle.query(bytes, `SELECT n FROM read_parquet(FILE) WHERE ${condition} ORDER BY n`)).map(({ n }) => n);
    expect(await found("a > 1000")).toEqual([2, 6]);
    expect(await found("isnan(z)")).toEqual([4, 5]);
    expect(await found("z = 0")).toEqual([0, 1, 2, 3, 6, 7]);
  });
});

test("every value is within its row group's bounds: whoever looks for one finds it, long and foreign texts as well", async () => {
  const field = (name: string, type: Field["type"]): Field => ({ name, type, nullable: true });
  const fields = [
    field("text", { kind: "utf8" }),
    field("wide", { kind: "decimal", precision: 38, scale: 10 }),
    field("cents", { kind: "decimal", precision: 9, scale: 2 }),
    field("day", { kind: "date" }),
    field("at", { kind: "timestamp" }),
    field("flag", { kind: "bool" }),
    field("big", { kind: "int64" }),
  ];
  const texts = [
    "",
    "\u{10ffff}".repeat(40),
    "é".repeat(63),
    `${"z".repeat(63)}ü`,
    "\u007f".repeat(80),
    "a".repeat(300),
  ];
  const rows = texts.map((text, i) => ({
    text,
    wide: `${i % 2 === 0 ? "-" : ""}${"9".repeat(28)}.${String(i).padStart(10, "0")}`,
    cents: `${i % 2 === 0 ? "-" : ""}${i + 1}.5${i}`,
    day: -20_000 + i * 10_000,
    at: BigInt(i - 3) * 10n ** 15n,
    flag: i % 2 === 0,
    big: BigInt(i - 3) * 2n ** 60n,
  }));
  const bytes = await writeParquet(permit, { fields, batches: [batchOf(fields, rows)], rowGroupRows: 2 });
  for (const { name } of fields) {
    const sql = `SELECT count(*) AS n FROM read_parquet(FILE) WHERE "${name}" = (SELECT "${name}" FROM read_parquet(FILE) LIMIT 1 OFFSET `;
    for (const i of rows.keys()) {
      const [{ n } = { n: 0n }] = await oracle.query(bytes, `${sql}${i})`);
      expect([name, i, n]).toEqual([name, i, name === "flag" ? 3n : 1n]);
    }
  }
  expect(await oracle.query(bytes, "SELECT max(text) AS last FROM read_parquet(FILE)")).toEqual([
    { last: texts[1] ?? "" },
  ]);
});

test("says by which columns the rows are in order, in every row group", async () => {
  const batches = [batchOf(everyType, everyTypeRows)];
  const sortingOf = async (sortedBy: readonly string[]) => {
    const bytes = await writeParquet(permit, { fields: everyType, batches, rowGroupRows: 2, sortedBy });
    const length = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8).getUint32(0, true);
    const { rowGroups } = parseFooter(bytes.subarray(bytes.length - 8 - length, bytes.length - 8));
    return rowGroups.map(({ struct }) =>
      structsField(struct, GROUP.sorting).map((column) =>
        [...column.fields].map(([id, value]) => [id, "value" in value ? value.value : null]),
      ),
    );
  };
  // Numbers among the leaves: those of `items` come between.
  const group = [
    [
      [1, 0],
      [2, false],
      [3, false],
    ],
    [
      [1, 9],
      [2, false],
      [3, false],
    ],
  ];
  expect(new Set((await sortingOf(["id", "text"])).map((each) => JSON.stringify(each)))).toEqual(
    new Set([JSON.stringify(group)]),
  );
  expect(new Set((await sortingOf([])).flat())).toEqual(new Set());
});

test("metadata reaches the footer, and equal batches give equal bytes", async () => {
  const write = () =>
    writeParquet(permit, {
      fields: [number],
      batches: [numbers(0, 10)],
      metadata: { "sluice.z": "ü", "sluice.a": "" },
      rowGroupRows: 4,
    });
  const bytes = await write();
  expect(await write()).toEqual(bytes);
  const { metadata } = await openParquet(bytesSource("file", bytes));
  expect([...metadata].filter(([key]) => key.startsWith("sluice"))).toEqual([
    ["sluice.z", "ü"],
    ["sluice.a", ""],
  ]);
  const found = await oracle.query(
    bytes,
    "SELECT decode(value) AS v FROM parquet_kv_metadata(FILE) WHERE decode(key) = 'sluice.z'",
  );
  expect(found).toEqual([{ v: "ü" }]);
});

test("batches may come asynchronously; a failing source fails the write", async () => {
  async function* batches() {
    yield numbers(0, 5);
    throw new Error("source gone");
  }
  await expect(writeParquet(permit, { fields: [number], batches: batches() })).rejects.toThrow("source gone");
});

test("a batch of other fields is refused", async () => {
  const other: Field = { name: "m", type: { kind: "int64" }, nullable: true };
  await expect(writeParquet(permit, { fields: [number], batches: [batchOf([other], [])] })).rejects.toThrow(
    "a batch of (m int64) in a file of (n int64)",
  );
});
