import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../../../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../../../../lakehouse/engine/columns/value.ts";
import { UnsupportedArrowTypeError } from "../../../../../lakehouse/engine/parquet/arrow.ts";
import {
  bytesSource,
  CorruptParquetError,
  openParquet,
  type ParquetReadOptions,
  type RangeSource,
  readParquet,
  readParquetSchema,
  readRowGroups,
} from "../../../../../lakehouse/engine/parquet/reader.ts";
import { writeParquet } from "../../../../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { permit } from "../../../../oracle/permit.ts";
import { batchOf, collect, rowsOf } from "../columns/column-of.ts";
import { DuckDBOracle } from "./duckdb.ts";
import { everyType, everyTypeRows } from "./every-type.ts";

let oracle: DuckDBOracle;
let bytes: Uint8Array;
const rows: Readonly<Record<string, Value>>[] = Array.from({ length: 25 }, (_, i) => ({
  ...everyTypeRows[i % everyTypeRows.length],
  id: i,
}));
beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
  bytes = await writeParquet(permit, { fields: everyType, batches: [batchOf(everyType, rows)], rowGroupRows: 10 });
});
afterAll(() => oracle[Symbol.asyncDispose]());

const read = async (options: ParquetReadOptions, source: RangeSource = bytesSource("file", bytes)) =>
  collect(readParquet(permit, source, options));
const ids = async (options: ParquetReadOptions) => rowsOf(await read(options)).map((row) => row["id"]);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** A source that counts what is asked of it. */
function counted(name: string, content: Uint8Array): RangeSource & { readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  const read = async (start: number, end: number) => {
    reads.push([start, end]);
    return content.slice(start, end);
  };
  return { name, size: content.length, read, reads };
}

describe("what is read", () => {
  test("rows, across row groups, in batches of at most batchRows", async () => {
    const batches = await read({ batchRows: 4 });
    expect(batches.map((batch) => batch.length)).toEqual([4, 4, 2, 4, 4, 2, 4, 1]);
    expect(rowsOf(batches)).toEqual(rows);
  });

  test("offset and limit count over the file, or over the row groups chosen", async () => {
    expect(await ids({ offset: 8, limit: 5 })).toEqual(range(8, 13));
    expect(await ids({ offset: 12 })).toEqual(range(12, 25));
    expect(await ids({ offset: 25 })).toEqual([]);
    expect(await ids({ limit: 0 })).toEqual([]);
    expect(await ids({ limit: 100 })).toEqual(range(0, 25));
    expect(await ids({ rowGroups: [2, 0] })).toEqual([...range(20, 25), ...range(0, 10)]);
    expect(await ids({ rowGroups: [1, 2], offset: 9, limit: 2 })).toEqual([19, 20]);
  });

  test("a transient read gives the same rows, and frees each batch when the next one is asked for", async () => {
    const seen: Readonly<Record<string, unknown>>[] = [];
    let before: Batch | undefined;
    for await (const batch of readParquet(permit, bytesSource("file", bytes), { batchRows: 4, transient: true })) {
      seen.push(...rowsOf([batch]));
      before = batch;
    }
    expect(seen).toEqual(rows);
    const id = before?.columns[before.fields.findIndex(({ name }) => name === "id")];
    expect(id?.kind === "int32" && id.values.length).toBe(0);
  });

  test("columns come in the order asked for, nested ones whole", async () => {
    const batches = await read({ columns: ["place", "id", "items"], offset: 3, limit: 1 });
    expect(batches[0]?.fields.map((field) => field.name)).toEqual(["place", "id", "items"]);
    expect(rowsOf(batches)).toEqual([{ place: rows[3]?.["place"], id: 3, items: rows[3]?.["items"] }]);
  });

  test("no column: lengths only", async () => {
    const batches = await read({ columns: [], batchRows: 8 });
    expect(batches.map((batch) => [batch.columns.length, batch.length])).toEqual([
      [0, 8],
      [0, 2],
      [0, 8],
      [0, 2],
      [0, 5],
    ]);
  });

  test("schema, rows and row groups", async () => {
    expect(await readParquetSchema(permit, bytesSource("file", bytes))).toEqual(everyType);
    expect(await readRowGroups(bytesSource("file", bytes))).toEqual([
      { rows: 10, firstRow: 0 },
      { rows: 10, firstRow: 10 },
      { rows: 5, firstRow: 20 },
    ]);
    const file = await openParquet(bytesSource("file", bytes));
    expect(file.rows).toBe(25);
    expect(file.columns).toEqual(everyType.map((field) => field.name));
  });

  test.each([
    [{ columns: ["nope"] }, /file has no column nope/],
    [{ rowGroups: [3] }, /file has no row group 3/],
    [{ offset: -1 }, /offset/],
    [{ limit: 1.5 }, /limit/],
    [{ batchRows: 0 }, /batches of no rows/],
  ])("%j is refused", async (options, message) => {
    await expect(read(options)).rejects.toThrow(RangeError);
    await expect(read(options)).rejects.toThrow(message);
  });

  test("several files in turns, one of them left early", async () => {
    const first = readParquet(permit, bytesSource("first", bytes), { batchRows: 5 });
    const second = readParquet(permit, bytesSource("second", bytes), { batchRows: 5, columns: ["id"] });
    const seen: unknown[] = [];
    for await (const batch of first) {
      const other = await second.next();
      if (other.done) throw new Error("too short");
      seen.push(rowsOf([batch])[0]?.["id"], rowsOf([other.value])[0]?.["id"]);
      if (seen.length === 6) break;
    }
    expect(seen).toEqual([0, 0, 5, 5, 10, 10]);
    await second.return();
    expect(await ids({ limit: 1 })).toEqual([0]);
  });
});

