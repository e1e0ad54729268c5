import type { CompiledModel } from "../../../lakehouse/engine/ir/ir.ts";

/** The TypeScript text of `lakehouse/tables/compiled/models.generated.ts`. The same models of the same DuckDB give the same text. */
export function renderModels(models: readonly CompiledModel[], duckdb: string): string {
  return [
    "// Generated from sql/silver and sql/gold by `npm run compile`. Do not edit.",
    'import type { CompiledModel } from "../../engine/ir/ir.ts";',
    "",
    "/** The DuckDB that the models were compiled with: the one that builds them. */",
    `export const DUCKDB_VERSION: string = ${JSON.stringify(duckdb)};`,
    "",
    `export const models: readonly CompiledModel[] = ${JSON.stringify(models, null, 2)};`,
    "",
  ].join("\n");
}
