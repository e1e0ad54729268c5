import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import type { EdgeModel } from "../../lakehouse/engine/ir/ir.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { functionTable, functionValues } from "../oracle/function-table.ts";
import { arbitraryRows } from "../oracle/shop-tables.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";
import { statements } from "./function-statements.ts";
import { compileStatements, cuts, judge, load } from "./model-judge.ts";

let oracle: DuckDBOracle;
let models: ReadonlyMap<string, EdgeModel>;

beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
  // DuckDB's substring has another answer for columns of whose texts the statistics say that they are all ASCII.
  await oracle.run("SET disabled_optimizers = 'statistics_propagation'");
  models = await compileStatements(statements, [functionTable]);
});
afterAll(() => oracle[Symbol.asyncDispose]());

for (const name of Object.keys(statements)) {
  test(
    `${name} gives DuckDB's rows`,
    async () => {
      const model = models.get(name);
      if (model === undefined) throw new Error(`${name} was not compiled`);
      await fc.assert(
        fc.asyncProperty(arbitraryRows(functionTable, functionValues), cuts, async (rows, cut) =>
          judge(oracle, model, await load(oracle, [{ table: functionTable, rows }], cut)),
        ),
        { numRuns: longOrShare(60, 8) },
      );
    },
    longOrShare(900_000, 60_000),
  );
}
