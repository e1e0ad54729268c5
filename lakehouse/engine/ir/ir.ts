/**
 * The intermediate representation (IR) of a compiled model: plain JSON-serialisable data, decoded from DuckDB's bound and
 * unoptimised logical plan by `tools/build/models`, run by `run.ts`. References are positional: `index` counts the
 * columns of the operator's input. Every expression carries its type, as DuckDB bound it.
 */
import type { Field } from "../columns/column.ts";
import type { Grain, Relation } from "./relation.ts";

/** Raised whenever the meaning of stored IR changes; `runModel` refuses any other version. */
export const IR_VERSION = 1;

/**
 * A type in a plan. It is wider than `ColumnType` by what only exists between operators: `hugeint` (sums of integers,
 * 128 bits), `timestamp` (DuckDB's TIMESTAMP without a zone) and `interval`. `timestamptz` is `ColumnType`'s `timestamp`.
 */
export type IrType =
  | { readonly kind: "bool" }
  | { readonly kind: "int32" }
  | { readonly kind: "int64" }
  | { readonly kind: "hugeint" }
  | { readonly kind: "float64" }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "date" }
  | { readonly kind: "timestamp" }
  | { readonly kind: "timestamptz" }
  | { readonly kind: "interval" }
  | { readonly kind: "utf8" }
  | { readonly kind: "binary" }
  | { readonly kind: "list"; readonly item: IrType }
  | { readonly kind: "struct"; readonly fields: readonly IrField[] };

export interface IrField {
  readonly name: string;
  readonly type: IrType;
}

/**
 * A literal. `int32` and `date` (days) are numbers; `int64`, `hugeint`, `decimal` (unscaled), `timestamp` and
 * `timestamptz` (microseconds) are decimal strings, since JSON numbers stop at 2^53; an `interval` is its months, days and
 * microseconds with spaces between; a `float64` that JSON cannot hold is `"NaN"`, `"Infinity"` or `"-Infinity"`.
 */
export type ConstantValue = null | boolean | number | string;

export interface ColumnReference {
  readonly node: "column";
  readonly index: number;
  readonly type: IrType;
}
export interface Constant {
  readonly node: "constant";
  readonly value: ConstantValue;
  readonly type: IrType;
}
/** A call of a function of `expressions/functions.ts`, by that table's name. Comparisons and NOT are calls too. */
export interface Call {
  readonly node: "call";
  readonly name: string;
  readonly args: readonly Expression[];
  readonly type: IrType;
}
export interface Conjunction {
  readonly node: "and" | "or";
  readonly args: readonly Expression[];
  readonly type: IrType;
}
export interface Case {
  readonly node: "case";
  readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
  readonly otherwise: Expression;
  readonly type: IrType;
}
export interface Coalesce {
  readonly node: "coalesce";
  readonly args: readonly Expression[];
  readonly type: IrType;
}
/** With `lenient` (TRY_CAST) a value that does not fit becomes NULL instead of an error. */
export interface Cast {
  readonly node: "cast";
  readonly arg: Expression;
  readonly lenient: boolean;
  readonly type: IrType;
}
/**
 * `list_transform` or `list_filter`. In `body`, column 0 is the element; with `indexed`, column 0 is the element's
 * position from 1 (int64) and column 1 the element. The captured outer values follow.
 */
export interface ListLambda {
  readonly node: "lambda";
  readonly name: "list_transform" | "list_filter";
  readonly list: Expression;
  readonly captures: readonly Expression[];
  readonly indexed: boolean;
  readonly body: Expression;
  readonly type: IrType;
}
export type Expression = ColumnReference | Constant | Call | Conjunction | Case | Coalesce | Cast | ListLambda;

/** One aggregate of `operators/aggregates.ts`; `filter` is SQL's FILTER (WHERE ...). */
export interface Aggregate {
  readonly name: string;
  readonly args: readonly Expression[];
  readonly distinct: boolean;
  readonly filter: Expression | null;
  readonly type: IrType;
  /** Of the compiler's own `first by order` alone: how each argument behind the first, a part of the order, sorts. */
  readonly order?: readonly { readonly descending: boolean; readonly nullsFirst: boolean }[] | undefined;
}
export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/**
 * `semi` and `anti` keep the rows of the left side with and without a partner; `mark` keeps all and says of each whether it
 * has one (`x IN (SELECT ...)`).
 */
export type JoinKind = "inner" | "left" | "semi" | "anti" | "mark";

/** Two expressions whose values are equal: over the columns of the left side, and of the right. */
export interface JoinKey {
  readonly left: Expression;
  readonly right: Expression;
}

/**
 * Output columns: `aggregate` gives the groups, then the aggregates; `unnest` its input's columns, then the element; `join`
 * the left side's, then for `inner` and `left` the right side's, for `mark` a BOOLEAN.
 */