describe("requests", () => {
  test("a small file costs one", async () => {
    const source = counted("small", bytes);
    await read({}, source);
    expect(source.reads).toEqual([[0, bytes.length]]);
  });

  test("a large file costs its tail, and the ranges of the columns wanted", async () => {
    const path = oracle.newPath();
    // Random text does not compress: 20,000 rows of it keep the columns far apart.
    await oracle.run(
      `COPY (SELECT i AS a, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS b, i * 2 AS c FROM range(20000) t(i))
       TO '${path}' (FORMAT parquet, COMPRESSION uncompressed)`,
    );
    const source = counted("large", new Uint8Array(await readFile(path)));
    const batches = await read({ columns: ["a"], limit: 10_000 }, source);
    expect(rowsOf(batches).map((row) => row["a"])).toEqual(range(0, 10_000).map(BigInt));
    expect(source.reads.length).toBe(2);
    const fetched = source.reads.reduce((total, [start, end]) => total + end - start, 0);
    expect(fetched).toBeLessThan(source.size / 2);
  });
});

describe("sizes beyond one request or one portion", () => {
  test("a footer longer than the tail that is fetched first", async () => {
    const many = Array.from({ length: 150 }, (_, i) => ({ ...rows[i % rows.length], id: i }));
    const file = await writeParquet(permit, {
      fields: everyType,
      batches: [batchOf(everyType, many)],
      rowGroupRows: 1,
    });
    expect(new DataView(file.buffer).getUint32(file.length - 8, true)).toBeGreaterThan(128 * 1024);
    expect(rowsOf(await read({ offset: 148 }, bytesSource("long", file)))).toEqual(many.slice(148));
  });

  test("a row group of more than 8 MB is decoded by portions, without a gap", async () => {
    const path = oracle.newPath();
    // Hashes neither compress nor repeat: 24 bytes a row.
    const query = "SELECT i, hash(i) >> 1 AS a, hash(-i) >> 1 AS b, hash(i + 0.5) >> 1 AS c FROM range(400000) t(i)";
    const cast = `SELECT i, a::BIGINT AS a, b::BIGINT AS b, c::BIGINT AS c FROM (${query})`;
    await oracle.run(`COPY (${cast}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 1000000)`);
    const source = bytesSource("wide", new Uint8Array(await readFile(path)));
    expect((await openParquet(source)).rowGroups.length).toBe(1);
    let next = 5n;
    for (const batch of await read({ offset: 5 }, source)) {
      const [id] = batch.columns;
      if (id?.kind !== "int64") throw new Error("not an int64");
      expect(id.values[0]).toBe(next);
      next += BigInt(batch.length);
    }
    expect(next).toBe(400_000n);
  });
});

