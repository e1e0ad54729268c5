import type { CompiledModel } from "../../../lakehouse/engine/ir/ir.ts";
import { compileModel } from "./compile-model.ts";
import { type ModelError, ModelErrors } from "./model-error.ts";
import { openPlannerSession, type TableSchema } from "./planner-session.ts";
import { type ModelSource, placeOf, type ReadModel, readModels } from "./read-models.ts";
import { inputsFirst } from "./references.ts";

export { duckdbVersion, type TableSchema } from "./planner-session.ts";
export type { ModelSource } from "./read-models.ts";

/**
 * Compiles model files against the tables they may read and against each other: DuckDB parses, binds and plans each SELECT,
 * and the plan is decoded into the IR that `lakehouse/builds/models` runs. A model stands behind those it reads; else they
 * come in the order given. Throws `ModelErrors` with every problem of every file.
 */
export async function compileModels(options: {
  readonly models: readonly ModelSource[];
  readonly tables: readonly TableSchema[];
}): Promise<CompiledModel[]> {
  const session = await openPlannerSession(options.tables);
  try {
    const models = await readModels(options.models, options.tables, session);
    const byName = new Map(models.map((model) => [model.name, model]));
    const reads = new Map(models.map(({ name, references }) => [name, references.map(({ table }) => table)]));
    const { order, cycles } = inputsFirst(reads);
    for (const cycle of cycles) reportCycle(cycle, byName);

    const compiled: CompiledModel[] = [];
    const tables = [...options.tables];
    // A model that reads one which failed has nothing to be planned on: its own problems are told once that one is mended.
    const failed = new Set(cycles.flat());
    for (const model of order.flatMap((name) => byName.get(name) ?? [])) {
      reportLayers(model, byName);
      const isBlocked = failed.has(model.name) || model.references.some(({ table }) => failed.has(table));
      const done = isBlocked ? undefined : await compileModel(model, tables, [...reads.keys()], session);
      if (done === undefined || !model.problems.none) {
        failed.add(model.name);
        continue;
      }
      compiled.push(done);
      const table = {
        name: done.name,
        partition: done.partition,
        fields: done.fields,
        grain: done.grain,
        key: done.key,
      };
      tables.push(table);
      await session.addTable(table);
    }
    const errors: ModelError[] = models.flatMap(({ problems }) => problems.errors);
    if (errors.length > 0) throw new ModelErrors(errors);
    return compiled;
  } finally {
    session.close();
  }
}

/** Told where the first model of the cycle, by name, reads the next. */
function reportCycle(cycle: readonly string[], models: ReadonlyMap<string, ReadModel>): void {
  const first = cycle.indexOf(cycle.toSorted()[0] ?? "");
  const around = [...cycle.slice(first), ...cycle.slice(0, first)];
  const [name = "", next = name] = around;
  const model = models.get(name);
  if (model?.file === undefined) return;
  model.problems.report(
    placeOf(model, next),
    `models read each other in a circle: ${[...around, name].join(" reads ")}`,
    "let one of them read what the other reads",
  );
}

function reportLayers(model: ReadModel, models: ReadonlyMap<string, ReadModel>): void {
  if (model.layer !== "silver") return;
  for (const { table } of model.references) {
    if (models.get(table)?.layer !== "gold") continue;
    model.problems.report(
      placeOf(model, table),
      `${model.name} is a silver table and reads ${table}, which is gold`,
      "move the file to sql/gold, or read the silver table that the gold one is made of",
    );
  }
}
