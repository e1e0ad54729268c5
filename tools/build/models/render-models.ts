import type { CompiledModel } from "../../../lakehouse/models/ir.ts";

/** The TypeScript text of `lakehouse/models/compiled.generated.ts`. The same models give the same text. */
export function renderModels(models: readonly CompiledModel[]): string {
  return [
    "// Generated from sql/gold by `npm run compile`. Do not edit.",
    'import type { CompiledModel } from "./ir.ts";',
    "",
    `export const models: readonly CompiledModel[] = ${JSON.stringify(models, null, 2)};`,
    "",
  ].join("\n");
}
