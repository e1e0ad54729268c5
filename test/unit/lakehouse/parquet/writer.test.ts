import { ParquetFile } from "parquet-wasm/esm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch, Field } from "../../../../lakehouse/columns/column.ts";
import { decodeArrowStream } from "../../../../lakehouse/parquet/arrow.ts";
import { bytesSource, openParquet, readParquet, readRowGroups } from "../../../../lakehouse/parquet/reader.ts";
import { type ParquetWriteOptions, ROW_GROUP_BYTES, writeParquet } from "../../../../lakehouse/parquet/writer.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
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
  const bytes = await writeParquet({ fields: everyType, batches: [batchOf(everyType, everyTypeRows)] });
  expect(await oracle.query(bytes, "FROM read_parquet(FILE)")).toEqual(everyTypeRows);
  expect(rowsOf(await collect(readParquet(bytesSource("file", bytes))))).toEqual(everyTypeRows);
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
    const bytes = await writeParquet({ fields: everyType, batches });
    expect(await oracle.query(bytes, "SELECT count(*) AS n FROM read_parquet(FILE)")).toEqual([{ n: 0n }]);
    const file = await openParquet(bytesSource("empty", bytes));
    expect(file.rows).toBe(0);
    expect(file.schema()).toEqual(everyType);
    expect(await collect(file.read())).toEqual([]);
  }
});

describe("row groups", () => {
  test("start where they are told to, whatever the batches", async () => {
    const options: ParquetWriteOptions = {
      fields: [number],
      batches: [numbers(0, 700), numbers(700, 1), numbers(701, 20_000)],
      rowGroupStarts: [0, 10, 10, 700, 20_000],
    };
    const bytes = await writeParquet(options);
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
    const bytes = await writeParquet({ fields: [number], batches: [numbers(0, 25)], rowGroupRows: 10 });
    expect(await rowGroupRows(bytes)).toEqual([10, 10, 5]);
  });

  test("stay under their size in bytes; a wide row has one of its own", async () => {
    const text: Field = { name: "t", type: { kind: "utf8" }, nullable: false };
    const rows = [1000, 1000, ROW_GROUP_BYTES + 1, 1000, ...Array.from({ length: 12 }, () => 1_000_000)];
    const batch = batchOf(
      [text],
      rows.map((length, i) => ({ t: String.fromCharCode(97 + i).repeat(length) })),
    );
    const bytes = await writeParquet({ fields: [text], batches: [batch] });
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
    { distinctColumns: ["x"] },
    { distinctColumns: ["n"] },
    { deltaColumns: ["x"] },
    { statisticsColumns: ["x"] },
  ])("refuses %j", async (wrong) => {
    await expect(writeParquet({ fields: [number], batches: [], ...wrong })).rejects.toThrow(RangeError);
  });
});

test("a reader that skips by page indexes finds the rows of later row groups", async () => {
  const batches = [batchOf(everyType, everyTypeRows)];
  const bytes = await writeParquet({ fields: everyType, batches, rowGroupRows: 1 });
  // parquet-wasm loads page indexes where a file has them, and would look for pages where they stood before the files were joined.
  using file = await ParquetFile.fromFile(new Blob([bytes.slice()]));
  const table = await file.read({ offset: 2, limit: 2 });
  expect(rowsOf(decodeArrowStream(table.intoIPCStream()))).toEqual(everyTypeRows.slice(2, 4));
});

test("ZSTD, statistics, dictionaries only where asked for", async () => {
  const encodings = async (dictionaryColumns: string[]) => {
    const batches = [batchOf(everyType, everyTypeRows)];
    const bytes = await writeParquet({ fields: everyType, batches, dictionaryColumns });
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

test("times as differences, lengths of distinct texts apart, statistics: each where asked for", async () => {
  const batches = [batchOf(everyType, everyTypeRows)];
  const columns = async (options: Partial<ParquetWriteOptions>) => {
    const bytes = await writeParquet({ fields: everyType, batches, ...options });
    expect(await oracle.query(bytes, "FROM read_parquet(FILE)")).toEqual(everyTypeRows);
    const rows = await oracle.query(
      bytes,
      "SELECT path_in_schema AS path, encodings, stats_null_count IS NOT NULL AS counted FROM parquet_metadata(FILE)",
    );
    return (encoding: string | null) =>
      rows
        .filter((row) => (encoding === null ? row["counted"] === true : String(row["encodings"]).includes(encoding)))
        .map((row) => row["path"]);
  };
  const plain = await columns({});
  expect(plain("DELTA_BINARY_PACKED")).toEqual([]);
  expect(plain("DELTA_LENGTH_BYTE_ARRAY")).toEqual([]);
  const asked = await columns({
    distinctColumns: ["text"],
    deltaColumns: ["big", "at"],
    statisticsColumns: ["big", "text"],
  });
  expect(asked("DELTA_BINARY_PACKED")).toEqual(["big", "at"]);
  expect(asked("DELTA_LENGTH_BYTE_ARRAY")).toEqual(["text"]);
  expect(asked(null)).toEqual(["big", "text"]);
});

test("metadata reaches the footer, and equal batches give equal bytes", async () => {
  const write = () =>
    writeParquet({
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
  await expect(writeParquet({ fields: [number], batches: batches() })).rejects.toThrow("source gone");
});

test("a batch of other fields is refused", async () => {
  const other: Field = { name: "m", type: { kind: "int64" }, nullable: true };
  await expect(writeParquet({ fields: [number], batches: [batchOf([other], [])] })).rejects.toThrow(
    "a batch of (m int64) in a file of (n int64)",
  );
});
