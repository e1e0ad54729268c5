/** One SELECT to its decoded plan: what models and checks are compiled with. */
import type { Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { outputTypes } from "../../../lakehouse/engine/operators/output-types.ts";
import { clausesOf } from "./clauses.ts";
import { type DecodeContext, reportAt } from "./decode-context.ts";
import { decodePlan } from "./decode-plan.ts";
import { objectsAt, PlanShapeError, textAt } from "./json.ts";
import type { Problems } from "./model-error.ts";
import { didYouMean } from "./nearest-names.ts";
import { isRefusal, type PlannerSession, type Refusal } from "./planner-session.ts";
import { createSourceMap } from "./source-map.ts";

/** A SELECT, where it begins in its file (UTF-16 units), and what it is of. */
export interface Statement {
  readonly sql: string;
  readonly sqlOffset: number;
  readonly of: "model" | "check";
}

/**
 * Parses, binds, plans and decodes one SELECT over the session's tables; undefined when that cannot be done, and
 * `problems` says why.
 */
export async function planStatement(
  statement: Statement,
  session: PlannerSession,
  problems: Problems,
  tables: readonly { readonly name: string }[],
) {
  try {
    return await plan(statement, session, problems, tables);
  } catch (error) {
    // A plan may have a shape that nobody met yet: whoever wrote the statement needs its place, not our stack.
    if (!(error instanceof PlanShapeError)) throw error;
    const { sql, sqlOffset } = statement;
    const problem = `the plan that DuckDB makes of it is not understood (${error.message})`;
    problems.report(sqlOffset + Math.max(0, sql.search(/\S/)), problem, "write the statement another way");
    return undefined;
  }
}

async function plan(
  { sql, sqlOffset, of }: Statement,
  session: PlannerSession,
  problems: Problems,
  tables: readonly { readonly name: string }[],
) {
  const context: DecodeContext = {
    sql,
    sqlOffset,
    source: createSourceMap({}),
    problems,
    isVolatile: session.isVolatile,
  };
  const nul = sql.indexOf("\0");
  if (nul >= 0) {
    problems.report(sqlOffset + nul, "the statement holds a NUL character", "remove it");
    return undefined;
  }
  const statements = await session.parse(sql);
  if (isRefusal(statements)) return reportRefusal(context, statements, tables, of);
  const [statement, second] = statements;
  if (statement === undefined)
    return reportAt(
      context,
      undefined,
      "there is no SELECT",
      `write one SELECT${of === "model" ? " after the front matter" : ""}`,
    );
  if (second !== undefined) {
    return reportAt(
      context,
      undefined,
      `there are ${statements.length} statements`,
      `a ${of} is one SELECT: remove the others`,
    );
  }
  const source = createSourceMap(statement);
  const [parameter] = objectsAt(statement, "named_param_map");
  if (parameter !== undefined) {
    const name = `$${textAt(parameter, "key")}`;
    return reportAt(context, undefined, `the statement has a parameter, ${name}`, "write the value in its place");
  }
  const answer = await session.plan(sql);
  if (isRefusal(answer)) return reportRefusal(context, answer, tables, of);
  const decoding = { ...context, source };
  const decoded: Plan | undefined = decodePlan(answer, decoding);
  if (decoded === undefined) return undefined;
  const described = await session.describe(sql);
  return {
    context: decoding,
    plan: decoded,
    columns: outputColumns(decoded, described),
    clauses: clausesOf(statement, session.isAggregate),
  };
}

function outputColumns(plan: Plan, described: readonly { readonly name: string; readonly type: string }[]) {
  const types = outputTypes(plan);
  if (types.length !== described.length) {
    throw new PlanShapeError(`the plan has ${types.length} columns, DESCRIBE ${described.length}`);
  }
  return described.map(({ name }, index) => {
    const type = types[index];
    if (type === undefined) throw new PlanShapeError(`the plan has no column ${index}`);
    return { name, type };
  });
}

function reportRefusal(
  context: DecodeContext,
  refusal: Refusal,
  tables: readonly { readonly name: string }[],
  of: Statement["of"],
): undefined {
  const [message = refusal.message] = refusal.message.split("\n");
  const at = refusal.byte;
  switch (refusal.subtype) {
    case "SYNTAX_ERROR":
      return reportAt(context, at, `SQL: ${message}`, "correct the statement");
    case "COLUMN_NOT_FOUND":
      return reportAt(
        context,
        at,
        `unknown column "${refusal.name ?? ""}"`,
        didYouMean(refusal.name ?? "", refusal.candidates),
      );
    case "MISSING_ENTRY":
      if (message.startsWith("Table ")) {
        const names = tables.map((table) => table.name);
        return reportAt(context, at, `unknown table "${refusal.name ?? ""}"`, didYouMean(refusal.name ?? "", names));
      }
      return reportAt(
        context,
        at,
        `unknown function "${refusal.name ?? ""}"`,
        didYouMean(refusal.name ?? "", refusal.candidates),
      );
  }
  if (message.startsWith("Only SELECT") || message.startsWith("Cannot plan statement")) {
    return reportAt(context, undefined, "the statement is no SELECT", `a ${of} is one SELECT`);
  }
  return reportAt(context, at, `DuckDB refuses it: ${message}`, "correct the statement");
}