describe("files of another writer", () => {
  test("DuckDB's: dictionaries, its own list layout, large row groups", async () => {
    const path = oracle.newPath();
    const query = `SELECT i::INTEGER AS i, 'c' || (i % 3) AS country, CASE WHEN i % 7 > 0 THEN [i, NULL] END AS l,
      {'x': i / 4, 'd': (i / 100)::DECIMAL(10, 2)} AS s, TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS t,
      i::SMALLINT AS small FROM range(30000) r(i)`;
    await oracle.run(`COPY (${query}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 100000)`);
    const source = bytesSource("duckdb", new Uint8Array(await readFile(path)));
    const batches = await read({ offset: 29_995 }, source);
    const expected = await oracle.run(`SELECT * REPLACE (t::TIMESTAMPTZ AS t) FROM (${query}) OFFSET 29995`);
    expect(rowsOf(batches)).toEqual(expected);
  });

  test("a type that ours cannot hold is named", async () => {
    const path = oracle.newPath();
    await oracle.run(`COPY (SELECT 1::UBIGINT AS unsigned) TO '${path}' (FORMAT parquet)`);
    const source = bytesSource("duckdb", new Uint8Array(await readFile(path)));
    await expect(read({}, source)).rejects.toThrow(UnsupportedArrowTypeError);
    await expect(readParquetSchema(permit, source)).rejects.toThrow(/column unsigned/);
  });
});

describe("damage", () => {
  const source = (content: Uint8Array) => bytesSource("bronze/orders/1.parquet", content);
  const expectCorrupt = async (content: Uint8Array) => {
    const error: unknown = await read({}, source(content)).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CorruptParquetError);
    expect(String(error)).toContain("bronze/orders/1.parquet");
  };

  test("empty, truncated at any place, not Parquet at all", async () => {
    await expectCorrupt(new Uint8Array());
    for (const length of [1, 8, 12, 100, bytes.length >> 1, bytes.length - 1])
      await expectCorrupt(bytes.slice(0, length));
    await expectCorrupt(new TextEncoder().encode("a text that is long enough"));
    await expectCorrupt(Uint8Array.of(...bytes, 0));
  });

  test("a footer's length that is a lie", async () => {
    const broken = bytes.slice();
    new DataView(broken.buffer).setUint32(broken.length - 8, 0xffff_ffff, true);
    await expectCorrupt(broken);
    new DataView(broken.buffer).setUint32(broken.length - 8, 3, true);
    await expectCorrupt(broken);
  });

  test("pages that cannot be decoded, under a sound footer; then a sound file reads as before", async () => {
    const footerBytes = new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
    const broken = bytes.slice();
    broken.fill(0xa5, 4, bytes.length - 8 - footerBytes);
    expect((await openParquet(source(broken))).rows).toBe(25);
    await expectCorrupt(broken);
    expect(rowsOf(await read({}))).toEqual(rows);
  });

  test("any one byte changed: an error of ours or rows, never a hang or a crash", async () => {
    // Every 37th byte, so that pages, page headers and footer all have their share.
    for (let at = 0; at < bytes.length; at += 37) {
      const broken = bytes.slice();
      broken[at] = ~(broken[at] ?? 0);
      const outcome: unknown = await read({}, source(broken)).then(
        () => "rows",
        (reason: unknown) => reason,
      );
      if (outcome !== "rows" && !(outcome instanceof UnsupportedArrowTypeError)) {
        expect(outcome, `byte ${at}`).toBeInstanceOf(CorruptParquetError);
      }
    }
    expect(rowsOf(await read({}))).toEqual(rows);
  });

  test("an object shorter than it said; a failing source keeps its own error", async () => {
    await expectCorrupt(bytes.slice(0, 0));
    const short: RangeSource = {
      name: "short",
      size: bytes.length + 10,
      read: async (start, end) => bytes.slice(start, end),
    };
    await expect(read({}, short)).rejects.toThrow(/short is not .* came/);
    const failing: RangeSource = { name: "gone", size: 1000, read: () => Promise.reject(new Error("R2 is down")) };
    await expect(read({}, failing)).rejects.toThrow("R2 is down");
  });
});
