import type { CompiledModel } from "../../../lakehouse/engine/ir/ir.ts";

/** The TypeScript text of `lakehouse/tables/compiled/models.generated.ts`. The same models give the same text. */
export function renderModels(models: readonly CompiledModel[]): string {
  return [
    "// Generated from sql/silver and sql/gold by `npm run compile`. Do not edit.",
    'import type { CompiledModel } from "../../engine/ir/ir.ts";',
    "",
    `export const models: readonly CompiledModel[] = ${JSON.stringify(models, null, 2)};`,
    "",
  ].join("\n");
}
