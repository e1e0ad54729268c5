import { createHash } from "node:crypto";
import type { Field } from "../../../lakehouse/engine/columns/column.ts";
import { type CompiledModel, IR_VERSION } from "../../../lakehouse/engine/ir/ir.ts";
import { columnTypeOf } from "../../../lakehouse/engine/ir/ir-types.ts";
import { checkModel } from "./check-model.ts";
import { reportAt } from "./decode-context.ts";
import { ROW_NUMBER } from "./decode-plan.ts";
import { parseModelFile } from "./front-matter.ts";
import { scannedTables } from "./lineage.ts";
import { type ModelError, ModelErrors, Problems } from "./model-error.ts";
import { planStatement } from "./plan-statement.ts";
import { openPlannerSession, type PlannerSession, type TableSchema } from "./planner-session.ts";
import { pruneColumns } from "./prune-columns.ts";
import { tableNameProblem } from "./table-name.ts";

export type { TableSchema } from "./planner-session.ts";

/** A model file: its path (for names and messages) and its text. */
export interface ModelSource {
  readonly path: string;
  readonly text: string;
}

/**
 * Compiles model files against the tables they may read: DuckDB parses, binds and plans each SELECT, and the plan is
 * decoded into the IR that `lakehouse/engine` runs. The models come in the order given. Throws `ModelErrors` with every
 * problem of every file.
 */
export async function compileModels(options: {
  readonly models: readonly ModelSource[];
  readonly tables: readonly TableSchema[];
}): Promise<CompiledModel[]> {
  const session = await openPlannerSession(options.tables);
  const topics = options.tables.flatMap(({ name }) =>
    name.startsWith("silver_") ? [name.slice("silver_".length)] : [],
  );
  try {
    const compiled: CompiledModel[] = [];
    const errors: ModelError[] = [];
    const names = new Map<string, string>();
    for (const source of options.models) {
      const problems = new Problems(source.path, source.text);
      const name = source.path.replace(/^.*[\\/]/, "").replace(/\.sql$/, "");
      const taken = await tableNameProblem(name, topics, session);
      if (taken !== undefined) problems.report(0, taken.problem, taken.fix);
      const other = names.get(name);
      if (other !== undefined) problems.report(0, `the model ${name} is also defined by ${other}`, "rename one");
      names.set(name, source.path);
      const model = await compileModel(name, source, options.tables, session, problems);
      if (model !== undefined && problems.none) compiled.push(model);
      errors.push(...problems.errors);
    }
    if (errors.length > 0) throw new ModelErrors(errors);
    return compiled;
  } finally {
    session.close();
  }
}

async function compileModel(
  name: string,
  source: ModelSource,
  tables: readonly TableSchema[],
  session: PlannerSession,
  problems: Problems,
): Promise<CompiledModel | undefined> {
  const file = parseModelFile(source.text, problems);
  if (file === undefined) return undefined;
  const planned = await planStatement({ ...file, of: "model" }, session, problems, tables);
  if (planned === undefined) return undefined;
  const { context, plan, columns } = planned;
  if (!checkModel({ file, plan, columns, tables, context })) return undefined;
  const pruned = pruneColumns(plan);
  const inputs = scannedTables(pruned);
  if (inputs.some(({ columns: read }) => read.includes(ROW_NUMBER))) {
    return reportAt(context, undefined, "rowid is no stored column", "use a column of the input");
  }
  const { frontMatter } = file;
  return {
    irVersion: IR_VERSION,
    generation: createHash("sha256").update(JSON.stringify(pruned)).digest("hex").slice(0, 32),
    name,
    description: frontMatter.description,
    sql: await withoutSemicolon(file.sql.trim(), session),
    partition: frontMatter.partition,
    key: frontMatter.key,
    checks: frontMatter.checks,
    maxRows: frontMatter.max_rows,
    inputs,
    fields: columns.map(
      ({ name: column, type }): Field => ({ name: column, type: columnTypeOf(type), nullable: true }),
    ),
    plan: pruned,
  };
}

/**
 * The one statement of `sql` without the semicolon that may end it, so that it can stand in another query. DuckDB says where
 * the statement ends: a semicolon in a text or a comment ends none.
 */
async function withoutSemicolon(sql: string, session: PlannerSession): Promise<string> {
  const tree = async (text: string) =>
    JSON.stringify(await session.parse(text), (_key, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
  const whole = await tree(sql);
  for (let at = sql.indexOf(";"); at >= 0; at = sql.indexOf(";", at + 1)) {
    const statement = sql.slice(0, at).trimEnd();
    if ((await tree(statement)) === whole) return statement;
  }
  return sql;
}
