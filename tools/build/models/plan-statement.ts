/** One SELECT to the plan that the edge runs, or to why DuckDB has to run it: what models and checks are compiled with. */
import type { IrType, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { outputTypes } from "../../../lakehouse/engine/operators/output-types.ts";
import { type Clauses, clausesOf } from "./clauses.ts";
import { type DecodeContext, type NativeReason, nativeAt, reportAt } from "./decode-context.ts";
import { decodePlan } from "./decode-plan.ts";
import { decodeType } from "./decode-type.ts";
import { isObject, type Json, type JsonObject, objectsAt, PlanShapeError, textAt } from "./json.ts";
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

/** What is known of a statement that DuckDB binds. */
interface Bound {
  readonly context: DecodeContext;
  /** The statement as DuckDB parsed it, and its plan. */
  readonly tree: JsonObject;
  readonly bound: JsonObject;
}

/** A statement that the edge can run. */
export interface EdgeStatement extends Bound {
  readonly plan: Plan;
  readonly columns: readonly { readonly name: string; readonly type: IrType }[];
  readonly clauses: Clauses;
}

/** A statement that DuckDB itself has to run, and what asks for it first. */
export interface NativeStatement extends Bound {
  readonly plan: null;
  readonly reason: NativeReason;
  /** `type` is undefined where no table has one of the kind; `label` is DuckDB's name of it. */
  readonly columns: readonly { readonly name: string; readonly type: IrType | undefined; readonly label: string }[];
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
): Promise<EdgeStatement | NativeStatement | undefined> {
  return await understood(statement, problems, () => plan(statement, session, problems, tables));
}

/** What `read` makes of DuckDB's plans of a statement. One of a shape that nobody met yet is a problem of the statement's, with its place. */
export async function understood<T>(
  { sql, sqlOffset }: Pick<Statement, "sql" | "sqlOffset">,
  problems: Problems,
  read: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PlanShapeError)) throw error;
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
): Promise<EdgeStatement | NativeStatement | undefined> {
  const context: DecodeContext = {
    sql,
    sqlOffset,
    source: createSourceMap({}),
    problems,
    natives: [],
    isVolatile: session.isVolatile,
    keyOf: session.keyOf,
  };
  const nul = sql.indexOf("\0");
  if (nul >= 0) {
    problems.report(sqlOffset + nul, "the statement holds a NUL character", "remove it");
    return undefined;
  }
  const statements = await session.parse(sql);
  if (isRefusal(statements)) return reportRefusal(context, statements, tables, of);
  const [tree, second] = statements;
  if (tree === undefined)
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
  if (describes(tree)) return reportAt(context, undefined, "the statement is no SELECT", `a ${of} is one SELECT`);
  const [parameter] = objectsAt(tree, "named_param_map");
  if (parameter !== undefined) {
    const name = `$${textAt(parameter, "key")}`;
    return reportAt(context, undefined, `the statement has a parameter, ${name}`, "write the value in its place");
  }
  const bound = await session.plan(sql);
  if (isRefusal(bound)) return reportRefusal(context, bound, tables, of);
  // Places are given out once: each reading of the plan has a map of its own.
  const again = () => ({ ...context, source: createSourceMap(tree) });
  const own = problems.apart();
  const decoding = { ...again(), problems: own };
  const described = await session.describe(sql);
  const decoded = decode(bound, decoding, described);
  const [first] = context.natives.toSorted((a, b) => (a.byte ?? Infinity) - (b.byte ?? Infinity));
  if (first !== undefined) {
    const types = await session.outputTypes(sql);
    const columns = described.map(({ name, type: label }, index) => {
      const type = types[index];
      return { name, label, type: type && decodeType(type) };
    });
    return { context: again(), tree, bound, plan: null, reason: first, columns };
  }
  problems.take(own);
  if (decoded === undefined) return undefined;
  return { context: { ...decoding, problems }, tree, bound, ...decoded, clauses: clausesOf(tree, session.isAggregate) };
}

/** Whether a statement holds a DESCRIBE, SHOW or SUMMARIZE, which DuckDB parses as a SELECT. */
function describes(json: Json | undefined): boolean {
  if (Array.isArray(json)) return json.some(describes);
  return isObject(json) && (json["type"] === "SHOW_REF" || Object.values(json).some(describes));
}

/** The plan with its columns; undefined where `natives` or problems of the context say why there is none. */
function decode(
  bound: JsonObject,
  context: DecodeContext,
  described: readonly { readonly name: string }[],
): Pick<EdgeStatement, "plan" | "columns"> | undefined {
  try {
    const plan = decodePlan(bound, context);
    return plan && { plan, columns: outputColumns(plan, described) };
  } catch (error) {
    // A plan may have a shape that nobody met yet: DuckDB knows it.
    if (!(error instanceof PlanShapeError)) throw error;
    return nativeAt(context, undefined, `the edge does not understand DuckDB's plan of it (${error.message})`);
  }
}

function outputColumns(plan: Plan, described: readonly { readonly name: string }[]) {
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
