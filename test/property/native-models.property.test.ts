/**
 * Models that only DuckDB runs. A partition built alone has the rows that the SELECT over the whole tables has in it, whatever the order of
 * the rows in the files and the number of threads: that is what the compiler's checks of windows, joins and orders promise.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CompiledModel } from "../../lakehouse/engine/ir/ir.ts";
import { writeParquet } from "../../lakehouse/engine/parquet/writer.ts";
import { compileModels } from "../../tools/build/models/compile-models.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { permit } from "../oracle/permit.ts";
import { exactText, type Row } from "../oracle/same-rows.ts";
import { arbitraryRows, sampleTable, shopTables } from "../oracle/shop-tables.ts";
import { batchOf } from "../unit/lakehouse/engine/columns/column-of.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";
import { statements as edgeStatements } from "./model-statements.ts";
import { natives } from "./native-statements.ts";

let oracle: DuckDBOracle;
let models: ReadonlyMap<string, CompiledModel>;

beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
  const texts = {
    ...edgeStatements,
    ...Object.fromEntries(Object.entries(natives).map(([name, [sql]]) => [name, sql])),
  };
  const compiled = await compileModels({
    models: Object.entries(texts).map(([name, sql]) => ({
      path: `${name}.sql`,
      text: `/* ---\ndescription: a test\npartition: d\nkey: [d]\nmax_rows: 100000\nlimit_per_partition: true\n--- */\n${sql}\n`,
    })),
    tables: shopTables,
  });
  models = new Map(compiled.map((model) => [model.name, model]));
});
afterAll(() => oracle[Symbol.asyncDispose]());

test("each statement is the edge's, or native for a stated reason", () => {
  for (const name of Object.keys(edgeStatements)) expect(models.get(name)?.class.kind, name).not.toBe("native");
  for (const [name, [, reason]] of Object.entries(natives)) {
    const own = models.get(name)?.class;
    expect(own?.kind, name).toBe("native");
    expect(own?.reason, name).toMatch(reason);
    expect(own?.at, name).toMatch(/^\w+\.sql:\d+:\d+$/);
  }
});

/** Few days, so that a partition has rows, and its neighbours too. */
const rowsOfDays = fc
  .tuple(arbitraryRows(sampleTable), fc.infiniteStream(fc.integer({ min: 19_000, max: 19_002 })))
  .map(([rows, days]): readonly Row[] => rows.map((row) => ({ ...row, d: days.next().value ?? 19_000 })));

test.each(Object.keys(natives))(
  "%s has the same rows from a partition alone, and from rows in another order",
  async (name) => {
    const model = models.get(name);
    if (model === undefined) throw new Error(`${name} was not compiled`);
    await fc.assert(
      fc.asyncProperty(rowsOfDays, async (rows) => {
        await load(rows);
        const whole = await textsOf(model.sql);
        await load(rows.toReversed());
        expect(await textsOf(model.sql)).toEqual(whole);
        const days = new Set(rows.map((row) => row["d"]));
        const parts: string[] = [];
        for (const day of days) {
          await load(rows.filter((row) => row["d"] === day));
          parts.push(...(await textsOf(model.sql)));
        }
        expect(parts.sort()).toEqual(whole);
      }),
      { numRuns: longOrShare(20, 3) },
    );
  },
  longOrShare(900_000, 60_000),
);

async function load(rows: readonly Row[]): Promise<void> {
  const batch = batchOf(sampleTable.fields, rows);
  const file = await writeParquet(permit, {
    fields: sampleTable.fields,
    batches: [batch],
    dictionaryColumns: [],
    rowGroupRows: 10,
  });
  await oracle.query(file, "CREATE OR REPLACE TABLE t AS FROM read_parquet(FILE)");
}

async function textsOf(sql: string): Promise<readonly string[]> {
  return (await oracle.run(sql)).map((row) => exactText(Object.values(row))).sort();
}
