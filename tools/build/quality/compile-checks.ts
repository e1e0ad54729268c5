/**
 * The checks of all contracts against the tables that they measure: queries to plans, as models are compiled, and what a
 * contract by itself cannot know of gold.
 */
import type { LibraryCheck, SqlCheck } from "../../../contracts/contract.ts";
import type { Field } from "../../../lakehouse/engine/columns/column.ts";
import {
  type CompiledModel,
  IR_VERSION,
  type IrType,
  isNativeOnly,
  type Plan,
} from "../../../lakehouse/engine/ir/ir.ts";
import { sqlName } from "../../../lakehouse/engine/ir/ir-types.ts";
import { type CompiledCheck, measuredTable } from "../../../lakehouse/tables/compiled/compiled-check.ts";
import { modelChecks } from "../../../lakehouse/tables/compiled/model-checks.ts";
import { silverTableName } from "../../../lakehouse/tables/silver-columns.ts";
import type { CheckSource } from "../contracts/checks.ts";
import { reportAt } from "../models/decode-context.ts";
import { ROW_NUMBER } from "../models/decode-plan.ts";
import { limitsAreTotal, scannedTables } from "../models/lineage.ts";
import { Problems } from "../models/model-error.ts";
import { checkStatement } from "../models/native/statement.ts";
import { didYouMean } from "../models/nearest-names.ts";
import { type EdgeStatement, type NativeStatement, planStatement, understood } from "../models/plan-statement.ts";
import { openPlannerSession, type PlannerSession, type TableSchema } from "../models/planner-session.ts";
import { pruneColumns } from "../models/prune-columns.ts";
import type { BuildProblem } from "../problem.ts";

/** A topic with the checks of its contract. */
export interface TopicChecks {
  readonly topic: string;
  readonly checks: readonly CheckSource[];
}

export interface ChecksCompiled {
  readonly compiled: readonly CompiledCheck[];
  readonly problems: readonly BuildProblem[];
}

/** `tables` are bronze and silver of the topics, with the columns that their candidates have. */
export async function compileChecks(
  topics: readonly TopicChecks[],
  tables: readonly TableSchema[],
  models: readonly CompiledModel[],
): Promise<ChecksCompiled> {
  const measurable = [...tables, ...models.map(({ name, partition, fields }) => ({ name, partition, fields }))];
  const problems: BuildProblem[] = [];
  const compiled: CompiledCheck[] = [];
  const session = await openPlannerSession(measurable);
  try {
    for (const { topic, checks } of topics) {
      for (const source of checks) {
        const { check } = source;
        const problem = check.layer === "gold" ? goldProblem(topic, source, topics, models) : undefined;
        if (problem !== undefined) problems.push({ file: source.file, line: source.line, message: problem });
        else if (check.metric === "sql") {
          const table = measuredTable(topic, check);
          const model = models.find(({ name }) => name === table);
          const measured = { table, isNative: model !== undefined && isNativeOnly(model) };
          const result = await compileQuery(check, measured, source, session, measurable);
          if ("plan" in result) compiled.push({ irVersion: IR_VERSION, table, name: check.name, plan: result.plan });
          else problems.push(...result.problems);
        }
      }
    }
  } finally {
    session.close();
  }
  return { compiled, problems };
}

async function compileQuery(
  check: SqlCheck,
  measured: { readonly table: string; readonly isNative: boolean },
  { file, queryLine, truth }: CheckSource,
  session: PlannerSession,
  tables: readonly TableSchema[],
): Promise<{ readonly plan: Plan | null } | { readonly problems: readonly BuildProblem[] }> {
  const { table } = measured;
  const problems = new Problems(file, check.query);
  const statement = { sql: check.query, sqlOffset: 0, of: "check" } as const;
  const planned = await planStatement(statement, session, problems, tables);
  if (planned !== undefined) {
    const { context, columns } = planned;
    const report = (problem: string, fix: string) => reportAt(context, undefined, problem, fix);
    const [column, ...others] = columns;
    if (column === undefined || others.length > 0)
      report(`the query gives ${columns.length} columns`, "a check gives one number");
    else checkNumber(column, truth, report);
    const facts = await understood(statement, problems, () =>
      planned.plan === null ? nativeFacts(planned, measured) : edgeFacts(planned, planned.plan),
    );
    if (facts !== undefined) checkFacts(facts, table, report);
    if (facts !== undefined && problems.none) return { plan: measured.isNative ? null : facts.plan };
  }
  return {
    problems: problems.errors.map(({ line, problem, fix }) => ({
      file,
      line: queryLine(line),
      message: `check "${check.name}": ${problem}; ${fix}`,
    })),
  };
}

type Report = (problem: string, fix: string) => void;

