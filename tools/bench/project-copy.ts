/** A copy of the project for a bench that adds contracts or models of its own. */
import { cpSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { isNativeOnly } from "../../lakehouse/engine/ir/ir.ts";
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";

const LEFT_OUT = new Set(["node_modules", ".git", "dist", ".sluice", ".wrangler", "test", "docs"]);

/** Without the models that only a native builder builds: what is measured has none beside it, or one for the bench's own model. */
export function copyProject(root: string, to: string): void {
  cpSync(root, to, {
    recursive: true,
    filter: (source) => !LEFT_OUT.has(source.slice(root.length + 1).split("/")[0] ?? ""),
  });
  symlinkSync(join(root, "node_modules"), join(to, "node_modules"));
  for (const model of models.filter(isNativeOnly)) rmSync(join(to, model.file));
}
