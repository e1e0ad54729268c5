import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { concatBatches, gatherBatch, sliceBatch } from "../../lakehouse/engine/columns/gather.ts";
import { decodeArrowStream, encodeArrowStream } from "../../lakehouse/engine/parquet/arrow.ts";
import { bytesSource, readParquet, readParquetSchema } from "../../lakehouse/engine/parquet/reader.ts";
import { writeParquet } from "../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { permit } from "../oracle/permit.ts";
import { batchOf, collect, rowsOf } from "../unit/lakehouse/engine/columns/column-of.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";
import { arbitraryFields, arbitraryRows } from "./arbitrary-batch.ts";

let oracle: DuckDBOracle;
beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
});
afterAll(() => oracle[Symbol.asyncDispose]());

const tables = arbitraryFields.chain((fields) =>
  fc.record({ fields: fc.constant(fields), rows: arbitraryRows(fields) }),
);

test(
  "what is written is what our reader and DuckDB read, for any schema, rows and cuts",
  async () => {
    const settings = fc.record({
      cut: fc.nat({ max: 40 }),
      rowGroupRows: fc.integer({ min: 1, max: 50 }),
      rowGroupStarts: fc.array(fc.nat({ max: 40 }), { maxLength: 3 }).map((starts) => starts.sort((a, b) => a - b)),
      batchRows: fc.integer({ min: 1, max: 50 }),
      offset: fc.nat({ max: 45 }),
      limit: fc.nat({ max: 45 }),
      dictionary: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        tables,
        settings,
        async ({ fields, rows }, { cut, dictionary, batchRows, offset, limit, ...groups }) => {
          const batch = batchOf(fields, rows);
          const at = Math.min(cut, rows.length);
          const bytes = await writeParquet(permit, {
            fields,
            batches: [sliceBatch(batch, 0, at), sliceBatch(batch, at, rows.length)],
            dictionaryColumns: dictionary ? fields.map((field) => field.name) : [],
            ...groups,
          });
          const source = bytesSource("random", bytes);
          expect(await readParquetSchema(permit, source)).toEqual(fields);
          expect(rowsOf(await collect(readParquet(permit, source, { batchRows })))).toEqual(rows);
          expect(rowsOf(await collect(readParquet(permit, source, { batchRows, offset, limit })))).toEqual(
            rows.slice(offset, offset + limit),
          );
          expect(await oracle.query(bytes, "FROM read_parquet(FILE)")).toEqual(rows);
        },
      ),
      { numRuns: longOrShare(100, 35) },
    );
  },
  longOrShare(900_000, 60_000),
);

test("gathering, slicing, concatenating and Arrow's way there and back act on columns as on rows", () => {
  const cases = tables.chain(({ fields, rows }) => {
    const picks =
      rows.length === 0 ? fc.constant<number[]>([]) : fc.array(fc.nat({ max: rows.length - 1 }), { maxLength: 60 });
    return fc.record({
      fields: fc.constant(fields),
      rows: fc.constant(rows),
      picks,
      cut: fc.nat({ max: rows.length }),
    });
  });
  fc.assert(
    fc.property(cases, ({ fields, rows, picks, cut }) => {
      const batch = batchOf(fields, rows);
      const tail = sliceBatch(batch, cut, rows.length);
      const head = sliceBatch(batch, 0, cut);
      expect(rowsOf([gatherBatch(batch, Int32Array.from(picks))])).toEqual(picks.map((pick) => rows[pick]));
      expect(rowsOf([concatBatches([tail, head])])).toEqual([...rows.slice(cut), ...rows.slice(0, cut)]);
      expect(rowsOf(decodeArrowStream(encodeArrowStream(fields, [tail, head])))).toEqual([
        ...rows.slice(cut),
        ...rows.slice(0, cut),
      ]);
    }),
    { numRuns: longOrShare(100, 35) },
  );
});