function checkFacts(facts: QueryFacts, table: string, report: Report): void {
  if (!facts.givesOneRow) report("the query may give any number of rows", "aggregate without GROUP BY or HAVING");
  if (!facts.limitsAreTotal) report("LIMIT without a total order keeps rows by chance", "ORDER BY all columns");
  const foreign = facts.reads.find((input) => input !== table);
  if (foreign !== undefined)
    report(`the query reads ${foreign}`, `a check sees the rows of ${table} only: write FROM {object}`);
  if (facts.reads.length === 0) report("the query reads no table", "write FROM {object}");
}

function checkNumber(
  column: { readonly type: IrType | undefined; readonly label?: string },
  truth: boolean,
  report: Report,
): void {
  const name = column.label ?? (column.type && sqlName(column.type)) ?? "";
  if (truth !== (name === "BOOLEAN"))
    report(
      `the query gives a ${name}`,
      truth
        ? "a check that must be true or false gives a BOOLEAN"
        : "a BOOLEAN goes with mustBe: true or mustBe: false",
    );
  else if (!truth && !NUMBER.test(name))
    report(`the query gives a ${name}`, "a check gives a number, such as a count of what is wrong");
}

const NUMBER = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\))$/;

/** What a query's result stands on. */
interface QueryFacts {
  readonly plan: Plan | null;
  readonly givesOneRow: boolean;
  readonly limitsAreTotal: boolean;
  readonly reads: readonly string[];
}

function edgeFacts({ context }: EdgeStatement, plan: Plan): QueryFacts {
  const pruned = pruneColumns(plan);
  const inputs = scannedTables(pruned);
  if (inputs.some(({ columns: read }) => read.includes(ROW_NUMBER)))
    reportAt(context, undefined, "rowid is no stored column", "use a column of the table");
  const reads = inputs.map((input) => input.table);
  return { plan: pruned, givesOneRow: givesOneRow(plan), limitsAreTotal: limitsAreTotal(plan, context.keyOf), reads };
}

/** What only DuckDB runs can be asked of a table that it builds. */
function nativeFacts(
  statement: NativeStatement,
  { table, isNative }: { readonly table: string; readonly isNative: boolean },
): QueryFacts {
  const { context, reason } = statement;
  let isTotal = true;
  if (!isNative)
    reportAt(context, reason.byte, reason.reason, `${table} is built there: write it another way (docs/model-sql.md)`);
  const rows = checkStatement(statement, {
    inputOf: () => ({ key: undefined, partition: undefined }),
    limited: (_reads, tells) => {
      isTotal &&= tells;
    },
  });
  return { plan: null, givesOneRow: rows.one, limitsAreTotal: isTotal, reads: [...rows.reads].sort() };
}

/** Whether a plan gives exactly one row, whatever it reads: an aggregate without groups, and nothing that drops it. */
function givesOneRow(plan: Plan): boolean {
  switch (plan.node) {
    case "aggregate":
      return plan.groups.length === 0;
    case "project":
    case "order":
    case "distinct":
      return givesOneRow(plan.input);
    default:
      return false;
  }
}

/** What is wrong with a check at gold, apart from its query. */
function goldProblem(
  topic: string,
  { check, asked }: CheckSource,
  topics: readonly TopicChecks[],
  models: readonly CompiledModel[],
): string | undefined {
  const of = `check "${check.name}" is of the gold table ${check.table}`;
  const model = models.find(({ name }) => name === check.table);
  if (model === undefined) {
    const names = models.map(({ name }) => name);
    return `${of}, which no model makes; ${didYouMean(check.table ?? "", names)}`;
  }
  const silver = silverTableName(topic);
  if (!model.inputs.some(({ table }) => table === silver))
    return `${of}, which does not read ${silver}: it stands in the contract of another topic`;
  if (asked === "closing" && model.grain === "one")
    return `${of}, which has one partition, and that never closes: write when: increment`;
  const others = topics.flatMap((other) =>
    other.topic === topic ? [] : other.checks.filter((source) => source.check.table === check.table),
  );
  const named = [...others.map((other) => other.check), ...modelChecks(model)].some(({ name }) => name === check.name);
  if (named) return `${of}, which has another check of that name: give it a name of its own`;
  if (check.metric === "sql") return undefined;
  if (check.pattern !== undefined && isNativeOnly(model))
    return `${of}, which DuckDB builds, and has a pattern: write the check in SQL, such as with regexp_matches`;
  return columnProblem(of, check, model.fields);
}

function columnProblem(of: string, check: LibraryCheck, fields: readonly Field[]): string | undefined {
  for (const column of check.columns) {
    const field = fields.find(({ name }) => name === column);
    if (field === undefined) {
      const names = fields.map(({ name }) => name);
      return `${of} and measures "${column}", which is no column of it; ${didYouMean(column, names)}`;
    }
    if (check.pattern !== undefined && field.type.kind !== "utf8")
      return `${of} and has a pattern, and "${column}" is no text: write the check in SQL`;
    if (check.metric !== "nullValues" && (field.type.kind === "list" || field.type.kind === "struct"))
      return `${of} and measures ${check.metric} of "${column}", which is nested: write the check in SQL`;
  }
  return undefined;
}