export type Plan =
  | { readonly node: "scan"; readonly table: string; readonly columns: readonly IrField[] }
  | { readonly node: "filter"; readonly input: Plan; readonly conditions: readonly Expression[] }
  | { readonly node: "project"; readonly input: Plan; readonly expressions: readonly Expression[] }
  | {
      readonly node: "aggregate";
      readonly input: Plan;
      readonly groups: readonly Expression[];
      readonly aggregates: readonly Aggregate[];
    }
  | { readonly node: "distinct"; readonly input: Plan }
  | { readonly node: "order"; readonly input: Plan; readonly by: readonly SortKey[] }
  | { readonly node: "limit"; readonly input: Plan; readonly limit: number | null; readonly offset: number }
  | { readonly node: "union"; readonly inputs: readonly Plan[] }
  | { readonly node: "unnest"; readonly input: Plan; readonly list: Expression }
  | {
      readonly node: "join";
      readonly kind: JoinKind;
      readonly left: Plan;
      /** Held whole, as a lookup table. */
      readonly right: Plan;
      readonly keys: readonly JoinKey[];
      /** What else must hold of two rows, over the columns of both sides. */
      readonly residual: Expression | null;
    };

/** The comparison of a check's measured number, in the words of the Open Data Contract Standard. */
export interface CheckThreshold {
  readonly mustBe?: number;
  readonly mustNotBe?: number;
  readonly mustBeGreaterThan?: number;
  readonly mustBeGreaterOrEqualTo?: number;
  readonly mustBeLessThan?: number;
  readonly mustBeLessOrEqualTo?: number;
  readonly mustBeBetween?: readonly [number, number];
}

/** A gate on the candidate table: a library metric, its column or columns, one threshold, and what a failure does. */
export type ModelCheck = CheckThreshold & {
  readonly on_fail: "block" | "warn";
  /** When it is judged; absent: as `contracts/check-time.ts` says. */
  readonly when?: "increment" | "closing";
} & (
    | { readonly metric: "rowCount" }
    | { readonly metric: "nullValues" | "missingValues"; readonly column: string }
    | { readonly metric: "invalidValues"; readonly column: string; readonly validValues: readonly string[] }
    | { readonly metric: "duplicateValues"; readonly columns: readonly string[] }
  );

/**
 * How the edge can build a model. `rows`: file by file, each row by itself. `merge`: from partial results of parts of the rows.
 * `whole`: from all rows of a partition at once, so the model bounds them (`max_rows`).
 */
export interface EdgeClass {
  readonly kind: "rows" | "merge" | "whole";
  readonly reason: string;
  /** The place that decides it, as file:line:column. */
  readonly at: string;
}

/** What needs DuckDB itself: `reason` names the first operator or function that the edge has not. */
export interface NativeClass {
  readonly kind: "native";
  readonly reason: string;
  readonly at: string;
}

/** Who builds the model, as its front matter says. `auto`: the edge, where the class and the size of the inputs allow it. */
export const ENGINES = ["auto", "edge", "native"] as const;
export type Engine = (typeof ENGINES)[number];

export interface ModelInput {
  readonly table: string;
  readonly columns: readonly string[];
  readonly relation: Relation;
}

interface ModelBase {
  /** `planHash` of the model: models of one generation give the same rows of the same input. */
  readonly generation: string;
  readonly name: string;
  readonly description: string;
  /** The SELECT as written: what DuckDB must answer alike. */
  readonly sql: string;
  /** Where the model is written, from the project's root. */
  readonly file: string;
  readonly layer: "silver" | "gold";
  readonly engine: Engine;
  readonly grain: Grain;
  /** The output column that names a row's partition; `ONLY_PARTITION.column`, which is no column, in a table of one. */
  readonly partition: string;
  /** Unique together; the row order of the table. */
  readonly key: readonly string[];
  readonly checks: readonly ModelCheck[];
  /** The most rows that a partition may have, where the model says so (`max_rows`): all that bounds a native build. */
  readonly rowLimit: number | null;
  /** How long what is new in its inputs waits for more; absent where the model does not say. */
  readonly buildAfterMs?: number;
  /** What the model reads; a table read twice is listed once, with the union of the columns. */
  readonly inputs: readonly ModelInput[];
  readonly fields: readonly Field[];
}

/** A model that the edge can run. DuckDB gives the same rows of its SQL, so a native builder may build it too. */
export interface EdgeModel extends ModelBase {
  readonly irVersion: number;
  readonly class: EdgeClass;
  /** The most rows that the result, or any operator that has to hold rows, may have in one run at the edge. */
  readonly maxRows: number;
  readonly plan: Plan;
}

/** A model that DuckDB itself has to run. Partition D has the rows of its SQL over what its relations name, with D in the partition column. */
export interface NativeModel extends ModelBase {
  readonly class: NativeClass;
  readonly plan: null;
  /** Hash of the statement as DuckDB parsed it, without its places, and of the types of the columns that it reads. */
  readonly statement: string;
}

export type CompiledModel = EdgeModel | NativeModel;

/** Whether no build at the edge makes the model's table. */
export function isNativeOnly(model: CompiledModel): boolean {
  return model.plan === null || model.engine === "native";
}
